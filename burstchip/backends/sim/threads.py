"""A run on several threads: each has the neurons of some populations, and the synapses that end there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.compiled import UNIT, load_text, source_of
from burstchip.backends.sim.layout import Layout
from burstchip.backends.sim.link import Linked, Words, addressed, link
from burstchip.backends.sim.unit import Call, Kernel

_LOOP = "burstchip.backends.sim.code.side_by_side"
#: Words between two that different threads write, so that they are never in one line of a cache.
_APART = 16


@cache
def _load_loop() -> Callable[[int, int], None]:
    return UNIT(load_text(source_of(_LOOP)))


def shares(layout: Layout, threads: int) -> tuple[frozenset[str], ...]:
    """Which populations each thread has: the costliest first, each to the thread that has least to do."""
    costs: dict[str, float] = {}
    # In operations of a program for a neuron, as measured on networks of the paper.
    for population, program in zip(layout.code.populations, layout.programs, strict=True):
        # A source that goes from event to event looks at few of its neurons.
        costs[population.name] = population.size * (12.0 if program.sends_arrivals else len(program.nodes))
    for projection in layout.code.projections:
        sources = layout.code.population(projection.source).size
        # Few sources emit in a step; where synapses learn, traces of all are looked at.
        costs[projection.target] += projection.weights.size / 12 + sources * 5
        if layout.is_plastic(projection):
            costs[projection.target] += 50 * sources
    loads = [0.0] * threads
    taken: list[set[str]] = [set() for _ in range(threads)]
    for name in sorted(costs, key=lambda it: (-costs[it], it)):
        least = loads.index(min(loads))
        loads[least] += costs[name]
        taken[least].add(name)
    return tuple(frozenset(names) for names in taken if names)


@dataclass(frozen=True)
class Share:
    """The calls of one thread, in tables, and where those of each stage begin."""

    linked: Linked
    begins: Words


def divide(kernel: Kernel, layout: Layout, threads: int, load: Callable[[Call], int]) -> tuple[Share, ...]:
    """The calls of a kernel, each with the population that it writes to."""
    targets = {it.name: it.target for it in layout.code.projections}
    found = []
    for names in shares(layout, threads):
        stages = [
            tuple(call for call in stage if targets.get(call.owner, call.owner) in names)
            for stage in (kernel.arriving, kernel.emitting, kernel.ending)
        ]
        begins = np.cumsum([0, *map(len, stages)], dtype=np.int64)
        found.append(Share(link(Kernel(*stages), load), begins))
    return tuple(found)


def run_side_by_side(
    divided: Sequence[Share],
    begin: int,
    end: int,
    shared: Words,
    values: Mapping[str, Any],
    periodic: NDArray[np.uint8],
) -> None:
    """Take the steps `begin` to `end` - 1. Words and flags of the clock are each thread's own."""
    arrived, count = np.zeros(_APART, dtype=np.int64), periodic.shape[1]
    kept: list[Any] = []
    starts: list[tuple[int, int]] = []
    for share in divided:
        linked = share.linked
        own = np.zeros(len(shared) + count + _APART, dtype=np.int64)
        own[: len(shared)] = shared
        now, flags = own[: len(shared)], own[len(shared) : len(shared) + count]
        frames = linked.frames({**values, **{f"flag_{k}": flags[k : k + 1] for k in range(count)}})
        tables: list[NDArray[Any]] = [
            now,
            linked.functions,
            frames.ctypes.data + linked.starts,
            linked.gates,
            linked.periods,
        ]
        tables += [linked.ahead, periodic, flags, share.begins]
        words = [begin, end, *addressed(*tables), len(divided), *addressed(arrived)]
        frame = np.array(words, dtype=np.int64)
        kept += [frames, frame, *tables]
        starts.append((now.ctypes.data, frame.ctypes.data))
    loop = _load_loop()
    others = [Thread(target=loop, args=it) for it in starts[1:]]
    for thread in others:
        thread.start()
    loop(*starts[0])
    for thread in others:
        thread.join()
