"""Sparse lists of synapses by their target: where in the rows of a list a column lies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.code.text import Text

#: Rows, and places in a row, are numbers of this many bits.
_BITS = 16
MOST = 1 << _BITS


def by_column(
    indptr: NDArray[np.int64], posts: NDArray[np.int32], size: int
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """(heads, places): column i has the entries of `places` from heads[i] to heads[i + 1], row after row.

    An entry is a row times 2^16 and the place of the synapse in that row, both below `MOST`. `size` is the
    number of columns.
    """
    heads = np.concatenate([[0], np.cumsum(np.bincount(posts, minlength=size))]).astype(np.int64)
    free = heads[:-1].copy()
    places = np.empty(len(posts), dtype=np.uint32)
    # Row after row: no more memory than the list itself, and a row has each target once at most.
    for row in range(len(indptr) - 1):
        targets = posts[indptr[row] : indptr[row + 1]]
        assert len(targets) < MOST, "a row is too long"
        places[free[targets]] = np.arange(len(targets), dtype=np.uint32) | np.uint32(row << _BITS)
        free[targets] += 1
    return heads, places


@contextmanager
def each_without_event(text: Text) -> Iterator[None]:
    """Write a loop over column i, with row j and synapse s of each row whose neuron did not emit."""
    with text.indented("for k in range(heads[i], heads[i + 1]):"):
        text.line(f"j = np.int64(places[k] >> np.uint32({_BITS}))")
        with text.indented("if tx[j] > 0:"):
            text.line("continue")
        text.line(f"s = np.int64(indptr[j]) + np.int64(places[k] & np.uint32({MOST - 1}))")
        yield
