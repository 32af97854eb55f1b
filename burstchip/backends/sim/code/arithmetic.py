"""Integer arithmetic that compiled loops share. Importing this imports numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic


def _on_words(instruction: str, doc: str) -> Any:
    """One of LLVM's instructions on two int32, kept in 32 bits; numba itself would widen to 64."""

    def operation(typing_context, a, b):  # type: ignore[no-untyped-def]
        def emit(_, builder, __, arguments):  # type: ignore[no-untyped-def]
            return getattr(builder, instruction)(*arguments)

        return types.int32(types.int32, types.int32), emit

    operation.__name__, operation.__doc__ = instruction, doc
    return intrinsic(operation)


shl = _on_words("shl", "a << b, 0 <= b < 32.")
sar = _on_words("ashr", "floor(a / 2^b), 0 <= b < 32.")
shr = _on_words("lshr", "floor(a / 2^b) of the 32 bits of a, taken without a sign, 0 <= b < 32.")
mul32 = _on_words("mul", "The lower 32 bits of a * b.")
add32 = _on_words("add", "a + b, wraps.")
or32 = _on_words("or_", "a | b.")


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
