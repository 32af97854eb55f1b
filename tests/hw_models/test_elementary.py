"""Elementary functions that are close to the libraries' own and have the same bits everywhere."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_models.elementary import cos_turns, exp, log, log1p


@given(st.floats(-700.0, 700.0))
def test_exp(x: float) -> None:
    assert float(exp(x)) == pytest.approx(math.exp(x), rel=3e-16 * (1 + abs(x) / 100))


@given(st.floats(5e-324, 1e308))
def test_log(x: float) -> None:
    assert float(log(x)) == pytest.approx(math.log(x), rel=1e-15, abs=1e-16)


@given(st.floats(-1.0, 1e6, exclude_min=True))
def test_log1p(x: float) -> None:
    assert log1p(x) == pytest.approx(math.log1p(x), rel=1e-15, abs=5e-324)


@given(st.floats(0.0, 1.0))
def test_cos_turns(turns: float) -> None:
    assert float(cos_turns(turns)) == pytest.approx(math.cos(2 * math.pi * turns), abs=1e-15)


def test_ends() -> None:
    assert exp(np.array([0.0, -1e9, 1e9, -745.0])).tolist() == [1.0, 0.0, math.inf, 5e-324]
    assert log(np.array([1.0, 0.0, 2.0])).tolist() == [0.0, -math.inf, math.log(2)]
    assert log1p(0.0) == 0.0 and log1p(-1.0) == -math.inf
    assert cos_turns(np.array([0.0, 0.25, 0.5, 0.75, 1.0])).tolist() == [1.0, 0.0, -1.0, 0.0, 1.0]
    assert exp(0.5).shape == log(2.0).shape == cos_turns(0.1).shape == ()


def test_the_same_bits_everywhere() -> None:
    """Pinned: another value here means that artifacts differ between machines."""
    x = np.arange(1, 20_001) / 20_001
    values = np.concatenate([exp(-30 * x), log(x), cos_turns(x)])
    assert hashlib.sha256(values.astype("<f8").tobytes()).hexdigest()[:16] == "2f7dac5be5530976"
