"""The columns of a list of synapses hold each of its synapses once."""

from __future__ import annotations

import numpy as np

from burstchip.backends.sim.code.columns import by_column


def test_each_synapse_is_in_its_column() -> None:
    random = np.random.default_rng(1)
    for rows, size in ((1, 1), (7, 40), (300, 5), (40, 300)):
        present = random.random((rows, size)) < 0.3
        indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
        posts = np.nonzero(present)[1].astype(np.int32)
        heads, places = by_column(indptr, posts, size)
        assert len(heads) == size + 1
        found = []
        for column in range(size):
            held = places[heads[column] : heads[column + 1]].astype(np.int64)
            synapses = indptr[held >> 16] + (held & 0xFFFF)
            assert np.all(posts[synapses] == column)
            assert np.all(np.diff(held >> 16) > 0)
            found += synapses.tolist()
        assert sorted(found) == list(range(len(posts)))
