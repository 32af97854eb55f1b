"""The processor's own clock, for use inside compiled loops. Importing this imports numba."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

import platform
import time

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic

#: A stretch longer than this many ticks was interrupted by the system: no part of a loop takes so long.
LONGEST = 400_000


def can_tick() -> bool:
    """Whether programs may read the clock here; elsewhere than on x86-64 that can end them."""
    return platform.machine().lower() in ("x86_64", "amd64")


@intrinsic
def ticks(typing):
    """The clock, in ticks of constant length. Reading it takes some twenty of them."""

    def emit(context, builder, signature, arguments):
        function_type = ir.FunctionType(ir.IntType(64), [])
        name = "llvm.readcyclecounter"
        return builder.call(cgutils.get_or_insert_function(builder.module, function_type, name), [])

    return types.int64(), emit


@njit
def _now():
    return ticks()


@njit(nogil=True)
def _empty_stretches(n, sums, counts):
    before = ticks()
    for _ in range(n):
        now = ticks()
        passed = now - before
        if passed < LONGEST:
            sums[0] += passed
            counts[0] += 1
        before = now


def ticks_per_second(seconds: float = 0.2) -> float:
    """The clock's rate, against the system's."""
    _now()
    first, started = _now(), time.perf_counter()
    time.sleep(seconds)
    last, ended = _now(), time.perf_counter()
    return float((last - first) / (ended - started))


def ticks_of_reading() -> float:
    """What a stretch in which nothing happens is measured to take."""
    sums, counts = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    shortest = np.inf
    for _ in range(20):
        sums[0] = counts[0] = 0
        _empty_stretches(1000, sums, counts)
        shortest = min(shortest, sums[0] / counts[0])
    return float(shortest)
