from __future__ import annotations

import pytest

from benchmarks.timing import Measured, measure, rates_in_turn, summary


def test_a_summary_holds_the_median_and_the_extremes() -> None:
    rate = summary([Measured(4.0, 0.5), Measured(1.0, 0.9), Measured(2.0, 0.7)])

    assert (rate.median, rate.lowest, rate.highest, rate.busy, rate.repeats) == (2.0, 1.0, 4.0, 0.7, 3)
    assert rate.spread == 1.5
    assert rate.as_json() == {
        "median": 2.0,
        "lowest": 1.0,
        "highest": 4.0,
        "spread": 1.5,
        "busy": 0.7,
        "per_core_second": 2.0 / 0.7,
        "repeats": 3,
    }


def test_a_rate_is_units_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, used = iter([10.0, 14.0]), iter([1.0, 3.0])
    monkeypatch.setattr("benchmarks.timing.perf_counter", lambda: next(clock))
    monkeypatch.setattr("benchmarks.timing.process_time", lambda: next(used))

    assert measure(lambda: 100.0) == Measured(rate=25.0, busy=0.5)


def test_works_are_measured_in_turn() -> None:
    calls: list[str] = []

    def work(name: str) -> float:
        calls.append(name)
        return 1.0

    rates = rates_in_turn(lambda: work("a"), lambda: work("b"), repeats=3)

    assert calls == ["a", "b"] * 3
    assert [rate.repeats for rate in rates] == [3, 3]
