"""`hw_models.program.arrivals` for use inside compiled loops. Importing this imports numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.code.draws import at
from burstchip.backends.sim.code.functions import bits_of
from burstchip.backends.sim.code.loop import loop
from burstchip.backends.sim.code.scratch import local
from hw_models.program.arrivals import DRAW_BITS, LN2, LOG2, PLACE_BITS, SHARE_BITS, SHORTEST

Numbers = NDArray[Any]
Places = NDArray[np.int32]

_REST_BITS = 24
#: How many distances are drawn before they are added up, in vectors.
AT_A_TIME = 32
_WORD = (1 << 32) - 1
_SHARE_MASK = np.uint32((1 << SHARE_BITS) - 1)


@loop
def _exponential(bits: Any) -> Any:
    word = bits_of(np.float64(bits) + 1.0)
    whole = (word >> 52) - 1023
    entry = (word >> 44) & 255
    rest = (word >> 20) & ((1 << _REST_BITS) - 1)
    # Both factors have 32 bits and no sign, which the masks tell LLVM: such a product is quicker.
    part = LOG2[entry] + (((LOG2[entry + 1] - LOG2[entry]) & _WORD) * rest >> _REST_BITS)
    return ((((32 - whole) << _REST_BITS) - part) & _WORD) * LN2 >> (2 * _REST_BITS - DRAW_BITS)


@loop
def _clear(counts: Numbers, events: Places, before: int) -> None:
    for k in range(before):
        counts[events[k]] = 0


@loop
def _counted(key: int, k: int, share: Numbers, i: Any) -> Any:
    least = share[i if len(share) > 1 else np.uint64(0)]
    return least > _SHARE_MASK or (at(key, -1 - k) & _SHARE_MASK) < least


@loop
def _walk(
    key: int,
    unit: Any,
    end: int,
    distances: Numbers,
    share: Numbers,
    most: int,
    counts: Numbers,
    events: Places,
) -> int:
    """From arrival to arrival, up to `end`, in the type of `unit`; how many neurons have any."""
    reached, count, first = unit * 0, 0, 0
    last = np.uint64(len(counts))
    all_count = len(share) == 1 and share[0] > _SHARE_MASK
    one, highest = counts.dtype.type(1), counts.dtype.type(most)
    while reached < end:
        for k in range(AT_A_TIME):
            distances[k] = _exponential(at(key, first + k)) * unit
        for k in range(AT_A_TIME):
            reached += distances[k]
            if reached >= end:
                break
            # Indices are unsigned: none counts from an end.
            i = np.uint64(int(reached) >> PLACE_BITS)
            if all_count or _counted(key, first + k, share, i):
                counts[i] = min(counts[i] + one, highest)
                events[np.uint64(count)] = i
                count += 1 if i != last else 0
                last = i
        first += AT_A_TIME
    return count


@loop
def arrive(
    key: int,
    n: int,
    gap: int,
    shift: int,
    share: Numbers,
    most: int,
    counts: Numbers,
    events: Places,
    before: int,
) -> int:
    """Arrivals of a step: `counts` of each neuron, and the list of those that have any; how many these are.

    The first `before` of the list are those of the step before. `share` has one entry for all or one each.
    """
    _clear(counts, events, before)
    if gap == 0:
        return 0
    distances = local(AT_A_TIME, np.int64)
    unit = max(gap << shift, SHORTEST)
    return _walk(key, unit, n << PLACE_BITS, distances, share, most, counts, events)


@loop
def arrive_real(
    key: int,
    n: int,
    gap: float,
    shift: int,
    share: Numbers,
    most: int,
    counts: Numbers,
    events: Places,
    before: int,
) -> int:
    """The same where gap and share are real numbers."""
    _clear(counts, events, before)
    if gap == 0:
        return 0
    distances = local(AT_A_TIME, np.float64)
    unit = max(gap * 2.0**shift, float(SHORTEST))
    return _walk(key, unit, n << PLACE_BITS, distances, share, most, counts, events)
