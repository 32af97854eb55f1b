"""How a step sets the words that all of its units share, and the signals that repeat with the clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.code.loop import loop
from burstchip.backends.sim.code.words import (
    ALWAYS,
    BEGIN,
    CLOCK,
    FIRST,
    LEAD,
    NEURONS,
    SOURCES,
    N,
)


@loop
def turn(now: NDArray[np.int64], n: int, periodic: NDArray[np.uint8], flags: NDArray[np.int64]) -> None:
    """Set the words to step `n`, and each flag to what its signal is in the step: a row of `periodic`.

    In the steps before FIRST, which lead into a task, neurons do not change and sources run only in the last.
    """
    now[N] = n
    now[CLOCK] = n + now[LEAD]
    now[ALWAYS] = 1
    now[NEURONS] = 1 if n >= now[FIRST] else 0
    now[SOURCES] = 1 if n >= now[FIRST] - now[LEAD] else 0
    row = n - now[BEGIN]
    for k in range(periodic.shape[1]):
        flags[k] = periodic[row, k]
