"""Who is joined to whom, as an undirected graph of neurons: what an order of neurons should keep together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from compiler.placement.needs import Needs

Indices = NDArray[np.int64]

#: The weight of a vertex that alone fills a neurocore.
FULL = 1 << 20


@dataclass(frozen=True)
class Graph:
    """A symmetric matrix of integer edge weights without a diagonal, and the weight of each vertex.

    The first vertices are the neurons. Then come the neurons of sources, which tie the neurons that they
    reach together, and one vertex for each dense projection in place of its edges; these weigh nothing.
    """

    edges: csr_array
    weights: Indices


def graph(needs: Needs) -> Graph:
    """The graph of a program; an edge weighs what is sent along it, at least 1."""
    first = dict(needs.first)
    size = needs.size
    for population in needs.code.populations:
        if population.is_source:
            first[population.name] = size
            size += population.size
    rows, columns, values = [], [], []
    for projection in needs.code.projections:
        into = needs.into[projection.name]
        rate = np.maximum(needs.rates[projection.source], 1)
        if into.dense:
            sources = first[projection.source] + np.arange(into.sources)
            targets = first[projection.target] + np.arange(into.targets)
            rows.append(np.concatenate([sources, targets]))
            columns.append(np.full(rows[-1].size, size))
            values.append(np.concatenate([rate, np.full(into.targets, max(1, int(rate.mean())))]))
            size += 1
        else:
            rows.append(first[projection.source] + projection.pre.astype(np.int64))
            columns.append(first[projection.target] + projection.post.astype(np.int64))
            values.append(rate[projection.pre])
    none = np.zeros(0, dtype=np.int64)
    row, column, value = (np.concatenate([none, *parts]) for parts in (rows, columns, values))
    off = row != column
    half = coo_array((value[off], (row[off], column[off])), shape=(size, size)).tocsr()
    weights = np.zeros(size, dtype=np.int64)
    weights[: needs.size] = neuron_weights(needs)
    return Graph(csr_array(half + half.T), weights)


def neuron_weights(needs: Needs) -> Indices:
    """The greater of the shares that a neuron takes of compartments and of synaptic memory, of `FULL`."""
    weights = np.zeros(needs.size, dtype=np.int64)
    bits = np.zeros(needs.size, dtype=np.int64)
    for projection in needs.projections:
        into, first = needs.into[projection.name], needs.first[projection.target]
        count = np.full(into.targets, into.sources) if into.dense else np.diff(into.first)
        bits[first : first + into.targets] += count * needs.format(projection, 64).synapse_bits
    for population in needs.populations:
        first = needs.first[population.name]
        share = len(population.ports) * FULL // needs.chip["compartments"].value
        weights[first : first + population.size] = max(1, share)
    most = needs.chip["synaptic_memory_bits"].value
    return np.maximum(weights, bits * FULL // most)
