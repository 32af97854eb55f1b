"""Arrays that live for one call of a compiled function. Importing this imports numba.

They are the system's memory, not Python's: so that a unit's machine code needs nothing of numba's runtime,
and a process that finds it in the cache can go without numba. What is taken is released in the same call.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from burstchip.backends.sim.code.frame import contiguous

_BYTES = ir.IntType(8).as_pointer()
_COUNT = ir.IntType(64)


def _declared(builder, name, result, arguments):
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)


@intrinsic(prefer_literal=True)
def scratch(typing, rows, columns, dtype):
    """Zeros of a dtype, C-contiguous: [columns] where `rows` is the literal 0, else [rows, columns]."""
    flat = isinstance(rows, types.IntegerLiteral) and rows.literal_value == 0
    kind = types.Array(dtype.dtype, 1 if flat else 2, "C")

    def emit(context, builder, signature, arguments):
        lengths = arguments[1:2] if flat else arguments[:2]
        shape = [builder.sext(it, _COUNT) if it.type.width < _COUNT.width else it for it in lengths]
        itemsize = ir.Constant(_COUNT, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        count = shape[0] if flat else builder.mul(*shape)
        memory = builder.call(_declared(builder, "calloc", _BYTES, [_COUNT, _COUNT]), [count, itemsize])
        return contiguous(context, builder, kind, memory, shape)

    return kind(rows, columns, dtype), emit


@intrinsic
def release(typing, taken):
    """Give back what `scratch` gave, which must not be used any more."""

    def emit(context, builder, signature, arguments):
        data = context.make_array(taken)(context, builder, arguments[0]).data
        memory = builder.bitcast(data, _BYTES)
        builder.call(_declared(builder, "free", ir.VoidType(), [_BYTES]), [memory])
        return context.get_dummy_value()

    return types.void(taken), emit


@intrinsic(prefer_literal=True)
def local(typing, length, dtype):
    """An array of a literal length on the function's stack, of any values; it is not released."""
    kind = types.Array(dtype.dtype, 1, "C")

    def emit(context, builder, signature, arguments):
        count = ir.Constant(_COUNT, length.literal_value)
        memory = cgutils.alloca_once(builder, context.get_data_type(kind.dtype), size=count)
        return contiguous(context, builder, kind, memory, [count])

    return kind(length, dtype), emit
