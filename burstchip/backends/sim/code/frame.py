"""How a unit gets what it works on: from a row of 64-bit words, its frame. Importing this imports numba.

A unit is a compiled function `void(now, frame)` of two addresses. `now` holds what all units of a step share
(see `words`), `frame` what is this call's own: a number is one word, an array the address of its data and its
length in each dimension. So the loop that calls the units knows nothing of their arguments.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np import arrayobj

_WORD = ir.IntType(64)
#: The type of every unit.
UNIT = "void(intp, intp)"


def _load(builder, base, place, kind=_WORD):
    pointer = builder.inttoptr(base, kind.as_pointer())
    return builder.load(builder.gep(pointer, [ir.Constant(_WORD, place)]))


def contiguous(context, builder, kind, pointer, shape):
    """The C-contiguous array of type `kind` at a pointer, without a count of references."""
    itemsize = ir.Constant(_WORD, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    strides = [itemsize]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    made = context.make_array(kind)(context, builder)
    data = builder.bitcast(pointer, made.data.type)
    arrayobj.populate_array(made, data=data, shape=shape, strides=strides, itemsize=itemsize, meminfo=None)
    return made._getvalue()


@intrinsic(prefer_literal=True)
def word(typing, base, place):
    """The integer in word `place`, a literal."""

    def emit(context, builder, signature, arguments):
        return _load(builder, arguments[0], place.literal_value)

    return types.int64(types.intp, place), emit


@intrinsic(prefer_literal=True)
def real(typing, base, place):
    """The float64 in word `place`, a literal."""

    def emit(context, builder, signature, arguments):
        return _load(builder, arguments[0], place.literal_value, ir.DoubleType())

    return types.float64(types.intp, place), emit


@intrinsic(prefer_literal=True)
def array(typing, base, place, dtype, dimensions):
    """The C-contiguous array whose address and shape begin at word `place`; all but `base` are literals."""
    kind = types.Array(dtype.dtype, dimensions.literal_value, "C")

    def emit(context, builder, signature, arguments):
        first = place.literal_value
        pointer = builder.inttoptr(_load(builder, arguments[0], first), _WORD.as_pointer())
        shape = [_load(builder, arguments[0], first + 1 + axis) for axis in range(kind.ndim)]
        return contiguous(context, builder, kind, pointer, shape)

    return kind(types.intp, place, dtype, dimensions), emit


@intrinsic
def flat(typing, rows):
    """The entries of a C-contiguous [n, m], one after the other."""
    kind = types.Array(rows.dtype, 1, "C")

    def emit(context, builder, signature, arguments):
        given = context.make_array(rows)(context, builder, arguments[0])
        length = builder.mul(*cgutils.unpack_tuple(builder, given.shape, 2))
        return contiguous(context, builder, kind, given.data, [length])

    return kind(rows), emit


@intrinsic
def call(typing, function, now, frame):
    """Call the unit at address `function`."""

    def emit(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [_WORD, _WORD])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), emit
