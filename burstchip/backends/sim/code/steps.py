"""The loop over the steps of a run: a unit that calls the others through their addresses.

Its frame: the first step and the one after the last, the address of the words that units share, then the
arrays of `link.Linked`, those of the signals that repeat, and the flags that these set.
"""

# mypy: disable-error-code="untyped-decorator, no-untyped-def"

from __future__ import annotations

import numpy as np
from numba import cfunc

from burstchip.backends.sim.code.clock import turn
from burstchip.backends.sim.code.frame import UNIT, array, call, word
from burstchip.backends.sim.code.subnormals import restore, without_subnormals


@cfunc(UNIT, error_model="numpy")
def unit(address, frame):
    """Take the steps: call k takes part in step n if its gate is open and n + ahead[k] is due."""
    now = array(frame, 2, np.int64, 1)
    functions, frames = array(frame, 4, np.int64, 1), array(frame, 6, np.int64, 1)
    gates, periods = array(frame, 8, np.int64, 1), array(frame, 10, np.int64, 1)
    ahead = array(frame, 12, np.int64, 1)
    periodic, flags = array(frame, 14, np.uint8, 2), array(frame, 17, np.int64, 1)
    mode = without_subnormals()
    for n in range(word(frame, 0), word(frame, 1)):
        turn(now, n, periodic, flags)
        for k in range(len(functions)):
            due = periods[k] == 1 or (n + ahead[k]) % periods[k] == 0
            if due and now[gates[k]] != 0:
                call(functions[k], address, frames[k])
    restore(mode)
