"""How a step sets the words that all of its units share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.code.loop import loop
from burstchip.backends.sim.code.words import (
    ALWAYS,
    CLOCK,
    CONSOLIDATE,
    CONSOLIDATE_EVERY,
    FIRST,
    FIRST_SAMPLE,
    LAST,
    LEAD,
    NEURONS,
    PLASTIC,
    PRESENT,
    RECORDING,
    RECORDS,
    RESET,
    SAMPLE,
    SOURCE_RESET,
    SOURCES,
    TEACH_AFTER,
    N,
)


@loop
def turn(now: NDArray[np.int64], n: int) -> None:
    """Set the words to step `n`.

    In the steps before FIRST, which lead into a task, neurons stand still and sources run only in the last.
    """
    present, every = now[PRESENT], now[CONSOLIDATE_EVERY]
    now[N] = n
    now[CLOCK] = n + now[LEAD]
    now[ALWAYS] = 1
    now[NEURONS] = 1 if n >= now[FIRST] else 0
    now[SOURCES] = 1 if n >= now[FIRST] - now[LEAD] else 0
    now[RECORDS] = 1 if now[RECORDING] != 0 and n >= now[FIRST] else 0
    if present == 0:
        now[RESET] = 1 if n == 0 else 0
        now[SOURCE_RESET] = now[RESET]
        now[LAST] = 0
        now[PLASTIC] = 1
        now[CONSOLIDATE] = 1 if every != 0 and (n + 1) % every == 0 else 0
        return
    t = n % present
    now[SAMPLE] = n // present - now[FIRST_SAMPLE]
    now[RESET] = 1 if t == 0 else 0
    now[SOURCE_RESET] = 1 if now[CLOCK] % present == 0 else 0
    now[LAST] = 1 if t == present - 1 else 0
    now[PLASTIC] = 1 if t >= now[TEACH_AFTER] and n >= now[FIRST] else 0
    now[CONSOLIDATE] = (
        1 if now[LAST] != 0 and every != 0 and (n // present + 1) % (every // present) == 0 else 0
    )
