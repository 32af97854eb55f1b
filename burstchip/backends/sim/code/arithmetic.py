"""Integer arithmetic that compiled loops share. Importing this imports numba."""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import intrinsic


@intrinsic  # type: ignore[misc]
def shl(typing_context, value, amount):  # type: ignore[no-untyped-def]
    """value << amount of int32, 0 <= amount < 32, kept in 32 bits (numba itself would widen to 64)."""
    return types.int32(types.int32, types.int32), lambda _, builder, __, arguments: builder.shl(*arguments)


@intrinsic  # type: ignore[misc]
def sar(typing_context, value, amount):  # type: ignore[no-untyped-def]
    """floor(value / 2^amount) of int32, 0 <= amount < 32, kept in 32 bits."""
    return types.int32(types.int32, types.int32), lambda _, builder, __, arguments: builder.ashr(*arguments)


@intrinsic  # type: ignore[misc]
def mul32(typing_context, a, b):  # type: ignore[no-untyped-def]
    """a * b of int32 whose product fits 32 bits."""
    return types.int32(types.int32, types.int32), lambda _, builder, __, arguments: builder.mul(*arguments)


@intrinsic  # type: ignore[misc]
def add32(typing_context, a, b):  # type: ignore[no-untyped-def]
    """a + b of int32, kept in 32 bits, wraps."""
    return types.int32(types.int32, types.int32), lambda _, builder, __, arguments: builder.add(*arguments)


@intrinsic  # type: ignore[misc]
def or32(typing_context, a, b):  # type: ignore[no-untyped-def]
    """a | b of int32, kept in 32 bits."""
    return types.int32(types.int32, types.int32), lambda _, builder, __, arguments: builder.or_(*arguments)


@intrinsic  # type: ignore[misc]
def shr(typing_context, value, amount):  # type: ignore[no-untyped-def]
    """floor(value / 2^amount) of the 32 bits of value, taken without a sign, 0 <= amount < 32."""
    return types.int32(types.int32, types.int32), lambda _, builder, __, arguments: builder.lshr(*arguments)


@intrinsic  # type: ignore[misc]
def above_tag(typing_context, stored):  # type: ignore[no-untyped-def]
    """(stored + 128) >> 8 of an int16 up to 32639, kept in 16 bits: the 8-bit weight above an 8-bit tag."""

    def generate(_, builder, __, arguments):  # type: ignore[no-untyped-def]
        half = arguments[0].type(128)
        return builder.ashr(builder.add(arguments[0], half), arguments[0].type(8))

    return types.int16(types.int16), generate


@njit(inline="always")
def signed32(magnitude, value):  # type: ignore[no-untyped-def]
    """A magnitude of int32 with the sign of another int32."""
    return np.int32(-magnitude) if value < 0 else magnitude


@njit
def interpolated(table, x):  # type: ignore[no-untyped-def]
    """`numpy.interp` of one real number between a table's entries; beyond its ends, those."""
    if not x > 0.0:
        return np.float64(table[0]) if x <= 0.0 else x
    last = table.shape[0] - 1
    if x >= last:
        return np.float64(table[last])
    before = np.int64(x)
    return np.float64(table[before + 1] - table[before]) * (x - before) + np.float64(table[before])
