"""Counter-based random numbers for vectors of indices: `hw_models.program.random.at` in vectors of 16 bits.

A 32-bit number is held as two vectors, its halves. The products then cost as much as those of 32-bit lanes,
but shifts by 16 cost nothing and the result needs no narrowing.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit
from numba.extending import intrinsic

from burstchip.backends.sim.code.scratch import scratch
from burstchip.backends.sim.code.vectors import constant
from hw_models.program.random import INDEX_STEP, MIX_1, MIX_2

_INDEX_STEP = np.uint32(INDEX_STEP)


@njit
def index_halves(n):
    """The halves of i * INDEX_STEP for i below `n`, as two int16 arrays, to be released."""
    low, high = scratch(0, n, np.int16), scratch(0, n, np.int16)
    for i in range(n):
        product = np.uint32(np.uint32(i) * _INDEX_STEP)
        low[i] = np.int16(product & np.uint32(0xFFFF))
        high[i] = np.int16(product >> np.uint32(16))
    return low, high


def _multiply_high(builder, a, factor):
    wide = ir.VectorType(ir.IntType(32), a.type.count)
    product = builder.mul(builder.zext(a, wide), constant(wide, factor))
    return builder.trunc(builder.lshr(product, constant(wide, 16)), a.type)


def _multiply_32(builder, low, high, factor):
    """The halves of (high, low) * factor; LLVM drops the half that is not used."""
    factor_low, factor_high = constant(low.type, factor & 0xFFFF), constant(low.type, factor >> 16)
    carried = _multiply_high(builder, low, factor & 0xFFFF)
    upper = builder.add(carried, builder.mul(low, factor_high))
    return builder.mul(low, factor_low), builder.add(upper, builder.mul(high, factor_low))


def _random_halves(builder, key_low, key_high, index_low, index_high):
    llvm = key_low.type
    low = builder.add(key_low, index_low)
    carry = builder.sext(builder.icmp_unsigned("<", low, key_low), llvm)
    high = builder.sub(builder.add(key_high, index_high), carry)
    low = builder.xor(low, high)
    low, high = _multiply_32(builder, low, high, MIX_1)
    fifteen, one = constant(llvm, 15), constant(llvm, 1)
    shifted = builder.or_(builder.lshr(low, fifteen), builder.shl(high, one))
    low, high = builder.xor(low, shifted), builder.xor(high, builder.lshr(high, fifteen))
    low, high = _multiply_32(builder, low, high, MIX_2)
    return builder.xor(low, high), high


@intrinsic
def random_low(typing, key_low, key_high, index_low, index_high):
    """The lower 16 bits of at(key, i), from the halves of the key and of i * INDEX_STEP."""

    def emit(context, builder, signature, arguments):
        return _random_halves(builder, *arguments)[0]

    return key_low(key_low, key_high, index_low, index_high), emit


@intrinsic
def random_7(typing, key_low, key_high, index_low, index_high):
    """The upper 7 bits of at(key, i), from the halves of the key and of i * INDEX_STEP."""

    def emit(context, builder, signature, arguments):
        high = _random_halves(builder, *arguments)[1]
        return builder.lshr(high, constant(high.type, 9))

    return key_low(key_low, key_high, index_low, index_high), emit
