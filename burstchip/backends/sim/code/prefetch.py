"""Hints that bring a row of synapses into the first cache before it is needed. This imports numba.

The rows of the neurons that emit lie anywhere in memory, so that the processor cannot guess which comes
next; the list of events knows.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic

_FLAG = ir.IntType(32)
#: Bytes of a cache line.
LINE = 64


@intrinsic
def _fetch(typing, array, index):
    """Ask for the cache line that holds element `index` of a one-dimensional array."""

    def emit(context, builder, signature, arguments):
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.bitcast(builder.gep(made.data, [arguments[1]]), cgutils.voidptr_t)
        kind = ir.FunctionType(ir.VoidType(), [place.type, _FLAG, _FLAG, _FLAG])
        hint = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        # To be read, kept in all caches, as data.
        builder.call(hint, [place, *(ir.Constant(_FLAG, value) for value in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, types.intp), emit


@njit(inline="always")
def fetch(array, first, last):
    """Ask for elements `first` to `last` - 1; nothing but time depends on it."""
    for k in range(first, last, LINE // array.itemsize):
        _fetch(array, k)
