"""Points drawn at random from a grid: values from its lists, and numbers from ranges LOW..HIGH.

    LOW..HIGH, such as 10..200       whole numbers where both are written as such, else any between
    LOW..HIGH UNIT, as 5..50 ms      with the unit behind the number
    log:LOW..HIGH                    as many below as above the geometric mean

Draw k is a pure function of k and the order of the axes: the first points of a longer search are those of a
shorter one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

from burstchip.sweeps.axis import Axis
from hw_models.program.random import at, key

#: What points are drawn with, beside their number and the axis.
_SEED, _STREAM = 0, 0x5EA2C4
#: Tries for each point that is wanted, since a point is taken once alone.
_TRIES = 64

_NUMBER = r"[+-]?(?:\d{1,18}(?:\.\d{1,18})?|\.\d{1,18})(?:[eE][+-]?\d{1,2})?"
_RANGE = re.compile(rf"(log:)?\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*(.*)")


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, the ends included; `unit` stands behind each."""

    low: float
    high: float
    whole: bool
    logarithmic: bool
    unit: str

    def text(self, number: float) -> str:
        """A number of the range as the file takes it."""
        said = str(round(number)) if self.whole else f"{number:.6g}"
        return f"{said} {self.unit}".rstrip()

    def at(self, share: float) -> str:
        """What lies at a share, above 0 and below 1, of the range."""
        if self.logarithmic:
            return self.text(exp(log(self.low) + share * (log(self.high) - log(self.low))))
        # The first and the last whole number are as likely as each between them.
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
        return self.text(min(max(low + share * (high - low), self.low), self.high))


def range_of(text: str) -> Range | None:
    """The range that a text is; None for any other. Raises ValueError where its ends cannot be."""
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        return None
    logarithmic, ends, unit = found[1] is not None, (found[2], found[3]), found[4].strip()
    low, high = map(float, ends)
    if low >= high:
        raise ValueError("the first number must be below the second")
    if logarithmic and low <= 0:
        raise ValueError("on a logarithmic scale both numbers must be above 0")
    return Range(low, high, all(re.fullmatch(r"[+-]?\d+", it) for it in ends), logarithmic, unit)


def drawn(grid: Sequence[Axis], count: int) -> list[dict[str, str]]:
    """Up to `count` different points: fewer where the grid does not have so many."""
    ranges = {axis.name: range_of(axis.values[0]) if len(axis.values) == 1 else None for axis in grid}
    found: dict[tuple[str, ...], None] = {}
    for number in range(_TRIES * count):
        if len(found) == count:
            break
        bits = at(key(_SEED, _STREAM, number), np.arange(len(grid))).tolist()
        values = []
        for axis, drawn_bits in zip(grid, bits, strict=True):
            across = ranges[axis.name]
            share = (drawn_bits + 0.5) / (1 << 32)
            values.append(
                axis.values[(drawn_bits * len(axis.values)) >> 32] if across is None else across.at(share)
            )
        found[tuple(values)] = None
    names = [axis.name for axis in grid]
    return [dict(zip(names, values, strict=True)) for values in found]
