"""Sums of what arrives at a port, on their way to the neurons."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from burstchip.backends.sim.code.loop import loop

Numbers = NDArray[Any]


@loop
def slot_of(step: int, depth: int) -> int:
    """The slot of a step in a ring of `depth`."""
    return 0 if depth == 1 else step % depth


@loop
def clipped(sums: Numbers, n: int, low: int, high: int) -> int:
    """Clip sums to a port's width; return how many were outside."""
    count = 0
    for i in range(n):
        count += 1 if sums[i] < low or sums[i] > high else 0
    if count:
        for i in range(n):
            sums[i] = min(max(sums[i], low), high)
    return count


@loop
def take_floored(own: Numbers, n: int, shift: int, sums: Numbers) -> None:
    """Floor the sum of one projection, then add it to its port's; `own` is 0 again afterwards."""
    for i in range(n):
        sums[i] += own[i] >> shift
        own[i] = 0


@loop
def put_under_way(sent: Numbers, n: int, shift: int, slot: int, depth: int, sums: Numbers) -> None:
    """Floor what was sent in one step, each delay by itself; `sent` [delay, neuron] is 0 again afterwards."""
    for d in range(sent.shape[0]):
        for i in range(n):
            sums[(slot + d) % depth, i] += sent[d, i] >> shift
            sent[d, i] = 0
