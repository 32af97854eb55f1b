"""Named functions of fixed-point numbers: exact in real numbers, to the nearest integer in integers.

An integer x with a fraction of `argument_bits` stands for x 2^-argument_bits, an integer y of the result for
y 2^-result_bits:

    y = 2^result_bits f(2^-argument_bits x), rounded to nearest, halves to even

Every function of `FUNCTIONS` increases, so that the range of its results lies between those of the ends.
No chip has them: the compiler puts tables in their place (`compiler/passes/lower_functions.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models.program.widths import Width

Reals = NDArray[np.float64]

#: Most bits that a fraction may have.
FRACTION_BITS_MAX = 30
#: Digits in which functions are evaluated where an integer follows from them; each step rounds correctly.
_DIGITS = 60
#: Beyond this e^x is more than any integer here, and e^-x less than the digits hold.
_FAR = Decimal(1000)


@dataclass(frozen=True)
class Function:
    """A function in float64 and in decimal digits.

    `bend(high)` is at least |f''| wherever the argument is at most `high`.
    """

    meaning: str
    real: Callable[[Reals], Reals]
    exact: Callable[[Decimal], Decimal]
    bend: Callable[[Decimal], Decimal]


def _exact_exp(x: Decimal) -> Decimal:
    return max(min(x, _FAR), -_FAR).exp()


def _exact_tanh(x: Decimal) -> Decimal:
    decayed = _exact_exp(-2 * abs(x))
    return ((1 - decayed) / (1 + decayed)).copy_sign(x)


FUNCTIONS: dict[str, Function] = {
    "exp": Function("e^x", np.exp, _exact_exp, _exact_exp),
    "sigmoid": Function(
        "1 / (1 + e^-x)",
        lambda x: 1.0 / (1.0 + np.exp(-x)),
        lambda x: 1 / (1 + _exact_exp(-x)),
        # The greatest |f''| is 1 / (6 sqrt 3).
        lambda _: Decimal("0.0962251"),
    ),
    # 1 / y as y goes on from 1, negative so that it increases; its tangent before.
    "inverse": Function(
        "-1 / (1 + x), and x - 1 below x = 0",
        lambda x: np.minimum(x, 0.0) - 1.0 / (1.0 + np.maximum(x, 0.0)),
        lambda x: min(x, Decimal(0)) - 1 / (1 + max(x, Decimal(0))),
        lambda _: Decimal(2),
    ),
    # 4 / (3 sqrt 3).
    "tanh": Function(
        "(e^x - e^-x) / (e^x + e^-x)",
        np.tanh,
        _exact_tanh,
        lambda _: Decimal("0.7698004"),
    ),
}


@dataclass(frozen=True)
class FixedFunction:
    """The function `name` of arguments and results with so many bits of fraction."""

    name: str
    argument_bits: int
    result_bits: int

    @property
    def _function(self) -> Function:
        return FUNCTIONS[self.name]

    def real(self, argument: Any) -> Reals:
        """The result for real arguments, both in the integers' units, without any rounding."""
        x = np.asarray(argument, dtype=np.float64) * 2.0**-self.argument_bits
        # What is too great becomes infinity, and its inverse 0.
        with np.errstate(over="ignore"):
            return np.asarray(self._function.real(x) * 2.0**self.result_bits)

    def exact(self, argument: int) -> Decimal:
        """2^result_bits f(2^-argument_bits x), to more than 50 digits behind the point."""
        with localcontext(Context(prec=_DIGITS)):
            return self._function.exact(Decimal(argument) / (1 << self.argument_bits)) * (
                1 << self.result_bits
            )

    def bend(self, highest: int) -> Decimal:
        """A bound of the second derivative, in the integers' units, for arguments up to `highest`."""
        with localcontext(Context(prec=_DIGITS)):
            greatest = self._function.bend(Decimal(highest) / (1 << self.argument_bits))
            return greatest * (1 << self.result_bits) / (1 << 2 * self.argument_bits)

    def nearest(self, argument: int) -> int:
        """The integer result."""
        return int(self.exact(argument).to_integral_value(ROUND_HALF_EVEN))

    def width(self, argument: Width) -> Width:
        """The range of the results."""
        return Width(self.nearest(argument.low), self.nearest(argument.high))

    def __str__(self) -> str:
        return f"{self.name} 2^-{self.argument_bits} -> 2^-{self.result_bits}"
