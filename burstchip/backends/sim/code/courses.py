"""How signals that change from step to step reach their neurons. Also ports, to which they add."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from burstchip.backends.sim.code.loop import loop

Numbers = NDArray[Any]


@loop
def set_row(rows: Numbers, row: int, n: int, value: Numbers) -> None:
    """Write row `row`, which has one number for all or one for each, to the first `n` of `value`."""
    if rows.shape[1] == 1:
        for i in range(n):
            value[i] = rows[row, 0]
    else:
        for i in range(n):
            value[i] = rows[row, i]


@loop
def add_each(sums: Numbers, n: int, value: Numbers) -> None:
    """Add to each sum its value."""
    for i in range(n):
        sums[i] += value[i]
