"""Coarser graphs: vertices joined by heavy edges become one, level by level.

An edge is taken where it is the heaviest of both its ends; equal edges are ranked by a hash of their ends.
What is left over is joined in pairs that share their heaviest neighbour. All in integers, so that the result
depends on the graph alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from compiler.placement.graph import FULL, Graph

Indices = NDArray[np.int64]

#: A graph of so few vertices is not made coarser.
COARSE = 700
_ROUNDS = 4
_RANK_BITS = 16
#: Values that each vertex draws and that neighbours make alike, and how often they do.
_DRAWS = 8
_SMOOTHINGS = 6


@dataclass(frozen=True)
class Level:
    """A graph, and for each of its vertices the vertex of the coarser graph that it is part of."""

    graph: Graph
    parent: Indices


def coarsen(graph: Graph) -> tuple[list[Level], Graph]:
    """(levels from fine to coarse, the coarsest graph)."""
    most = max(FULL // 16, 2 * int(graph.weights.sum()) // COARSE)
    levels = []
    while graph.weights.size > COARSE:
        parent = _parents(graph, most)
        count = int(parent.max()) + 1
        if count > 0.97 * graph.weights.size:
            break
        levels.append(Level(graph, parent))
        graph = _contracted(graph, parent, count)
    return levels, graph


def _contracted(graph: Graph, parent: Indices, count: int) -> Graph:
    coo = graph.edges.tocoo()
    row, column = parent[coo.row], parent[coo.col]
    off = row != column
    edges = coo_array((coo.data[off], (row[off], column[off])), shape=(count, count)).tocsr()
    weights = np.zeros(count, dtype=np.int64)
    np.add.at(weights, parent, graph.weights)
    return Graph(csr_array(edges), weights)


def _rank(low: Indices, high: Indices) -> Indices:
    """A number of 16 bits that both directions of an edge share."""
    mixed = (low.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ (
        high.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    )
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(64 - _RANK_BITS)).astype(np.int64)


def _distances(graph: Graph, row: Indices, column: Indices) -> Indices:
    """How unlike the surroundings of the two ends of each edge are, 0 to 2^17.

    Each vertex draws numbers, which then become means over its neighbours again and again: ends that have
    most neighbours in common end at nearly the same (the algebraic distance of Ron, Safro and Brandt).
    """
    size = graph.weights.size
    vertex = np.arange(size)
    values = np.stack([_rank(vertex, np.full(size, k + 1)) for k in range(_DRAWS)], axis=1)
    degree = np.maximum(np.asarray(graph.edges.sum(axis=1)).reshape(-1, 1), 1)
    for _ in range(_SMOOTHINGS):
        values = (values + (graph.edges @ values) // degree) // 2
        values -= values.sum(axis=0) // size
        values = (values << 16) // np.maximum(np.abs(values).max(axis=0), 1)
    # These numbers and their differences fit 32 bits; the edges come in order of their rows.
    found, edges = np.zeros(row.size, dtype=np.int32), np.bincount(row, minlength=size)
    for drawn in np.ascontiguousarray(values.T, dtype=np.int32):
        unlike = np.repeat(drawn, edges)
        unlike -= drawn[column]
        np.maximum(found, np.abs(unlike, out=unlike), out=found)
    return found.astype(np.int64)


def _parents(graph: Graph, most: int) -> Indices:
    """The coarser vertex of each vertex, numbered in order of their first members."""
    size = graph.weights.size
    mate = np.arange(size)
    coo = graph.edges.tocoo()
    row, column = coo.row.astype(np.int64), coo.col.astype(np.int64)
    strength = np.minimum(coo.data, (1 << 24) - 1) << 22
    key = strength // (64 + _distances(graph, row, column)) << _RANK_BITS
    key |= _rank(np.minimum(row, column), np.maximum(row, column))
    favourite = _best(row, column, key, size)
    for _ in range(_ROUNDS):
        free = mate == np.arange(size)
        keep = free[row] & free[column] & (graph.weights[row] + graph.weights[column] <= most)
        row, column, key = row[keep], column[keep], key[keep]
        if row.size == 0:
            break
        best = _best(row, column, key, size)
        chosen = np.flatnonzero(best >= 0)
        mutual = chosen[best[best[chosen]] == chosen]
        mate[mutual] = best[mutual]
    _pair_left_over(mate, favourite, graph.weights, most)
    leader = np.minimum(mate, np.arange(size))
    return np.asarray(np.unique(leader, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def _best(row: Indices, column: Indices, key: Indices, size: int) -> Indices:
    """The neighbour with the greatest key of each vertex, -1 where it has none; rows come in order."""
    best = np.full(size, -1, dtype=np.int64)
    if row.size:
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        greatest = np.maximum.reduceat(key, starts)
        counts = np.diff(np.append(starts, row.size))
        top = key == np.repeat(greatest, counts)
        best[row[top]] = column[top]
    return best


def _pair_left_over(mate: Indices, favourite: Indices, weights: Indices, most: int) -> None:
    """Join vertices that are left over and have one favourite in common, two by two."""
    left = np.flatnonzero(mate == np.arange(mate.size))
    left = left[np.lexsort((left, favourite[left]))]
    same = np.flatnonzero(favourite[left][1:] == favourite[left][:-1])
    # Of a run of equal favourites every second pair: its parity counts from the run's start.
    starts = np.flatnonzero(np.diff(favourite[left], prepend=-2))
    run = np.repeat(starts, np.diff(np.append(starts, left.size)))
    same = same[(same - run[same]) % 2 == 0]
    one, two = left[same], left[same + 1]
    light = weights[one] + weights[two] <= most
    mate[one[light]], mate[two[light]] = two[light], one[light]
