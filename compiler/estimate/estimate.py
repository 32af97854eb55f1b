"""Work -> time and energy of a step, each with its range, by the costs of a chip.

The time of a step is the greatest of its terms, each that of the busiest neurocore or link. At its low end
all costs are at theirs; its high end is the sum of all terms at their high ends, as if nothing overlapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.estimate.layout import PLACEMENT, Layout, layout
from compiler.estimate.memory import NEURON_MEMORY, memory
from compiler.estimate.spans import Span, exactly, total
from compiler.estimate.work import HOST, LEARNING, PROGRAM, Counts, Sent, Steps, Workload
from compiler.ir.partitioned import Partition
from hw_models.chips.chip import Chip

#: The terms of a step's time, in the order of the table.
TERMS = (
    "neuron updates",
    "synaptic operations",
    "synaptic memory",
    "messages taken in",
    "learning",
    "busiest link",
    "longest way",
    "barrier",
)
#: What is counted of a step; then the parts of its energy.
WORK = (
    "neuron updates",
    "spikes",
    "synaptic operations",
    "words of memory",
    "messages sent",
    "messages taken in",
    "learning updates",
    "hops",
)
PARTS = ("neurons", "spikes", "synapses", "learning", "messages", "hops", "barrier", "static")


#: Steps that are summed together, however they come: so the last digit does not depend on the machine's pace.
_BLOCK = 256


@dataclass(frozen=True)
class Amount:
    """What is done in a step on average: on all neurocores, and on the one that does most."""

    everywhere: float
    busiest: float


@dataclass(frozen=True)
class Estimate:
    """What a program takes of a chip. Times of a step in ns, energies in pJ, memory in bits.

    `terms` are means over the steps, as is `time`, which is therefore at least their greatest; `slowest` is
    the longest step. `bounding` says in which share of the steps each term was the greatest. `energy` is that
    of a step as fast as it can be, `real_time` where each step waits for the network's own. `assumptions` are
    in words, those of the chip file by the name of their cost.
    """

    chip: Chip
    steps: int
    step_ms: float
    layout: Layout
    memory: tuple[Mapping[str, int], ...]
    work: Mapping[str, Amount]
    terms: Mapping[str, Span]
    bounding: Mapping[str, float]
    time: Span
    slowest: float
    energy: Mapping[str, Span]
    assumptions: Mapping[str, str]

    @property
    def energy_total(self) -> Span:
        """All of a step's energy."""
        return total(self.energy.values())

    @property
    def real_time(self) -> Span:
        """A step's energy where it lasts as long as the network says, or longer."""
        static = self.chip.costs["static_power"]
        ns = self.step_ms * 1e6
        waiting = Span(*(max(ns, it) * self.layout.chips for it in _ends(self.time))).times(static)
        return total([*(it for name, it in self.energy.items() if name != "static"), waiting])


def _ends(span: Span) -> tuple[float, float, float]:
    return span.low, span.value, span.high


