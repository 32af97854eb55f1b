"""JSON as its standard defines it: without infinities and NaN."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(it) for name, it in value.items()}
    return [_finite(it) for it in value] if isinstance(value, list | tuple) else value


def strict_json(value: Any, indent: int | None = None, *, sort_keys: bool = False) -> str:
    """`value` as JSON; null for numbers that are not finite."""
    return json.dumps(_finite(value), indent=indent, sort_keys=sort_keys, allow_nan=False)
