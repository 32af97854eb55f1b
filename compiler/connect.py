"""Which neurons a rule of connectivity joins, in time and memory that grow with the synapses it gives.

A row is a source neuron of `FixedProbability` or a target neuron of `FixedInDegree`. It has random
numbers of its own, of which draw i is

    at(key(seed, stream, row), 2 i)          its high half
    at(key(seed, stream, row), 2 i + 1)      its low half

So what one row draws depends on no other row, no other projection and on no order of work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from compiler.draws import BLOCK, Indices
from hw_models.elementary import log, log1p
from hw_models.program.random import at, key

Wide = NDArray[np.int64]
Keys = NDArray[np.uint32]


def _halves(keys: Keys, draw: Wide) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    return at(keys, 2 * draw).astype(np.uint64), at(keys, 2 * draw + 1).astype(np.uint64)


def _gaps(keys: Keys, draw: Wide, probability: float, most: int) -> Wide:
    """Neurons passed over until the next chosen one: floor(ln u / ln(1 - p)), `most` at most."""
    high, low = _halves(keys, draw)
    # 52 bits in the middle of their interval: u is neither 0 nor 1, and exact.
    u = (((high << np.uint64(20)) | (low >> np.uint64(12))).astype(np.float64) + 0.5) * 2.0**-52
    gaps = np.floor(log(u) / log1p(-probability))
    return np.asarray(np.minimum(gaps, most), dtype=np.int64)


def with_probability(
    probability: float, n_pre: int, n_post: int, seed: int, stream: int
) -> tuple[Indices, Indices]:
    """Each pair with this probability, independently; sorted by source and then target neuron."""
    found = list(_probable_blocks(probability, n_pre, n_post, seed, stream)) if probability > 0 else []
    return _joined([pre for pre, _ in found]), _joined([post for _, post in found])


def _joined(parts: list[Indices]) -> Indices:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)


def _probable_blocks(
    probability: float, n_pre: int, n_post: int, seed: int, stream: int
) -> Iterator[tuple[Indices, Indices]]:
    mean = n_post * probability
    # Enough for nearly every row, so that few need a second helping.
    first_draws = int(mean + 4 * math.sqrt(mean * (1 - probability))) + 4
    rows = max(1, BLOCK // first_draws)
    for first in range(0, n_pre, rows):
        row = np.arange(first, min(first + rows, n_pre))
        keys = key(seed, stream, row)
        last, drawn, draws = np.full(row.shape, -1), 0, first_draws
        pre, post = [], []
        while row.size:
            draw = np.arange(drawn, drawn + draws)
            steps = _gaps(keys[:, None], draw[None, :], probability, n_post) + 1
            reached = last[:, None] + np.cumsum(steps, axis=1)
            inside = reached < n_post
            pre.append(np.repeat(row, np.count_nonzero(inside, axis=1)).astype(np.int32))
            post.append(reached[inside].astype(np.int32))
            unfinished = inside[:, -1]
            row, keys, last = row[unfinished], keys[unfinished], reached[unfinished, -1]
            drawn, draws = drawn + draws, first_draws // 8 + 4
        sources, targets = np.concatenate(pre), np.concatenate(post)
        if len(pre) > 1:
            order = np.argsort(sources, kind="stable")
            sources, targets = sources[order], targets[order]
        yield sources, targets


def without_autapses(pre: Indices, post: Indices) -> tuple[Indices, Indices]:
    """The pairs of two different neurons of one population."""
    apart = pre != post
    return pre[apart], post[apart]


def with_in_degree(
    in_degree: int, n_pre: int, n_post: int, seed: int, stream: int, *, autapses: bool = True
) -> tuple[Indices, Indices]:
    """Each target neuron from `in_degree` different sources; sorted by source and then target neuron.

    Without `autapses` a target neuron draws from all sources but the one of its own number.
    """
    available = n_pre if autapses else n_pre - 1
    assert 0 <= in_degree <= available, "more sources than there are"
    chosen = min(in_degree, available - in_degree)
    places = []
    rows = max(1, BLOCK // max(in_degree, 1))
    for first in range(0, n_post if in_degree else 0, rows):
        count = min(rows, n_post - first)
        target, source = _different(
            chosen, count, available, key(seed, stream, np.arange(first, first + count))
        )
        if chosen != in_degree:
            kept = np.ones((count, available), dtype=bool)
            kept[target, source] = False
            target, source = np.nonzero(kept)
        if not autapses:
            source = source + (source >= first + target)
        places.append(source * n_post + (first + target))
    place = np.concatenate(places) if places else np.empty(0, dtype=np.int64)
    places.clear()
    place.sort()
    pre = (place // n_post).astype(np.int32)
    place -= pre.astype(np.int64) * n_post
    return pre, place.astype(np.int32)


def _different(chosen: int, rows: int, n: int, keys: Keys) -> tuple[Wide, Wide]:
    """(row, number) of `chosen` different numbers below `n` a row, sorted.

    Numbers are drawn until there are enough different ones. No number is treated unlike another, so every
    choice is equally likely; at most half of all numbers are chosen, so at least every second draw is new.
    """
    found = np.empty(0, dtype=np.int64)
    drawn, missing = np.zeros(rows, dtype=np.int64), np.full(rows, chosen, dtype=np.int64)
    while np.any(missing):
        row = np.repeat(np.arange(rows), missing)
        draw = np.arange(row.size) - np.repeat(np.cumsum(missing) - missing - drawn, missing)
        high, low = _halves(keys[row], draw)
        number = (high * np.uint64(n) + (low * np.uint64(n) >> np.uint64(32))) >> np.uint64(32)
        found = np.unique(np.concatenate([found, row * n + number.astype(np.int64)]))
        drawn += missing
        missing = chosen - np.bincount(found // n, minlength=rows)
    row, number_in_row = np.divmod(found, n)
    return row, number_in_row
