"""Subnormal numbers count as 0 in a loop: processors take up to a hundred times as long for them.

A trace that decays in a neuron which stays silent comes below 1e-38 in float32 within seconds; so would all
conductances of a quiet network. Importing this imports numba.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

from platform import machine

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

_WORD, _LONG = ir.IntType(32), ir.IntType(64)
_BYTES = ir.IntType(8).as_pointer()
#: In x86's MXCSR: results that small are 0, and operands too.
_X86 = 1 << 15 | 1 << 6
#: In Arm's FPCR, both.
_ARM = 1 << 24
_IS_X86, _IS_ARM = machine() in ("x86_64", "AMD64"), machine() in ("aarch64", "arm64")


def _function(builder, name, result, arguments):
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)


def _read(builder):
    """The processor's mode of arithmetic on real numbers, 0 where it is not known how to set it."""
    if _IS_X86:
        place = cgutils.alloca_once(builder, _WORD)
        store = _function(builder, "llvm.x86.sse.stmxcsr", ir.VoidType(), [_BYTES])
        builder.call(store, [builder.bitcast(place, _BYTES)])
        return builder.zext(builder.load(place), _LONG)
    if _IS_ARM:
        return builder.call(_function(builder, "llvm.aarch64.get.fpcr", _LONG, []), [])
    return ir.Constant(_LONG, 0)


def _write(builder, mode):
    if _IS_X86:
        place = cgutils.alloca_once(builder, _WORD)
        builder.store(builder.trunc(mode, _WORD), place)
        load = _function(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), [_BYTES])
        builder.call(load, [builder.bitcast(place, _BYTES)])
    elif _IS_ARM:
        builder.call(_function(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), [_LONG]), [mode])


@intrinsic
def without_subnormals(typing):
    """From now on they are 0 in this thread; the mode before."""

    def emit(context, builder, signature, arguments):
        before = _read(builder)
        _write(builder, builder.or_(before, ir.Constant(_LONG, _X86 if _IS_X86 else _ARM)))
        return before

    return types.int64(), emit


@intrinsic
def restore(typing, mode):
    """Back to a mode that `without_subnormals` gave."""

    def emit(context, builder, signature, arguments):
        _write(builder, arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64), emit
