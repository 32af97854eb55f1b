"""The functions of `hw_models.program.functions` for use inside compiled loops, in float64 and float32.

They have neither calls nor branches, so that LLVM keeps a loop with them in the processor's vectors; the
functions of a library would take it apart. Names with 32 are those of float32. Importing this imports numba.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic


def _reinterpreted(given, wanted, kind):
    @intrinsic
    def reinterpret(typing, value):
        """A number with the same bits."""
        return wanted(given), lambda _, builder, __, arguments: builder.bitcast(arguments[0], kind)

    return reinterpret


bits_of = _reinterpreted(types.float64, types.int64, ir.IntType(64))
_of_bits = _reinterpreted(types.int64, types.float64, ir.DoubleType())
_bits32 = _reinterpreted(types.float32, types.int32, ir.IntType(32))
_of_bits32 = _reinterpreted(types.int32, types.float32, ir.FloatType())

#: ln 2 in two parts, of which the first has so few bits that its product with an exponent is exact.
_LN2_HIGH = 0.693147180369123816490
_LN2_LOW = 1.90821492927058770002e-10
#: Numbers of this size have whole numbers for their last bits: adding one rounds to nearest.
_TO_WHOLE = 6755399441055744.0

_f32 = np.float32
_LN2_HIGH32 = _f32(0.693359375)
_LN2_LOW32 = _f32(-2.12194440e-4)
_TO_WHOLE32 = _f32(12582912.0)


@njit(inline="always")
def exp(x):
    """e^x within 1e-15 of it for x between -708 and 709, beyond these theirs; of no number, no number.

    e^x = 2^n e^r with |r| <= ln 2 / 2, e^r by its series.
    """
    inside = -708.0 if x < -708.0 else x
    inside = 709.0 if inside > 709.0 else inside
    shifted = inside * 1.4426950408889634 + _TO_WHOLE
    n = shifted - _TO_WHOLE
    r = (inside - n * _LN2_HIGH) - n * _LN2_LOW
    series = 1.0 / 479001600.0
    series = series * r + 1.0 / 39916800.0
    series = series * r + 1.0 / 3628800.0
    series = series * r + 1.0 / 362880.0
    series = series * r + 1.0 / 40320.0
    series = series * r + 1.0 / 5040.0
    series = series * r + 1.0 / 720.0
    series = series * r + 1.0 / 120.0
    series = series * r + 1.0 / 24.0
    series = series * r + 1.0 / 6.0
    series = series * r + 0.5
    series = series * r + 1.0
    series = series * r + 1.0
    # n lies in the last bits of `shifted`; those above it leave the word.
    return _of_bits(bits_of(series) + (bits_of(shifted) << np.int64(52)))


@njit(inline="always")
def exp32(x):
    """The same within 2e-7, for x between -87 and 88."""
    inside = _f32(-87.0) if x < _f32(-87.0) else x
    inside = _f32(88.0) if inside > _f32(88.0) else inside
    shifted = inside * _f32(1.4426950408889634) + _TO_WHOLE32
    n = shifted - _TO_WHOLE32
    r = (inside - n * _LN2_HIGH32) - n * _LN2_LOW32
    # In pairs, so that few operations have to wait for one another.
    square = r * r
    low = (_f32(1.0) + r) + square * (_f32(0.5) + r * _f32(1.0 / 6.0))
    high = (_f32(1.0 / 24.0) + r * _f32(1.0 / 120.0)) + square * (_f32(1.0 / 720.0) + r * _f32(1.0 / 5040.0))
    series = low + (square * square) * high
    return _of_bits32(np.int32(_bits32(series) + np.int32(_bits32(shifted) << np.int32(23))))


@njit(inline="always")
def power_of_two(n):
    """2^n of a whole number between -1022 and 1023."""
    return _of_bits((np.int64(n) + np.int64(1023)) << np.int64(52))


@njit(inline="always")
def power_of_two32(n):
    """The same in float32, between -126 and 127."""
    return _of_bits32(np.int32(np.int32(np.int32(n) + np.int32(127)) << np.int32(23)))


def _of_exp(e_to, number):
    zero, one, two = number(0.0), number(1.0), number(2.0)

    @njit(inline="always")
    def sigmoid(x):
        """1 / (1 + e^-x)."""
        return one / (one + e_to(-x))

    @njit(inline="always")
    def tanh(x):
        """(e^x - e^-x) / (e^x + e^-x)."""
        decayed = e_to(-two * abs(x))
        magnitude = (one - decayed) / (one + decayed)
        return -magnitude if x < zero else magnitude

    @njit(inline="always")
    def inverse(x):
        """-1 / (1 + x), and x - 1 below x = 0."""
        negative = x if x < zero else zero
        positive = x if x > zero else zero
        return negative - one / (one + positive)

    return sigmoid, tanh, inverse


sigmoid, tanh, inverse = _of_exp(exp, np.float64)
sigmoid32, tanh32, inverse32 = _of_exp(exp32, np.float32)
