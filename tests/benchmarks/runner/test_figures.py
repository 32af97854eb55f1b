"""Numbers with intervals, beside what formulas say."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.runner.figures import latencies, mean_over, reached, served, share_wrong, trials
from benchmarks.runner.result import Entry, Number
from benchmarks.runner.summary import rows, text_of


def test_a_mean_has_students_interval() -> None:
    found = mean_over([1.0, 2.0, 3.0], "%", "seeds")
    # t of 2 degrees of freedom at 97.5 % is 4.303; the standard error 1 / sqrt(3).
    assert found.low == pytest.approx(2 - 4.303 / np.sqrt(3), abs=1e-3)
    assert text_of(found) == "2 % (-0.484 to 4.48)"
    assert mean_over([1.0], "%", "seeds").low is None


def test_a_share_has_wilsons_interval() -> None:
    found = share_wrong(0, 100)
    assert found.value == 0 and found.low == pytest.approx(0)
    # z^2 / (n + z^2) where none is wrong.
    assert found.high == pytest.approx(100 * 1.96**2 / (100 + 1.96**2), rel=1e-3)


@pytest.mark.parametrize(("rates", "said"), [([100.0, 104.0], "all within 5 %"), ([100.0, 120.0], "not all")])
def test_trials_say_whether_they_are_steady(rates: list[float], said: str) -> None:
    found = trials(rates, "samples/s", "offline")
    assert said in found.method and (found.low, found.high) == (min(rates), max(rates))


def test_percentiles_are_those_of_numpy() -> None:
    found = latencies([k / 1000 for k in range(101)], "calls")
    assert [found[f"latency_p{p}"].value for p in (50, 90, 99)] == pytest.approx([50, 90, 99])


@pytest.mark.parametrize("load", [0.3, 0.5, 0.8])
def test_a_queue_of_constant_service_waits_as_long_as_the_formula_says(load: float) -> None:
    """P(no wait) of M/D/1 is 1 - load; the mean wait load s / (2 (1 - load)), here seen at a quantile."""
    found = served([0.001] * 10, load, requests=200_000)
    # In units of the service time, by the series of Erlang for the waiting time of M/D/1.
    x = found.value - 1
    k = np.arange(int(x) + 1)
    factorials = np.cumprod(np.maximum(k, 1.0))
    terms = (-load * (x - k)) ** k / factorials * np.exp(load * (x - k))
    assert (1 - load) * float(np.sum(terms)) == pytest.approx(0.99, abs=0.002)


def test_estimates_of_several_seeds_keep_their_ranges() -> None:
    numbers = [
        Number(value=value, unit="uJ", source="estimated", method="chip", low=low, high=high)
        for value, low, high in ((2.0, 1.0, 5.0), (4.0, 3.0, 9.0))
    ]
    entries = [
        Entry(
            workload="w", kind="run", target="sim", seed=k, status="done", numbers={"energy": it},
        )
        for k, it in enumerate(numbers)
    ]  # fmt: skip
    found = rows(entries)[0].numbers["energy"]
    assert (found.value, found.low, found.high) == (3, 1, 9)


def test_what_was_not_reached_says_so() -> None:
    assert text_of(reached(None, 500, "goal")) == "more than 500 samples"
    assert text_of(reached(120, 500, "goal")) == "120 samples"
    assert text_of(None) == ""
    assert text_of(Number(value=12345.6, unit="", source="assumed", method="")) == "12,346"
