"""The specification against Lava: the same weights, tags, delays and traces after every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hw_models.plasticity.grammar import learning_rule

Case = dict[str, Any]
Ask = Callable[[dict[str, Any]], Any]
Run = Callable[[Case], dict[str, list[Any]]]


def assert_equal(ours: dict[str, list[Any]], theirs: dict[str, list[Any]]) -> None:
    for name, values in theirs.items():
        for step, value in enumerate(values):
            assert ours[name][step] == value, f"{name} after step {step + 1}"


anything = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(anything, max_examples=50)
@given(data=st.data())
def test_random_rules(
    data: st.DataObject, any_case: st.SearchStrategy[Case], run_specification: Run, lava: Ask
) -> None:
    case = data.draw(any_case)
    assert_equal(run_specification(case), lava({"model": case}))


@pytest.mark.slow
@settings(anything, max_examples=100)
@given(data=st.data())
def test_many_random_rules(
    data: st.DataObject, any_case: st.SearchStrategy[Case], run_specification: Run, lava: Ask
) -> None:
    case = data.draw(any_case)
    assert_equal(run_specification(case), lava({"model": case}))


@pytest.mark.parametrize("epoch", [1, 8])
def test_networks(make_case: Callable[..., Case], run_specification: Run, lava: Ask, epoch: int) -> None:
    """Five networks side by side for 200 steps, through Lava's own run time."""
    texts: list[dict[str, str]] = [
        {"dt": "u0*2^-4*x1*y1 - u0*t*y2", "dw": "u0*2^-6*t*y2"},
        {
            # The tag that carries by itself; small steps, so that it crosses its thresholds now and then.
            "dt": "u0*2^-4*x1*y1 - x0*2^5*sgn(t-64) - x0*2^5*sgn(t+64)",
            "dw": "x0*2^-1*sgn(t-64) + x0*2^-1*sgn(t+64)",
        },
        {"dw": "x0*2^-3*y1 - y0*2^-3*x1 + u0*(w-3)*2^-5"},
        {"dw": "u1*2^-2*x2*y3*sgn(w)", "dt": "x0*2^2", "dd": "y0*x1 - u1*d"},
        {"dw": "2^-2*x0*(y1-5) - 3*u2*2^1*w", "dt": "-y0*7*2^-7*(x1+20)*t*x2"},
    ]
    random = np.random.default_rng(epoch)
    cases = [
        make_case(learning_rule(**text), random, (3, 2), epoch, 200, third_factors=i != 2, even=True)
        for i, text in enumerate(texts)
    ]
    for case, answer in zip(cases, lava({"network": cases}), strict=True):
        assert_equal(run_specification(case), answer)
        assert_equal(lava({"model": case}), answer)
