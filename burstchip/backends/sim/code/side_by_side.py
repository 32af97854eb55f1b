"""The loop over the steps of a run for one of several threads, each with the calls of some populations.

A step has three stages (`unit.Kernel`): messages arrive, neurons and sources emit, synapses learn. All
threads meet before and after the second, so that none reads a list of events while it is written. What one
thread does it does in the order in which a single one would, so the results are the same.

Its frame: that of `code.steps`, where the calls of each stage begin, the number of threads, and the words
they meet at.
"""

# mypy: disable-error-code="untyped-decorator, no-untyped-def"

from __future__ import annotations

import numpy as np
from numba import cfunc

from burstchip.backends.sim.code.clock import turn
from burstchip.backends.sim.code.frame import UNIT, array, call, word
from burstchip.backends.sim.code.meeting import meet
from burstchip.backends.sim.code.subnormals import restore, without_subnormals


@cfunc(UNIT, error_model="numpy")
def unit(address, frame):
    """Take the steps, as `code.steps.unit` does."""
    now = array(frame, 2, np.int64, 1)
    functions, frames = array(frame, 4, np.int64, 1), array(frame, 6, np.int64, 1)
    gates, periods = array(frame, 8, np.int64, 1), array(frame, 10, np.int64, 1)
    ahead = array(frame, 12, np.int64, 1)
    periodic, flags = array(frame, 14, np.uint8, 2), array(frame, 17, np.int64, 1)
    # Where the calls of each stage begin, and where the last one's end.
    begins, threads, arrived = array(frame, 19, np.int64, 1), word(frame, 21), array(frame, 22, np.int64, 1)
    met = 0
    mode = without_subnormals()
    for n in range(word(frame, 0), word(frame, 1)):
        turn(now, n, periodic, flags)
        for stage in range(3):
            for k in range(begins[stage], begins[stage + 1]):
                due = periods[k] == 1 or (n + ahead[k]) % periods[k] == 0
                if due and now[gates[k]] != 0:
                    call(functions[k], address, frames[k])
            if stage < 2:
                met += threads
                meet(arrived, met)
    restore(mode)
