"""A function of fixed-point numbers as a table with a proven bound of its error.

Let F(x) be the exact result for the integer argument x, in units of the integer result, and b..t the
arguments that the table covers: below and above, F is within 1/2 of the integer at the end, since it
increases and rounds to that integer there too. The table holds T_i = F rounded to nearest at x_i = b + i h,
with h = 2^k:

    y(x) = floor(T_i + (T_i+1 - T_i) (x - x_i) / h + 1/2)     for x_i <= x < x_i+1

k is the least at which there are few enough entries; with k = 0 every argument has its own and y = T. The
error |y - F| is then at most

    max_i |T_i - F(x_i)|             both ends of a chord are off by at most this, and so is all of it
    + h^2 / 8 max |F''|   if k > 0   the distance of a function from its chord
    + 1/2                 if k > 0   the last rounding

or 1/2 beyond b..t. F is evaluated to 60 digits, the second derivative's bound is that of
`hw_models.program.functions`. The result is clipped to F rounded at the ends of the argument's range, which
brings y nearer to F or to within 1/2 of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from hw_models.program.functions import FixedFunction
from hw_models.program.trace import Integer, clip, lookup, shift_rounded
from hw_models.program.widths import Width

#: Entries that a table may have.
MOST_ENTRIES = 1 << 10
#: Far more than the digits in which F is evaluated leave out.
_DIGITS_LEFT_OUT = Fraction(1, 10**40)


@dataclass(frozen=True)
class FunctionTable:
    """The table of one function for arguments in a range, and what is proven of it.

    `first` is the argument of the first of `entries`, `spacing` the k by which they are 2^k apart. `bound` is
    at least the greatest error, in units of the integer result.
    """

    function: FixedFunction
    argument: Width
    first: int
    spacing: int
    entries: tuple[int, ...]
    bound: Fraction

    @property
    def last(self) -> int:
        """The argument of the last entry."""
        return self.first + ((len(self.entries) - 1) << self.spacing)

    @property
    def value_bound(self) -> float:
        """The bound in the function's own values, rounded up."""
        exact = self.bound / (1 << self.function.result_bits)
        nearest = float(exact)
        return nearest if Fraction(nearest) >= exact else math.nextafter(nearest, math.inf)

    def result(self, argument: int) -> int:
        """What the table gives."""
        at = min(max(argument, self.first), self.last) - self.first
        index, rest = at >> self.spacing, at & ((1 << self.spacing) - 1)
        left, right = self.entries[index], self.entries[min(index + 1, len(self.entries) - 1)]
        half = (1 << self.spacing) >> 1
        value = left + (((right - left) * rest + half) >> self.spacing)
        low, high = self._ends
        return min(max(value, low), high)

    @cached_property
    def _ends(self) -> tuple[int, int]:
        width = self.function.width(self.argument)
        return width.low, width.high

    def in_program(self, argument: Integer) -> Integer:
        """The table as operations of a program on `argument`, whose range is the table's."""
        at = clip(argument, self.first, self.last) - self.first
        if self.spacing == 0:
            return lookup(self.entries, at)
        index = at >> self.spacing
        # The ranges of operations know nothing of what was taken away: the bound keeps products in 32 bits.
        rest = clip(at - (index << self.spacing), 0, (1 << self.spacing) - 1)
        rises = tuple(b - a for a, b in zip(self.entries, self.entries[1:], strict=False))
        rise = lookup((*rises, 0), index)
        return clip(lookup(self.entries, index) + shift_rounded(rise * rest, self.spacing), *self._ends)

    def worst(self) -> int:
        """The argument of the greatest error among the ends and middles of all segments and of the range."""
        middle = (1 << self.spacing) >> 1
        tried = [self.first + (i << self.spacing) for i in range(len(self.entries))]
        tried += [x + middle for x in tried[:-1] if middle]
        inside = [x for x in tried if self.argument.low <= x <= self.argument.high]
        return max((*inside, self.argument.low, self.argument.high), key=self.error)

    def error(self, argument: int) -> Decimal:
        """|result - exact|, in units of the integer result."""
        return abs(self.result(argument) - self.function.exact(argument))


def _least(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The least integer of a range from which on something holds, as it does at `high`."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def function_table(function: FixedFunction, argument: Width, most: int = MOST_ENTRIES) -> FunctionTable:
    """The table of `function` for all arguments in a range, of at most `most` entries, at least 2."""
    least, greatest = function.nearest(argument.low), function.nearest(argument.high)
    # Where the first result ends, and where the last begins.
    first = _least(argument.low, argument.high, lambda x: function.nearest(x) > least) - 1
    first = max(first, argument.low)
    last = _least(argument.low, argument.high, lambda x: function.nearest(x) == greatest)
    span = max(last - first, 0)
    spacing = 0
    while -(-span >> spacing) + 1 > most:
        spacing += 1
    places = [first + (i << spacing) for i in range(-(-span >> spacing) + 1)]
    entries = tuple(function.nearest(place) for place in places)
    rounding = max(
        abs(Fraction(entry) - Fraction(function.exact(place)))
        for entry, place in zip(entries, places, strict=True)
    )
    rounding += _DIGITS_LEFT_OUT
    bound = max(rounding, Fraction(1, 2))
    if spacing:
        bound = rounding + Fraction(function.bend(places[-1])) * (1 << 2 * spacing) / 8 + Fraction(1, 2)
    return FunctionTable(function, argument, first, spacing, entries, bound)
