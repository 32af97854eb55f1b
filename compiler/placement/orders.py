"""Orders in which neurons are packed. Each is a permutation of all neurons, as `Needs` numbers them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from compiler.placement.bisection import row_order
from compiler.placement.coarsening import coarsen
from compiler.placement.graph import FULL, graph
from compiler.placement.needs import Needs

Indices = NDArray[np.int64]


def written(needs: Needs) -> Indices:
    """As the program lists its populations."""
    return np.arange(needs.size)


def interleaved(needs: Needs) -> Indices:
    """Equal shares of all populations side by side: neurocores fill up with what needs different limits."""
    sizes = np.array([p.size for p in needs.populations], dtype=np.int64)
    within = np.concatenate([np.arange(size) for size in sizes])
    place = ((2 * within + 1) << 40) // np.repeat(sizes, sizes)
    return np.asarray(np.lexsort((np.arange(needs.size), place)))


class Joining:
    """Neurons that send to each other, or hear the same sources, side by side, by a multilevel method."""

    def __init__(self, needs: Needs) -> None:
        whole = graph(needs)
        self._size = needs.size
        self._full = -(-int(whole.weights.sum()) // FULL)
        self._levels, self._coarsest = coarsen(whole)

    def order(self, sections: int = 0) -> Indices:
        """All neurons; few are joined across the borders of `sections` of equal weight.

        Without a number there are as many as the weight of all neurons fills.
        """
        coarsest = self._coarsest
        place = np.empty(coarsest.weights.size, dtype=np.int64)
        edges = coarsest.edges.toarray().astype(np.int64)
        row = row_order(edges, coarsest.weights, sections or max(1, self._full))
        place[row] = np.arange(place.size)
        for level in reversed(self._levels):
            within = place[level.parent]
            edges = level.graph.edges
            degree = np.maximum(np.asarray(edges.sum(axis=1)).reshape(-1), 1)
            # Of one vertex's parts the one whose neighbours lie further left comes first.
            middle = (edges @ (within << 16)) // degree
            order = np.lexsort((np.arange(within.size), middle, within))
            place = np.empty(within.size, dtype=np.int64)
            place[order] = np.arange(within.size)
        return np.argsort(place[: self._size], kind="stable")
