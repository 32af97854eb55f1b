"""Axons that share lists have the lists that they would have alone, in no more words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hw_models.synapses.memory import Lists
from hw_models.synapses.shared import share

Integers = NDArray[np.int64]


def lists_of(*rows: list[tuple[int, int]]) -> Lists:
    """Lists of (index, weight)."""
    flat = np.array([pair for row in rows for pair in row], dtype=np.int64).reshape(-1, 2)
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    zeros = np.zeros(len(flat), dtype=np.int64)
    return Lists(lengths, flat[:, 0], flat[:, 1], zeros, zeros)


def test_equal_lists_are_stored_once() -> None:
    found = share(lists_of([(3, 8), (5, -2)], [(7, 8), (9, -2)], [(7, 8), (9, -4)], [(1, 8), (3, -2)]), 255)
    assert found.which.tolist() == [0, 0, 1, 0] and found.base.tolist() == [2, 6, 0, 0]
    assert found.stored.index.tolist() == [1, 3, 7, 9]


@pytest.mark.parametrize(("most", "stored"), [(9, 1), (8, 2), (3, 2), (2, 4), (0, 4)])
def test_a_list_that_is_too_far_away_is_stored_again(most: int, stored: int) -> None:
    found = share(lists_of([(0, 1)], [(3, 1)], [(6, 1)], [(9, 1)]), most)
    assert found.stored.lengths.size == stored and found.base.max() <= most


ROWS = st.lists(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from([2, 4])),
        min_size=1,
        max_size=3,
        unique_by=lambda it: it[0],
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(0, 30))
def test_every_axon_gets_back_what_it_had(rows: list[list[tuple[int, int]]], most: int) -> None:
    lists = lists_of(*(sorted(row) for row in rows))
    found = share(lists, most)
    again = found.lists
    for name in ("lengths", "index", "weight", "delay", "tag"):
        assert np.array_equal(getattr(again, name), getattr(lists, name)), name
    assert found.stored.lengths.sum() <= lists.lengths.sum()
    assert np.all((found.base >= 0) & (found.base <= most))
