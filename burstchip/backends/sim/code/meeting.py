"""How threads of compiled code wait for each other. Importing this imports numba."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

import sys

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_OFFER = "SwitchToThread" if sys.platform == "win32" else "sched_yield"
#: Looks at the other threads before the processor is offered to them: some microseconds.
PATIENCE = 4000


def _first(context, builder, kind, value):
    return context.make_array(kind)(context, builder, value).data


@intrinsic
def _add_one(typing, words):
    """Add 1 to the first word, seen by all threads behind everything that was written before."""

    def emit(context, builder, signature, arguments):
        place = _first(context, builder, signature.args[0], arguments[0])
        builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "acq_rel")
        return context.get_dummy_value()

    return types.void(words), emit


@intrinsic
def _seen(typing, words):
    """The first word, read before everything that follows."""

    def emit(context, builder, signature, arguments):
        place = _first(context, builder, signature.args[0], arguments[0])
        return builder.load_atomic(place, "acquire", 8)

    return types.int64(words), emit


@intrinsic
def _offer(typing):
    """Let another thread have the processor."""

    def emit(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, _OFFER), [])
        return context.get_dummy_value()

    return types.void(), emit


@njit
def meet(arrived, all_of_them):
    """Count oneself in, and wait until `all_of_them` have been."""
    _add_one(arrived)
    looks = 0
    while _seen(arrived) < all_of_them:
        looks += 1
        if looks > PATIENCE:
            _offer()
