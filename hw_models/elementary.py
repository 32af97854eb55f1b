"""exp, log and cosine from +, -, *, / and sqrt alone, which IEEE 754 rounds in one way only.

The libraries' own functions may differ in the last bit between processors and versions; what these give is
the same everywhere, so that an artifact's bytes are. Errors are a few units in the last place.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

#: ln 2 in two parts, of which the first has so few bits that its product with an exponent is exact.
_LN2_HIGH = 0.693147180369123816490
_LN2_LOW = 1.90821492927058770002e-10


def _polynomial(x: Reals, coefficients: list[float]) -> Reals:
    """Sum of coefficients[k] x^k."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def exp(x: Any) -> Reals:
    """e^x, 0 far below 0 and infinity far above it."""
    x = np.clip(np.asarray(x, dtype=np.float64), -800.0, 800.0)
    halvings = np.rint(x / math.log(2.0))
    rest = (x - halvings * _LN2_HIGH) - halvings * _LN2_LOW
    series = _polynomial(rest, [1.0 / math.factorial(k) for k in range(15)])
    # Two steps, since 2^-1075 on its own is not representable.
    first = (halvings / 2).astype(np.int64)
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(np.ldexp(series, first), halvings.astype(np.int64) - first))


def log(x: Any) -> Reals:
    """The natural logarithm of positive numbers; -infinity for 0."""
    x = np.asarray(x, dtype=np.float64)
    mantissa, exponent = np.frexp(np.where(x > 0, x, 1.0))
    low = mantissa < 0.7071067811865476
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    exponent = (exponent - low).astype(np.float64)
    # log m = 2 atanh z, |z| < 0.172.
    z = np.asarray((mantissa - 1.0) / (mantissa + 1.0))
    square = np.asarray(z * z)
    tail = square * _polynomial(square, [1.0 / (2 * k + 3) for k in range(11)])
    result = exponent * _LN2_HIGH + (2.0 * z + (2.0 * z * tail + exponent * _LN2_LOW))
    return np.where(x > 0, result, -np.inf)


def log1p(x: float) -> float:
    """ln(1 + x) for x >= -1, as exact where x is small; -infinity for -1."""
    whole = 1.0 + x
    # What rounding did to 1 + x it did to the logarithm in proportion.
    return x if whole == 1.0 else float(log(whole)) * (x / (whole - 1.0))


def cos_turns(turns: Any) -> Reals:
    """cos(2 pi turns) for 0 <= turns <= 1."""
    eighths = np.asarray(turns, dtype=np.float64) * 8.0
    octant = np.minimum(np.floor(eighths), 7.0)
    odd = octant % 2.0 == 1.0
    # The distance from the nearest multiple of a quarter turn, in eighths: at most 1.
    part = np.where(odd, octant + 1.0 - eighths, eighths - octant)
    angle = part * (math.pi / 4)
    square = angle * angle
    cosine = _polynomial(square, [(-1.0) ** k / math.factorial(2 * k) for k in range(10)])
    sine = angle * _polynomial(square, [(-1.0) ** k / math.factorial(2 * k + 1) for k in range(10)])
    by_sine = (octant == 1) | (octant == 2) | (octant == 5) | (octant == 6)
    value = np.where(by_sine, sine, cosine)
    negative = (octant >= 2) & (octant <= 5)
    return np.where(negative, -value, value)
