"""Rows of arrays. numba's own assignment of an array would bring a copy, and memory of Python's for it."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from burstchip.backends.sim.code.loop import loop

Numbers = NDArray[Any]


@loop
def write_row(rows: Numbers, row: int, values: Numbers) -> None:
    """Write `values` to row `row`."""
    for i in range(values.shape[0]):
        rows[row, i] = values[i]
