"""The loop over the steps of a run: it calls units through their addresses and is compiled once for all."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from burstchip.backends.sim.code.clock import turn
from burstchip.backends.sim.code.frame import call

Words = NDArray[np.int64]


@njit(nogil=True, cache=True, error_model="numpy")
def run(
    now: Words,
    address: int,
    begin: int,
    last: int,
    functions: Words,
    frames: Words,
    gates: Words,
    periods: Words,
    ahead: Words,
    periodic: NDArray[np.uint8],
    flags: Words,
) -> None:
    """Run steps `begin` to `last` - 1; `address` is where `now` lies.

    In step n, call k takes part if its gate is open and n + ahead[k] is a multiple of periods[k].
    """
    for n in range(begin, last):
        turn(now, n, periodic, flags)
        for k in range(len(functions)):
            due = periods[k] == 1 or (n + ahead[k]) % periods[k] == 0
            if due and now[gates[k]] != 0:
                call(functions[k], address, frames[k])
