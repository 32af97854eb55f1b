from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstchip.tasks.proportion import pooled_interval, wilson_interval


def test_known_intervals() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I: the score method without correction.
    low, high = wilson_interval([81, 15, 0, 1], [263, 148, 20, 29])
    assert low == pytest.approx([0.2553, 0.0624, 0.0, 0.0061], abs=5e-5)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718], abs=5e-5)


@given(st.integers(1, 10**6), st.data())
def test_the_share_is_inside(of: int, data: st.DataObject) -> None:
    cases = data.draw(st.integers(0, of))
    low, high = wilson_interval(cases, of)
    assert 0 <= low <= cases / of + 1e-12
    assert cases / of - 1e-12 <= high <= 1


def test_nothing_counted_says_nothing() -> None:
    low, high = wilson_interval(0, 0)
    assert np.isnan(low)
    assert np.isnan(high)


def test_groups_that_differ_widen_the_interval() -> None:
    """Ten groups of twenty cases: all alike it is Wilson's, all or none in a group much wider."""
    of = np.full((10, 1), 20)
    alike, apart = np.full((10, 1), 10), np.repeat([[0], [20]], 5, axis=0)
    narrow, wide = pooled_interval(alike, of), pooled_interval(apart, of)
    expected = wilson_interval(100, 200)
    assert (narrow[0][0], narrow[1][0]) == pytest.approx(expected)
    # The standard error of a mean of ten numbers with standard deviation 0.527.
    assert (wide[0][0], wide[1][0]) == pytest.approx((0.5 - 1.96 / 6, 0.5 + 1.96 / 6), abs=1e-4)
    one = pooled_interval(alike[:1], of[:1])
    assert (one[0][0], one[1][0]) == pytest.approx(wilson_interval(10, 20))
