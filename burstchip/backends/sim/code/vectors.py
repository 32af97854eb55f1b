"""Vectors of 16- and 32-bit integers for use inside numba functions. Importing this imports numba.

Numba vectorises a loop only where LLVM sees how, and leaves up to 63 elements of each row to scalar code. The
learning engines spend their time in rows of some hundred synapses, so they are written in vectors: a load
gives a value of LLVM type `<lanes x iN>`, the operations below work on such values, a store writes one back.
LLVM splits a vector where the machine has shorter ones. `_part` loads and stores touch only the first `count`
lanes; a partial load gives zeros elsewhere. Arrays are C-contiguous, and an index counts elements from the
array's start, whatever its shape.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

_I16 = ir.IntType(16)
_I32 = ir.IntType(32)


class Vector(types.Type):
    """The numba type of a vector of `lanes` integers of `bits` bits."""

    def __init__(self, bits, lanes):
        self.bits, self.lanes = bits, lanes
        super().__init__(name=f"Vector({bits}, {lanes})")

    @property
    def llvm(self):
        """The LLVM type."""
        return ir.VectorType(ir.IntType(self.bits), self.lanes)

    @property
    def suffix(self):
        """The part of an LLVM intrinsic's name that stands for this type."""
        return f"v{self.lanes}i{self.bits}"


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, numba_type):
        super().__init__(manager, numba_type, numba_type.llvm)


def constant(llvm, values):
    """The LLVM constant of one value a lane, or of one value for all."""
    values = values if hasattr(values, "__len__") else [values] * llvm.count
    return ir.Constant(llvm, [ir.Constant(llvm.element, int(value)) for value in values])


def _splat(builder, llvm, scalar):
    nothing = ir.Constant(llvm, ir.Undefined)
    first = builder.insert_element(nothing, scalar, ir.Constant(_I32, 0))
    return builder.shuffle_vector(first, nothing, constant(ir.VectorType(_I32, llvm.count), 0))


def _call(builder, name, result, arguments):
    function_type = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, function_type, name), arguments)


# --- loads, stores, constants -----------------------------------------------------------------------------


def _pointer(context, builder, array_type, arguments, llvm):
    array, index = arguments[:2]
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), llvm.as_pointer())


def _first_lanes(builder, count, lanes):
    llvm = ir.VectorType(_I32, lanes)
    count = _splat(builder, llvm, builder.trunc(count, _I32))
    return builder.icmp_signed("<", constant(llvm, range(lanes)), count)


