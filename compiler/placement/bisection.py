"""The vertices of a small graph in a row, so that heavy edges are short: by halving it again and again.

Each half is grown from one vertex and then improved after Fiduccia and Mattheyses: vertices move to the
other side one by one, the best first, and the best of all states on the way is kept. What lies left and right
of a part decides which of its halves comes first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

_PASSES = 6
#: Moves without a better state after which a pass ends.
_PATIENCE = 60


def row_order(edges: Indices, weights: Indices, sections: int = 1) -> Indices:
    """The vertices of a symmetric dense matrix of edges in a row.

    Few edges cross between the sections, of equal weight, that the row is later cut into.
    """
    order: list[int] = []
    parts = [(np.arange(weights.size), np.zeros(weights.size, dtype=np.int64), sections)]
    while parts:
        part, pull, count = parts.pop()
        if part.size <= 2:
            order += part[np.lexsort((part, -pull))].tolist()
            continue
        inner = edges[np.ix_(part, part)]
        near, whole = (count // 2, count) if count > 1 else (1, 2)
        left = _half(inner, weights[part], pull, int(weights[part].sum()) * near // whole)
        # Connections to the sibling pull as those to everything outside do.
        toward = inner @ left.astype(np.int64), inner @ (~left).astype(np.int64)
        parts.append((part[~left], (pull + toward[0])[~left], count - count // 2))
        parts.append((part[left], (pull - toward[1])[left], max(1, count // 2)))
    return np.array(order, dtype=np.int64)


def _half(edges: Indices, weights: Indices, pull: Indices, aim: int) -> NDArray[np.bool_]:
    """Which vertices form the left part, of about the weight `aim`.

    `pull` is how much more each is joined to what lies left of all these than to what lies right. It decides
    only between halves that cut the same edges: else all parts would become thin slices.
    """
    degree = edges.sum(axis=1)
    seeds = dict.fromkeys(int(v) for v in (np.argmax(pull), np.argmin(pull), np.argmin(degree), 0))
    found = [_improved(edges, weights, _grown(edges, weights, seed, aim), aim) for seed in seeds]
    left = min(found, key=lambda side: (_cut(edges, side), -int(pull[side].sum())))
    other = ~left
    fits = abs(int(weights[other].sum()) - aim) <= abs(int(weights[left].sum()) - aim)
    return other if fits and pull[other].sum() > pull[left].sum() else left


def _cut(edges: Indices, left: NDArray[np.bool_]) -> int:
    """The weight of the edges between a part and the rest."""
    return int(edges[np.ix_(left, ~left)].sum())


def _grown(edges: Indices, weights: Indices, seed: int, aim: int) -> NDArray[np.bool_]:
    """Vertices of the weight `aim`, from one on: next comes what is joined most to them."""
    left = np.zeros(weights.size, dtype=bool)
    gain = -edges.sum(axis=1)
    weight, at = 0, seed
    while True:
        left[at] = True
        weight += int(weights[at])
        gain += 2 * edges[at]
        if weight >= aim or left.all():
            break
        at = int(np.argmax(np.where(left, np.iinfo(np.int64).min, gain)))
    if left.all():
        left[int(np.argmin(gain))] = False
    return left


def _improved(edges: Indices, weights: Indices, left: NDArray[np.bool_], aim: int) -> NDArray[np.bool_]:
    """The left part after passes of moves, neither side empty and the left one near to the weight `aim`."""
    lowest = np.iinfo(np.int64).min
    # A vertex can leave, and another one take its place, whatever they weigh.
    slack = max(int(weights.sum()) // 200, int(weights.max()))
    for _ in range(_PASSES):
        sign = np.where(left, 1, -1).astype(np.int64)
        # What moving a vertex to the other side saves.
        gain = -sign * (edges @ sign)
        free, weight = np.ones(weights.size, dtype=bool), int(weights[left].sum())
        moved: list[int] = []
        saved = best = kept = 0
        while free.any() and len(moved) - kept < _PATIENCE:
            after = weight - sign * weights
            allowed = free & (np.abs(after - aim) <= slack)
            at = int(np.argmax(np.where(allowed, gain, lowest)))
            if not allowed[at]:
                break
            saved += int(gain[at])
            weight = int(after[at])
            gain += 2 * sign[at] * sign * edges[at]
            gain[at] = -gain[at]
            sign[at], free[at] = -sign[at], False
            moved.append(at)
            if saved > best and 0 < int((sign > 0).sum()) < sign.size:
                best, kept = saved, len(moved)
        left = left.copy()
        left[moved[:kept]] = ~left[moved[:kept]]
        if kept == 0:
            break
    return left
