"""Lists of the neurons that emit."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from burstchip.backends.sim.code.loop import longest_vectors, loop

Numbers = NDArray[Any]
Places = NDArray[np.int32]

#: Most neurons are silent in most steps: so many are looked at together, in vectors.
_BLOCK = 64
_WORD = ir.IntType(_BLOCK)


@intrinsic
def _set_bits(typing, flags, first):
    """An int64 whose bit k is set where the flag `first` + k is not 0."""

    def emit(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        element = context.get_data_type(signature.args[0].dtype)
        vector = ir.VectorType(element, _BLOCK)
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), vector.as_pointer())
        values = builder.load(place, align=signature.args[0].dtype.bitwidth // 8)
        zeros = ir.Constant(vector, [ir.Constant(element, 0)] * _BLOCK)
        real = isinstance(signature.args[0].dtype, types.Float)
        compared = builder.fcmp_unordered if real else builder.icmp_signed
        return builder.bitcast(compared("!=", values, zeros), _WORD)

    return types.int64(flags, types.intp), emit


@intrinsic
def _count(typing, bits):
    """How many bits are set."""

    def emit(context, builder, signature, arguments):
        counted = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_WORD, [_WORD]), f"llvm.ctpop.i{_BLOCK}"
        )
        return builder.call(counted, arguments)

    return types.int64(types.int64), emit


@intrinsic
def _lowest(typing, bits):
    """The number of the lowest bit that is set."""

    def emit(context, builder, signature, arguments):
        kind = ir.FunctionType(_WORD, [_WORD, ir.IntType(1)])
        zeros_below = cgutils.get_or_insert_function(builder.module, kind, f"llvm.cttz.i{_BLOCK}")
        return builder.call(zeros_below, [arguments[0], ir.Constant(ir.IntType(1), 1)])

    return types.int64(types.int64), emit


@loop
def listed(flags: Numbers, n: int, events: Places) -> int:
    """Write the indices of the non-zero entries to `events`, return how many there are."""
    longest_vectors()
    count = 0
    for first in range(0, n - n % _BLOCK, _BLOCK):
        bits = _set_bits(flags, first)
        while bits != 0:
            events[count] = first + _lowest(bits)
            bits &= bits - 1
            count += 1
    for i in range(n - n % _BLOCK, n):
        events[count] = i
        count += 1 if flags[i] != 0 else 0
    return count


@loop
def listed_among(flags: Numbers, among: Places, count_among: int, events: Places) -> int:
    """The same, where only the neurons listed in `among`, in rising order, may have set their flag."""
    count = 0
    for k in range(count_among):
        i = among[k]
        events[count] = i
        count += 1 if flags[i] != 0 else 0
    return count


@loop
def count_flags(flags: Numbers, size: int) -> int:
    """How many of the first entries are set."""
    longest_vectors()
    total = 0
    for first in range(0, size - size % _BLOCK, _BLOCK):
        total += _count(_set_bits(flags, first))
    for k in range(size - size % _BLOCK, size):
        total += 1 if flags[k] != 0 else 0
    return total


@loop
def set_listed(value: Numbers, spikes: NDArray[np.int64], place: NDArray[np.int64], clock: int) -> None:
    """The message of each neuron that `spikes` (step, neuron, message) lists for step `clock`, else 0.

    `place` is that of the next one.
    """
    value[:] = 0
    while place[0] < spikes.shape[0] and spikes[place[0], 0] <= clock:
        if spikes[place[0], 0] == clock:
            value[spikes[place[0], 1]] = spikes[place[0], 2]
        place[0] += 1


@loop
def best_of(count: Numbers, v: Numbers, n: int) -> int:
    """The neuron with most events, the potential v deciding between equal counts, the lowest index then."""
    best = 0
    for i in range(1, n):
        if count[i] > count[best] or (count[i] == count[best] and v[i] > v[best]):
            best = i
    return best