@intrinsic(prefer_literal=True)
def load(typing, array, index, lanes):
    """`lanes` elements of an array of 16- or 32-bit integers from flat index `index`."""
    vector = Vector(array.dtype.bitwidth, lanes.literal_value)

    def emit(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], arguments, vector.llvm)
        return builder.load(pointer, align=vector.bits // 8)

    return vector(array, types.intp, lanes), emit


@intrinsic(prefer_literal=True)
def load_part(typing, array, index, count, lanes):
    """The first `count` elements from `index`, zeros in the other lanes."""
    vector = Vector(array.dtype.bitwidth, lanes.literal_value)

    def emit(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], arguments, vector.llvm)
        mask = _first_lanes(builder, arguments[2], vector.lanes)
        rest = constant(vector.llvm, 0)
        name = f"llvm.masked.load.{vector.suffix}.p0"
        return _call(builder, name, vector.llvm, [pointer, ir.Constant(_I32, vector.bits // 8), mask, rest])

    return vector(array, types.intp, types.intp, lanes), emit


@intrinsic
def store(typing, array, index, value):
    """Write all lanes to the elements from `index`."""

    def emit(context, builder, signature, arguments):
        vector = signature.args[2]
        pointer = _pointer(context, builder, signature.args[0], arguments, vector.llvm)
        builder.store(arguments[2], pointer, align=vector.bits // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), emit


@intrinsic
def store_part(typing, array, index, value, count):
    """Write the first `count` lanes to the elements from `index`."""

    def emit(context, builder, signature, arguments):
        vector = signature.args[2]
        pointer = _pointer(context, builder, signature.args[0], arguments, vector.llvm)
        mask = _first_lanes(builder, arguments[3], vector.lanes)
        name = f"llvm.masked.store.{vector.suffix}.p0"
        alignment = ir.Constant(_I32, vector.bits // 8)
        _call(builder, name, ir.VoidType(), [arguments[2], pointer, alignment, mask])
        return context.get_dummy_value()

    return types.void(array, types.intp, value, types.intp), emit


@intrinsic(prefer_literal=True)
def splat(typing, scalar, bits, lanes):
    """A vector of `lanes` times the lowest `bits` bits of an integer."""
    vector = Vector(bits.literal_value, lanes.literal_value)
    kept = {16: types.int16, 32: types.int32}[vector.bits]

    def emit(context, builder, signature, arguments):
        value = context.cast(builder, arguments[0], signature.args[0], kept)
        return _splat(builder, vector.llvm, value)

    return vector(types.unliteral(scalar), bits, lanes), emit


# --- operations -------------------------------------------------------------------------------------------


def _binary(name, emit_lanes, doc):
    def operation(typing, a, b):
        if not isinstance(a, Vector) or a != b:
            return None

        def emit(context, builder, signature, arguments):
            return emit_lanes(builder, signature.return_type, *arguments)

        return a(a, b), emit

    operation.__name__, operation.__doc__ = name, doc
    return intrinsic(operation)


def _by_constant(name, emit_lanes, doc):
    def operation(typing, a, literal):
        if not isinstance(a, Vector):
            return None
        value = literal.literal_value

        def emit(context, builder, signature, arguments):
            return emit_lanes(builder, arguments[0], constant(arguments[0].type, value))

        return a(a, literal), emit

    operation.__name__, operation.__doc__ = name, doc
    return intrinsic(prefer_literal=True)(operation)


def _named(name):
    return lambda builder, vector, a, b: _call(builder, f"{name}.{vector.suffix}", vector.llvm, [a, b])


add = _binary("add", lambda builder, _, a, b: builder.add(a, b), "a + b, wraps.")
mul = _binary("mul", lambda builder, _, a, b: builder.mul(a, b), "a * b, wraps.")
shift_right = _binary("shift_right", lambda builder, _, a, b: builder.ashr(a, b), "floor(a / 2^b).")
shift_left = _binary("shift_left", lambda builder, _, a, b: builder.shl(a, b), "a * 2^b, wraps.")
bit_and = _binary("bit_and", lambda builder, _, a, b: builder.and_(a, b), "a & b.")
add_saturate = _binary("add_saturate", _named("llvm.sadd.sat"), "a + b, saturating at the type's range.")
at_least = _binary("at_least", _named("llvm.smax"), "The greater of a and b.")
at_most = _binary("at_most", _named("llvm.smin"), "The lesser of a and b.")

add_by = _by_constant("add_by", lambda builder, a, b: builder.add(a, b), "a + constant, wraps.")
mul_by = _by_constant("mul_by", lambda builder, a, b: builder.mul(a, b), "a * constant, wraps.")
shift_right_by = _by_constant("shift_right_by", lambda builder, a, b: builder.ashr(a, b), "floor(a / 2^c).")
shift_left_by = _by_constant("shift_left_by", lambda builder, a, b: builder.shl(a, b), "a * 2^c, wraps.")
bit_and_by = _by_constant("bit_and_by", lambda builder, a, b: builder.and_(a, b), "a & constant.")
at_least_by = _by_constant(
    "at_least_by",
    lambda builder, a, b: builder.select(builder.icmp_signed(">", a, b), a, b),
    "The greater of a and a constant.",
)
at_most_by = _by_constant(
    "at_most_by",
    lambda builder, a, b: builder.select(builder.icmp_signed("<", a, b), a, b),
    "The lesser of a and a constant.",
)


@intrinsic
def add_where_less(typing, value, a, b):
    """`value + (a < b)`."""

    def emit(context, builder, signature, arguments):
        value, a, b = arguments
        return builder.sub(value, builder.sext(builder.icmp_signed("<", a, b), value.type))

    return value(value, a, b), emit


@intrinsic
def widen(typing, value):
    """16-bit lanes as 32-bit lanes."""
    wide = Vector(32, value.lanes)
    return wide(value), lambda context, builder, _, arguments: builder.sext(arguments[0], wide.llvm)


@intrinsic
def narrow(typing, value):
    """The lower 16 bits of 32-bit lanes."""
    half = Vector(16, value.lanes)
    return half(value), lambda context, builder, _, arguments: builder.trunc(arguments[0], half.llvm)


@intrinsic
def lowest_lane(typing, value):
    """The least element, as an int16."""

    def emit(context, builder, signature, arguments):
        name = f"llvm.vector.reduce.smin.{signature.args[0].suffix}"
        return _call(builder, name, _I16, list(arguments))

    return types.int16(value), emit
