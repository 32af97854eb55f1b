"""Lists of the neurons that emit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.code.loop import loop

Numbers = NDArray[Any]
Places = NDArray[np.int32]

#: Most neurons are silent in most steps: so many are looked at together, in vectors.
_BLOCK = 64


@loop
def listed(flags: Numbers, n: int, events: Places) -> int:
    """Write the indices of the non-zero entries to `events`, return how many there are."""
    count = 0
    for first in range(0, n - n % _BLOCK, _BLOCK):
        any_set = 0
        for k in range(_BLOCK):
            any_set |= 1 if flags[first + k] != 0 else 0
        if any_set:
            for i in range(first, first + _BLOCK):
                events[count] = i
                count += 1 if flags[i] != 0 else 0
    for i in range(n - n % _BLOCK, n):
        events[count] = i
        count += 1 if flags[i] != 0 else 0
    return count


@loop
def listed_among(flags: Numbers, among: Places, count_among: int, events: Places) -> int:
    """The same, where only the neurons listed in `among`, in rising order, may have set their flag."""
    count = 0
    for k in range(count_among):
        i = among[k]
        events[count] = i
        count += 1 if flags[i] != 0 else 0
    return count


@loop
def count_flags(flags: Numbers, size: int) -> int:
    """How many of the first entries are set."""
    total = 0
    for k in range(size):
        total += 1 if flags[k] != 0 else 0
    return total


@loop
def set_listed(value: Numbers, spikes: NDArray[np.int64], place: NDArray[np.int64], clock: int) -> None:
    """The message of each neuron that `spikes` (step, neuron, message) lists for step `clock`, else 0.

    `place` is that of the next one.
    """
    value[:] = 0
    while place[0] < spikes.shape[0] and spikes[place[0], 0] <= clock:
        if spikes[place[0], 0] == clock:
            value[spikes[place[0], 1]] = spikes[place[0], 2]
        place[0] += 1


@loop
def best_of(count: Numbers, v: Numbers, n: int) -> int:
    """The neuron with most events, the potential v deciding between equal counts, the lowest index then."""
    best = 0
    for i in range(1, n):
        if count[i] > count[best] or (count[i] == count[best] and v[i] > v[best]):
            best = i
    return best
