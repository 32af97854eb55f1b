"""Poisson processes along a row of neurons: from one arrival to the next, without a look at those between.

In each step the neurons of a population lie on an axis, one unit each, and arrivals of a Poisson process fall
on it. Their distances are exponential draws, so that a step costs as many draws as there are arrivals. With
`gap << shift` the mean distance in 2^-GAP_BITS of a neuron,

    E(u) = -ln((u + 1) / 2^32) in 2^-DRAW_BITS, of 32 random bits u, from a table of logarithms
    x_k  = x_(k-1) + E(at(row(key, j), k)) (gap << shift)          arrival k, from k = 0 on, x_(-1) = 0
    i_k  = floor(x_k), the neuron; arrivals from the last neuron's end on are not of this step

and an arrival counts where 16 other bits, at(row(key, j), -1 - k), are below `share` (of 2^16) of its neuron.
A gap of 0 is that of a process without arrivals; a mean of more than `MEAN` a neuron counts as that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models.elementary import log
from hw_models.program.random import at, row

Integers = NDArray[np.int64]

GAP_BITS = 20
DRAW_BITS = 16
SHARE_BITS = 16
#: With these a sum of distances stays below 2^63 up to the first that is beyond a population's end.
GAP = (1 << 31) - 1
GAP_SHIFT = 11
#: How many arrivals at one neuron a step tells apart at most, and the mean up to which that is enough.
MOST = 20
MEAN = 4.0

#: A neuron's length, as a power of two of the units that sums of distances count in.
PLACE_BITS = GAP_BITS + DRAW_BITS
SHORTEST = round((1 << GAP_BITS) / MEAN)

_TABLE_BITS = 8
_REST_BITS = 24
#: log2(1 + j / 2^8) in 2^-24.
LOG2 = np.rint(log(1 + np.arange(257) / 256) / math.log(2) * (1 << _REST_BITS)).astype(np.int64)
#: ln 2 in 2^-24.
LN2 = round(math.log(2) * (1 << _REST_BITS))


def exponential(bits: Any) -> Integers:
    """E(u), of the 32 bits of each draw."""
    u = np.asarray(bits).astype(np.float64) + 1.0
    word = u.view(np.int64)
    whole = (word >> 52) - 1023
    fraction = word & ((1 << 52) - 1)
    entry = fraction >> (52 - _TABLE_BITS)
    rest = (fraction >> (52 - _TABLE_BITS - _REST_BITS)) & ((1 << _REST_BITS) - 1)
    part = LOG2[entry] + ((LOG2[entry + 1] - LOG2[entry]) * rest >> _REST_BITS)
    return np.asarray((((32 - whole) << _REST_BITS) - part) * LN2 >> (2 * _REST_BITS - DRAW_BITS))


def arrivals(key: int, repeat: int, gap: float, shift: int, share: Any, most: int, size: int) -> Integers:
    """How many arrivals each of `size` neurons has in the step with this key, `most` at most.

    An integer `gap` counts in integers, a real one in real numbers.
    """
    counts = np.zeros(size, dtype=np.int64)
    if gap == 0:
        return counts
    drawn = row(key, repeat)
    # Python's integers hold any sum.
    unit = max(gap * 2**shift, SHORTEST)
    end = size << PLACE_BITS
    at_a_time = 16 + math.ceil(1.1 * end / (unit * (1 << DRAW_BITS)))
    share = np.broadcast_to(share, (size,))
    reached: float = 0
    first = 0
    while True:
        numbers = np.arange(first, first + at_a_time)
        others = at(drawn, -1 - numbers) & np.uint32((1 << SHARE_BITS) - 1)
        for distance, other in zip(exponential(at(drawn, numbers)).tolist(), others.tolist(), strict=True):
            reached += distance * unit
            if reached >= end:
                return np.minimum(counts, most)
            i = int(reached) >> PLACE_BITS
            counts[i] += other < share[i]
        first += at_a_time


def arrivals_of(
    key: int, repeat: int, arguments: Sequence[Any], shape: tuple[int, ...], number: type[float]
) -> Integers:
    """The same of an operation's arguments, [shape], with a gap of type `number`."""
    gap, shift, share, most = (np.broadcast_to(it, shape).ravel() for it in arguments)
    counts = arrivals(key, repeat, number(gap[0]), int(shift[0]), share, int(most[0]), share.size)
    return counts.reshape(shape)