class Estimating:
    """Takes in what a run sent, steps after steps, and tells at last what they took."""

    def __init__(self, partition: Partition) -> None:
        self.code, self.chip = partition.code, partition.chip
        self.layout = layout(partition)
        self.load = Workload(self.code, self.layout)
        self.steps = 0
        self._waiting: list[tuple[dict[Sent, NDArray[np.bool_]], int]] = []
        self._time = np.zeros(3)
        self._slowest = 0.0
        self._terms = {name: np.zeros(3) for name in TERMS}
        self._bounding = dict.fromkeys(TERMS, 0)
        self._work = {name: np.zeros(self.layout.cores) for name in WORK}
        self._learning_low = 0.0

    def add(self, values: Mapping[Sent, NDArray[Any]], count: int) -> None:
        """So many steps: what was sent of each of `sent`, [step, neuron], 0 for no message."""
        self._waiting.append(({name: np.asarray(values[name]) != 0 for name in self.sent}, count))
        if sum(steps for _, steps in self._waiting) >= _BLOCK:
            self._take(everything=False)

    def _take(self, *, everything: bool) -> None:
        """Look at what waits, in whole blocks."""
        waiting = {name: np.concatenate([values[name] for values, _ in self._waiting]) for name in self.sent}
        steps = sum(count for _, count in self._waiting)
        begin = 0
        while begin < steps and (everything or begin + _BLOCK <= steps):
            end = min(begin + _BLOCK, steps)
            self._look({name: found[begin:end] for name, found in waiting.items()}, end - begin)
            begin = end
        self._waiting = [({name: found[begin:] for name, found in waiting.items()}, steps - begin)]

    def _look(self, values: Mapping[Sent, NDArray[Any]], count: int) -> None:
        found = self.load.of(values, count)
        self.steps += count
        self._count(found)
        terms = self._terms_of(found)
        each = np.stack([np.broadcast_to(terms[name], (3, count)) for name in TERMS])
        lasting = np.stack([each[:, 0].max(0), each[:, 1].max(0), each[:, 2].sum(0)])
        self._time += lasting.sum(1)
        self._slowest = max(self._slowest, float(lasting[1].max(initial=0)))
        bound = np.bincount(each[:, 1].argmax(0), minlength=len(TERMS))
        for number, name in enumerate(TERMS):
            self._terms[name] += each[number].sum(1)
            self._bounding[name] += int(bound[number])

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What has to be known of a run."""
        return self.load.sent

    def _count(self, found: Steps) -> None:
        work, count = self._work, len(found.hops)
        work["neuron updates"] += self.load.constant.updates * count
        work["learning updates"] += self.load.constant.learning * count
        work["spikes"] += found.spikes.sum(0)
        work["synaptic operations"] += found.operations.sum(0)
        work["words of memory"] += found.words.sum(0)
        work["messages sent"] += found.sent.sum(0)
        work["messages taken in"] += found.messages.sum(0)
        if self.layout.cores:
            # Of a hop it is not said where it is: all count at the first neurocore.
            work["hops"][0] += found.hops.sum()
        self._learning_low += float(found.learning_low.sum())

    def _terms_of(self, found: Steps) -> dict[str, Counts]:
        """Each term of each step: [low, value and high, step]."""
        costs, constant = self.chip.costs, self.load.constant

        def busiest(*parts: tuple[Counts, Counts, Counts, str]) -> Counts:
            ends = []
            for number, end in enumerate(("low", "value", "high")):
                busy = sum(part[number] * getattr(costs[part[3]], end) for part in parts)
                ends.append(np.max(np.atleast_2d(busy), axis=1, initial=0))
            return np.stack([np.broadcast_to(it, found.hops.shape) for it in ends])

        def alike(counts: Counts, cost: str) -> tuple[Counts, Counts, Counts, str]:
            return counts, counts, counts, cost

        updates = (constant.updates, constant.updates, constant.updates_high, "neuron_update_time")
        learning = (
            found.learning_low,
            constant.learning,
            constant.learning_high,
            "learning_update_time",
        )
        way = np.full((1, 1), float(self.load.furthest))
        return {
            "neuron updates": busiest(updates, alike(found.spikes, "spike_time")),
            "synaptic operations": busiest(alike(found.operations, "synaptic_operation_time")),
            "synaptic memory": busiest(alike(found.words, "memory_read_time")),
            "messages taken in": busiest(alike(found.messages, "message_time")),
            "learning": busiest(learning),
            "busiest link": busiest(alike(found.link[:, np.newaxis], "link_time")),
            "longest way": busiest(alike(way, "hop_time")),
            "barrier": busiest(
                alike(np.ones((1, 1)), "barrier_time"),
                alike(np.full((1, 1), self._doublings()), "barrier_doubling_time"),
            ),
        }

    def _doublings(self) -> float:
        return log2(max(1, self.layout.used_tiles))

    def result(self) -> Estimate:
        """What the steps so far took."""
        if self._waiting:
            self._take(everything=True)
        steps = max(1, self.steps)
        work = {
            name: Amount(float(counts.sum()) / steps, float(counts.max(initial=0)) / steps)
            for name, counts in self._work.items()
        }
        time = _in_order(self._time / steps)
        return Estimate(
            chip=self.chip,
            steps=self.steps,
            step_ms=self.code.step_ms,
            layout=self.layout,
            memory=memory(self.code, self.layout),
            work=work,
            terms={name: _in_order(sums / steps) for name, sums in self._terms.items()},
            bounding={name: count / steps for name, count in self._bounding.items()},
            time=time,
            slowest=self._slowest,
            energy=self._energy(work, time),
            assumptions=self._assumptions(work),
        )

    def _energy(self, work: Mapping[str, Amount], time: Span) -> dict[str, Span]:
        costs, constant = self.chip.costs, self.load.constant
        updates = Span(
            float(constant.updates.sum()), float(constant.updates.sum()), float(constant.updates_high.sum())
        )
        learning = Span(
            self._learning_low / max(1, self.steps),
            float(constant.learning.sum()),
            float(constant.learning_high.sum()),
        )
        counted = {name: exactly(amount.everywhere) for name, amount in work.items()}
        on_chips = Span(*(end * self.layout.chips for end in _ends(time)))
        return {
            "neurons": updates.times(costs["neuron_update_energy"]),
            "spikes": counted["spikes"].times(costs["spike_energy"]),
            "synapses": counted["synaptic operations"].times(costs["synaptic_operation_energy"]),
            "learning": learning.times(costs["learning_update_energy"]),
            "messages": counted["messages sent"].times(costs["message_energy"]),
            "hops": counted["hops"].times(costs["hop_energy"]),
            "barrier": exactly(1.0).times(costs["barrier_energy"]),
            # A milliwatt is a picojoule in a nanosecond.
            "static": on_chips.times(costs["static_power"]),
        }

    def _assumptions(self, work: Mapping[str, Amount]) -> dict[str, str]:
        found = {
            "host": HOST,
            "placement": PLACEMENT,
            "neuron memory": NEURON_MEMORY,
        }
        if np.any(self.load.constant.updates_high > self.load.constant.updates):
            found["neuron programs"] = PROGRAM
        if work["learning updates"].everywhere:
            found["learning"] = LEARNING
        none: set[str] = set()
        if not work["learning updates"].everywhere:
            none |= {"learning_update_energy", "learning_update_time"}
        if not self.load.furthest:
            none |= {"hop_energy", "hop_time"}
        for cost in self.chip.costs.values():
            if cost.assumption and cost.name not in none:
                found[cost.name] = cost.assumption
        for name in self.chip.assumed:
            found[name] = self.chip[name].source
        return found


def _in_order(ends: Counts) -> Span:
    return Span(*(float(end) for end in ends))
