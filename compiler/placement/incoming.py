"""The synapses of a projection by the neuron on which they end, which is where a chip keeps them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import ChipProgram, ProjectionCode

Indices = NDArray[np.int64]


def ranges(starts: Indices, stops: Indices) -> Indices:
    """starts[0]..stops[0] - 1, then starts[1]..stops[1] - 1, and so on."""
    sizes = stops - starts
    first = np.cumsum(sizes) - sizes
    return np.asarray(np.arange(int(sizes.sum())) + np.repeat(starts - first, sizes))


@dataclass(frozen=True)
class Incoming:
    """The synapses onto neuron k: `pre[first[k]:first[k + 1]]`; of a dense projection all sources, unlisted.

    `order` has the place of each among the synapses in order of (pre, post).
    """

    sources: int
    targets: int
    dense: bool
    first: Indices
    pre: NDArray[np.int32]
    order: Indices

    def fan_in(self) -> Indices:
        """How many synapses each target neuron has."""
        return np.full(self.targets, self.sources, dtype=np.int64) if self.dense else np.diff(self.first)

    def heard(self, neurons: Indices) -> tuple[Indices, Indices]:
        """(source neurons with synapses onto these neurons, in rising order; how many each has)."""
        if self.dense:
            heard = np.arange(self.sources if neurons.size else 0)
            return heard, np.full(heard.size, neurons.size, dtype=np.int64)
        pre = self.pre[ranges(self.first[neurons], self.first[neurons + 1])]
        if pre.size < self.sources // 4:
            heard, lengths = np.unique(pre, return_counts=True)
            return heard.astype(np.int64), lengths.astype(np.int64)
        counts = np.bincount(pre, minlength=self.sources)
        heard = np.flatnonzero(counts)
        return heard, counts[heard]

    def synapses(self, neurons: Indices) -> tuple[Indices, Indices, Indices]:
        """(source, target, place in order of (pre, post)) of each synapse onto these neurons."""
        if self.dense:
            pre = np.tile(np.arange(self.sources), neurons.size)
            post = np.repeat(neurons, self.sources)
            return pre, post, pre * self.targets + post
        starts, stops = self.first[neurons], self.first[neurons + 1]
        places = ranges(starts, stops)
        return self.pre[places].astype(np.int64), np.repeat(neurons, stops - starts), self.order[places]

    def by_source(self, neurons: Indices) -> tuple[Indices, Indices, Indices, Indices]:
        """(synapses of each source, that source, targets, places) onto these neurons, source by source."""
        pre, post, order = self.synapses(neurons)
        by_source = np.argsort(pre, kind="stable")
        sources, lengths = np.unique(pre, return_counts=True)
        return lengths.astype(np.int64), sources, post[by_source], order[by_source]


def incoming(code: ChipProgram) -> dict[str, Incoming]:
    """The synapses of each projection of a program by their target."""
    sizes = {population.name: population.size for population in code.populations}
    return {p.name: _incoming(p, sizes[p.source], sizes[p.target]) for p in code.projections}


def _incoming(projection: ProjectionCode, sources: int, targets: int) -> Incoming:
    if projection.dense:
        none = np.zeros(0, dtype=np.int64)
        return Incoming(sources, targets, True, none, none.astype(np.int32), none)
    order = np.argsort(projection.post, kind="stable")
    counts = np.bincount(projection.post, minlength=targets)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Incoming(sources, targets, False, first, projection.pre[order].astype(np.int32), order)
