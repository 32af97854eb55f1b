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


def _costs(layout: Layout) -> dict[str, NDArray[np.float64]]:
    """What each population costs in each stage of a step: arriving, emitting, learning.

    In operations of a program for a neuron, as measured on networks of the paper.
    """
    costs: dict[str, NDArray[np.float64]] = {}
    for population, program in zip(layout.code.populations, layout.programs, strict=True):
        # A source that goes from event to event looks at few of its neurons.
        each = 12.0 if program.sends_arrivals else len(program.nodes)
        costs[population.name] = np.array([0.0, population.size * each, 0.0])
    for projection in layout.code.projections:
        sources = layout.code.population(projection.source).size
        # Few sources emit in a step; where synapses learn, traces of all are looked at.
        arriving = projection.weights.size / 16 + sources * 3
        learning = 50 * sources if layout.is_plastic(projection) else 0
        costs[projection.target] += [arriving, 0, learning]
    return costs


def _fetched(layout: Layout) -> list[tuple[int, int, float]]:
    """(source, target, what its list of events costs to fetch from another core), by numbers, of dense ones.

    Spikes are few in a step.
    """
    found = []
    for projection in layout.code.projections:
        source, target = layout.numbers[projection.source], layout.numbers[projection.target]
        if layout.programs[source].sends_arrivals:
            found.append((source, target, 6.0 * layout.code.populations[source].size))
    return found


def _shared(
    costs: NDArray[np.float64], fetched: Sequence[tuple[int, int, float]], threads: int
) -> NDArray[np.int64]:
    """The thread of each of the costs [population, stage], so that the stages take little time together.

    In each stage all wait for the one that has most to do. The costliest come first, each where it adds
    least; then one moves, or two change places, as long as it helps.
    """
    of = np.full(len(costs), -1, dtype=np.int64)

    def together(of: NDArray[np.int64]) -> tuple[float, float]:
        loads = np.array([costs[of == thread].sum(axis=0) for thread in range(threads)])
        for source, target, more in fetched:
            if -1 < of[source] != of[target] > -1:
                loads[of[target], 0] += more
        return float(loads.max(axis=0).sum()), float((loads.sum(axis=1) ** 2).sum())

    def tried(changes: Mapping[int, int]) -> tuple[float, float]:
        other = of.copy()
        for number, thread in changes.items():
            other[number] = thread
        return together(other)

    for number in np.argsort(-costs.sum(axis=1), kind="stable").tolist():
        of[number] = min(range(threads), key=lambda thread: tried({number: thread}))
    found = together(of)
    while True:
        ways: list[dict[int, int]] = [{k: t} for k in range(len(of)) for t in range(threads) if t != of[k]]
        ways += [{k: int(of[m]), m: int(of[k])} for k in range(len(of)) for m in range(k) if of[k] != of[m]]
        best = min(ways, key=tried, default={})
        if not best or tried(best) >= found:
            return of
        for number, thread in best.items():
            of[number] = thread
        found = together(of)


def shares(layout: Layout, threads: int) -> tuple[frozenset[str], ...]:
    """Which populations each thread has."""
    costs = _costs(layout)
    of = _shared(np.array(list(costs.values())), _fetched(layout), threads)
    taken = [frozenset(name for name, it in zip(costs, of, strict=True) if it == t) for t in range(threads)]
    return tuple(names for names in taken if names)


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
        frames = linked.frames.of({**values, **{f"flag_{k}": flags[k : k + 1] for k in range(count)}})
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
