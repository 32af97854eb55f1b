"""What each neurocore and each link has to do in each step, counted from what neurons sent.

A message leaves a neuron for each neurocore on which it has synapses of a projection; there it reads one list
and adds each of its synapses. It counts in the step in which it was sent, whatever its delay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.estimate.fanout import Fanout, fanout_of
from compiler.estimate.layout import Layout
from compiler.estimate.traffic import Traffic
from compiler.ir.chip_program import ChipProgram
from hw_models.neurons.lif import LIF
from hw_models.program.trace import Program

Counts = NDArray[np.float64]

#: (population, output): what a projection sends.
Sent = tuple[str, str]

HOST = "what the host sends and receives, and its way to the first neurocore, is not counted"
PROGRAM = (
    "a neuron's program takes one update a compartment, at most as many as its operations are times those of "
    "Lava's LIF"
)
LEARNING = (
    "a learning epoch visits every plastic synapse, at least those of which an event came, and each pair of "
    "products takes at most one pairwise STDP"
)
#: Products of pairwise STDP, for which the costs are known.
_STDP_PRODUCTS = 2


@dataclass(frozen=True)
class Constant:
    """What a neurocore does in every step, alike: [neurocore], learning as its mean over an epoch."""

    updates: Counts
    updates_high: Counts
    learning: Counts
    learning_high: Counts


@dataclass(frozen=True)
class Steps:
    """What was done in each of some steps: [step, neurocore]; `link`, of the busiest link, and `hops` [step].

    `spikes` are what neurons sent, `messages` what arrived, `sent` those of them that neurocores sent,
    `learning_low` the synapses that learn and of which an event came.
    """

    spikes: Counts
    operations: Counts
    words: Counts
    messages: Counts
    sent: Counts
    learning_low: Counts
    link: Counts
    hops: Counts


def _operations(program: Program) -> int:
    return sum(bool(node.arguments) for node in program.nodes)


class Workload:
    """The work of a program that lies on neurocores in a certain way."""

    def __init__(self, code: ChipProgram, layout: Layout) -> None:
        self.code, self.layout = code, layout
        self.projections = {it.name: it for it in code.projections}

    @cached_property
    def sent(self) -> tuple[Sent, ...]:
        """What has to be known of a run: every output that a projection with synapses sends."""
        used = dict.fromkeys(it.projection for it in self.layout.arrivals)
        found = [(it.source, it.output) for it in self.code.projections if it.name in used]
        return tuple(dict.fromkeys(found))

    @cached_property
    def constant(self) -> Constant:
        """What is done in every step."""
        cores = self.layout.cores
        updates, high, learning, most = (np.zeros(cores) for _ in range(4))
        for it in self.layout.residents:
            population = self.code.population(it.population)
            compartments = max(1, len(population.ports))
            each = _operations(population.program) / _operations(LIF.program)
            updates[it.core] += it.neurons.size * compartments
            high[it.core] += it.neurons.size * max(compartments, each)
        for arrival in self.layout.arrivals:
            rule = self.projections[arrival.projection].learning
            if rule is not None and rule.form == "chip":
                visited = arrival.lengths.sum() / rule.every
                learning[arrival.core] += visited
                most[arrival.core] += visited * max(1, len(rule.rule.products) / _STDP_PRODUCTS)
        return Constant(updates, high, learning, most)

    @cached_property
    def fanouts(self) -> Mapping[Sent, Fanout]:
        """Where what is sent goes, and what it does there."""
        return {name: fanout_of(self.code, self.layout, name) for name in self.sent}

    @cached_property
    def furthest(self) -> int:
        """The most tiles that a message passes."""
        return max((it.furthest for it in self.fanouts.values()), default=0)

    def of(self, values: Mapping[Sent, NDArray[Any]], steps: int) -> Steps:
        """The work of so many steps, from what was sent in each: [step, neuron], 0 for no message."""
        cores = self.layout.cores
        spikes, operations, words, messages, sent, learning = (np.zeros((steps, cores)) for _ in range(6))
        traffic, hops = Traffic(self.layout, steps), np.zeros(steps)

        def each(step: NDArray[np.int64], core: NDArray[np.int64], weights: Any = None) -> Counts:
            counted = np.bincount(step * cores + core, weights, minlength=steps * cores)
            return np.asarray(counted.reshape(steps, cores), dtype=np.float64)

        for name, found in values.items():
            fanout = self.fanouts[name]
            when, who = np.nonzero(found)
            home = fanout.home[who]
            spikes += each(when[home >= 0], home[home >= 0])
            for events, place in fanout.goes(who):
                step, core = when[events], fanout.core[place]
                operations += each(step, core, fanout.synapses[place])
                words += each(step, core, fanout.words[place])
                messages += each(step, core)
                learns = fanout.learns[place]
                learning += each(step[learns], core[learns], fanout.synapses[place[learns]])
                here = home[events]
                ours = here >= 0
                sent += each(step[ours], here[ours])
                hops += traffic.add(step[ours], here[ours], core[ours])
        link = np.maximum(traffic.busiest(), np.maximum(messages, sent).max(axis=1, initial=0))
        np.minimum(learning, self.constant.learning, out=learning)
        return Steps(spikes, operations, words, messages, sent, learning, link, hops)
