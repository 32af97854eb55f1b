"""A parameter of a sweep and its values."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Axis(Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter of the file, and the values that it takes, as texts; or one range to draw from."""

    name: str
    values: Annotated[list[str], Meta(min_length=1)]
