"""Named arrays: one of another value, type, shape or length, lost, or renamed."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

TYPES = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "u4", "u8", "?", "c16")
WAYS = (
    "value",
    "value",
    "value",
    "fill",
    "type",
    "cut",
    "longer",
    "deeper",
    "flat",
    "turned",
    "drop",
    "empty",
    "scalar",
    "swap",
)


def alter_arrays(arrays: dict[str, Any], draw: Random, types: tuple[str, ...] = TYPES) -> str:
    """Change one of the arrays, and say how."""
    if not arrays:
        arrays["more"] = np.zeros(3)
        return "more added"
    name = draw.choice(sorted(arrays))
    array = np.array(arrays[name])
    how = draw.choice(WAYS)
    if how == "drop":
        del arrays[name]
        return f"{name} dropped"
    if how == "swap":
        other = draw.choice(sorted(arrays))
        arrays[name], arrays[other] = arrays[other], arrays[name]
        return f"{name} and {other} swapped"
    if array.dtype.kind not in "iufb":
        arrays[name] = np.zeros(draw.choice(((), (1,), (2, 2))))
        return f"{name} of numbers"
    arrays[name] = _altered(array, how, draw, types)
    return f"{name} {how}"


def _altered(array: Any, how: str, draw: Random, types: tuple[str, ...]) -> Any:
    flat = array.reshape(-1)
    if how in ("value", "fill") and array.size:
        ends = (np.nan, np.inf, -np.inf, 1e308, -1.0, 0.5, 5e-324, 1e-6, 1e6)
        if array.dtype.kind in "iu":
            ends = (np.iinfo(array.dtype).min, np.iinfo(array.dtype).max, 1, 2, 7, 100, 3, 60)
        with np.errstate(all="ignore"):
            value = np.asarray(draw.choice((0, 1, *ends))).astype(array.dtype)
        where = slice(None) if how == "fill" else draw.randrange(array.size)
        flat[where] = value
        return flat.reshape(array.shape)
    if how == "type":
        with np.errstate(all="ignore"):
            return array.astype(draw.choice(types))
    if how == "cut":
        return flat[:-1].copy()
    if how == "longer":
        return np.concatenate([flat] * draw.choice((2, 3, 50)))
    if how == "deeper":
        return array.reshape(*array.shape, *([1] * draw.choice((1, 2, 12))))
    if how == "turned":
        return np.ascontiguousarray(array.T)
    if how == "empty":
        return np.zeros(draw.choice(((0,), (0, 3), (1, 0))), dtype=array.dtype)
    if how == "scalar":
        return np.asarray(flat[0] if array.size else 0, dtype=array.dtype)
    return flat.copy()
