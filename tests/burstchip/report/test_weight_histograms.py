from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstchip.report.weight_histograms import BINS, bin_edges


@given(
    st.lists(st.integers(-32768, 32767), min_size=2, max_size=300),
    st.floats(1e-6, 10.0),
)
def test_every_weight_is_in_a_bin_and_there_are_few_bins(mantissas: list[int], unit: float) -> None:
    values = np.array(mantissas, dtype=np.float64) * unit
    edges = bin_edges(values)
    assert (np.diff(edges) > 0).all()
    assert len(edges) <= BINS + 1
    assert np.histogram(values, edges)[0].sum() == len(values)


@pytest.mark.parametrize("levels", [2, 30, 64, 65, 100, 255, 511, 65536])
def test_bins_over_a_full_grid_hold_as_many_levels_each(levels: int) -> None:
    values = (np.arange(levels, dtype=np.float64) - levels // 2) * 0.1575
    counts = np.histogram(values, bin_edges(values))[0]
    assert len(set(counts[:-1].tolist())) <= 1
    assert counts[-1] <= counts[0]


def test_one_value_has_one_bin_around_it() -> None:
    for value in (0.0, 2.0, -3.0):
        low, high = bin_edges(np.full(5, value))
        assert low < value < high
