"""Sources emit at the rate, the times and the level they are told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.passes.quantize_neurons import rounded
from hw_models.diagnostics import BurstchipError
from hw_models.neurons.registry import models
from hw_models.neurons.sources import (
    PHASE,
    POISSON_NOISE,
    current_source_program,
    poisson_source_program,
    rate_source_program,
    spike_list_program,
)
from hw_models.program.numpy_interpreter import step
from hw_models.program.random import at, key


def rate_events(value: Any, steps: int, reset_every: int) -> Any:
    state: Any = {"phase": np.zeros(np.size(value), dtype=np.int64)}
    events = []
    for clock in range(steps):
        inputs = {"value": value, "reset": int(clock % reset_every == 0)}
        state, outputs = step(rate_source_program, state, {}, inputs, int(key(1, 1, clock)))
        events.append(outputs["events"])
    return np.array(events)


@pytest.mark.parametrize("value", [0, 1, 37, 1000, PHASE // 3, PHASE // 2, 65535, PHASE])
def test_a_rate_source_emits_evenly(value: int) -> None:
    events = rate_events(np.full(50, value), 400, 1000)
    counts = events.sum(axis=0)
    expected = value / PHASE * 400
    assert np.all(np.abs(counts - expected) <= 1)
    # Random phases: in the mean over neurons the count is exact.
    assert abs(counts.mean() - expected) < 0.25
    for neuron in range(50):
        gaps = np.diff(np.flatnonzero(events[:, neuron]))
        assert gaps.size == 0 or gaps.max() - gaps.min() <= 1


def test_encoded_rates_are_the_published_phase_accumulator() -> None:
    """`phi + X >= 1024` with `phi = at(key, j) & 1023` at the start of a sample."""
    values = np.array([0, 1, 200, 555, 1023])
    events = rate_events(values << 6, 96, 48)
    for j, x in enumerate(values):
        for clock in range(96):
            if clock % 48 == 0:
                phase = int(at(key(1, 1, clock), j)) & 1023
            phase += int(x)
            assert events[clock, j] == (phase >= 1024)
            phase &= 1023


def test_a_poisson_source_emits_at_its_rate_and_independently() -> None:
    values = np.array([0, 655, PHASE // 4, PHASE])
    events = np.array(
        [
            step(poisson_source_program, {}, {}, {"value": values}, int(key(2, 3, n)))[1]["events"]
            for n in range(4000)
        ]
    )
    rates = events.mean(axis=0)
    assert rates[0] == 0 and rates[3] == 1
    assert rates[1] == pytest.approx(0.01, abs=0.006)
    assert rates[2] == pytest.approx(0.25, abs=0.03)
    quarter = events[:, 2]
    assert np.mean(quarter[1:] & quarter[:-1]) == pytest.approx(1 / 16, abs=0.02)


def test_a_spike_list_says_what_it_is_told() -> None:
    assert step(spike_list_program, {}, {}, {"value": np.array([0, 1])})[1]["events"].tolist() == [0, 1]


def test_a_current_lasts_from_start_to_before_stop() -> None:
    given = {"level": -300, "start": 2, "stop": 5}
    levels = [int(step(current_source_program, {}, given, {"clock": n})[1]["current"]) for n in range(7)]
    assert levels == [0, 0, -300, -300, -300, 0, 0]


@pytest.mark.parametrize(
    ("name", "values", "step_ms", "integers"),
    [
        ("rate_source", {"rate": 100.0, "max_rate": 195.3}, 1.0, {"value": 6554, "max_value": 200}),
        ("rate_source", {"rate": 100.0, "max_rate": 195.3}, 0.1, {"value": 655, "max_value": 20}),
        ("poisson_source", {"rate": 1000.0, "max_rate": 1000.0}, 1.0, {"value": PHASE, "max_value": 1023}),
        (
            "current_source",
            {"level": -7.0, "start": 10.0, "stop": 20.0},
            0.5,
            {"level": -7, "start": 20, "stop": 40},
        ),
    ],
)
def test_physical_values_become_integers(
    name: str, values: dict[str, float], step_ms: float, integers: dict[str, int]
) -> None:
    assert dict(rounded(models()[name], values, step_ms).integers) == integers


@pytest.mark.parametrize("model", ["poisson_source", "rate_source"])
@pytest.mark.parametrize("name", ["rate", "max_rate"])
def test_a_source_emits_at_most_one_event_a_step(model: str, name: str) -> None:
    values = {"rate": 0.0, "max_rate": 0.0}
    rounded(models()[model], values | {name: 2000.0}, 0.5)
    with pytest.raises(BurstchipError) as caught:
        rounded(models()[model], values | {name: np.array([1.0, 2001.0])}, 0.5)
    assert str(caught.value) == (
        f"error[BC694]: a {name} exceeds one event a step\n"
        "  required: at most 2000 Hz at a step of 0.5 ms    given: 2001 Hz"
        "    hint: a shorter step, or more sources that emit less often"
    )


def test_what_a_source_cannot_do_is_in_its_report() -> None:
    def represented(name: str, values: dict[str, float], step_ms: float) -> dict[str, float]:
        found = rounded(models()[name], values, step_ms)
        return {name: float(line.value(found.represented)) for name, line in found.numbers.represents.items()}

    # A source that never stops: the last step that the clock can count.
    values = {"level": 2.0, "start": 0.3, "stop": 2147483647.0}
    assert rounded(models()["current_source"], values, 0.1).integers["stop"] == 2147483647
    lines = represented("current_source", values, 0.1)
    assert lines["start"] == pytest.approx(0.3)
    assert lines["stop"] == 2147483647.0


def noise(rate: Any, step_ms: float, size: int, steps: int) -> Any:
    """Counts [step, neuron] of `poisson_noise`."""
    found = rounded(POISSON_NOISE, {"rate": rate}, step_ms)
    given = {name: np.broadcast_to(value, (size,)) for name, value in found.integers.items()}
    keys = (int(key(1, 1, clock)) for clock in range(steps))
    return np.array([step(POISSON_NOISE.program, {}, given, {}, key=it)[1]["count"] for it in keys])


@pytest.mark.parametrize(
    ("rate", "step_ms"),
    [(500.0, 0.1), (500.0, 1.0), (1500.0, 1.0), (20.0, 1.0), (4000.0, 1.0), (0.02, 0.1)],
)
def test_noise_counts_as_a_poisson_process(rate: float, step_ms: float) -> None:
    found = noise(rate, step_ms, 1000, 100)
    mean = rate * step_ms / 1000
    # Within four standard errors.
    assert found.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / found.size))
    assert found.var() == pytest.approx(mean, abs=4 * np.sqrt((mean + 2 * mean**2) / found.size))


def test_noise_of_neighbours_and_of_steps_is_independent() -> None:
    found = noise(800.0, 1.0, 2000, 200)
    found = (found - found.mean()) / found.std()
    for one, other in ((found[:, :-1], found[:, 1:]), (found[:-1], found[1:])):
        assert abs(np.mean(one * other)) < 4 / np.sqrt(one.size)
    # The first neuron, from which the first distance counts, and the last are as busy as the others.
    for edge in (found[:, 0], found[:, -1]):
        assert abs(edge.mean()) < 4 / np.sqrt(edge.size)


def test_noise_of_a_rate_for_each() -> None:
    rates = np.repeat([0.0, 5.0, 100.0, 2000.0], 500)
    found = noise(rates, 1.0, 2000, 200).reshape(200, 4, 500).mean(axis=(0, 2))
    mean = np.array([0.0, 0.005, 0.1, 2.0])
    assert np.all(np.abs(found - mean) <= 4 * np.sqrt(mean / 100_000) + 2e-5 * mean)


def test_a_rate_of_noise_is_in_its_report() -> None:
    for rate, step_ms in ((0.02, 0.1), (5.0, 0.1), (500.0, 1.0), (4000.0, 1.0)):
        found = rounded(POISSON_NOISE, {"rate": rate}, step_ms)
        line = found.numbers.represents["rate"]
        assert float(line.value(found.represented)) == pytest.approx(rate, rel=5e-5)
    with pytest.raises(BurstchipError, match="at most 4000 Hz"):
        rounded(POISSON_NOISE, {"rate": 4001.0}, 1.0)


@pytest.mark.parametrize("mean", [0.0005, 0.05, 0.5, 1.0, 4.0])
def test_a_step_tells_apart_as_many_events_as_there_ever_are(mean: float) -> None:
    """The share of events beyond is below 10^-5, and would not be with one fewer."""
    most = int(rounded(POISSON_NOISE, {"rate": mean * 1000}, 1.0).integers["most"])
    probabilities = [np.exp(-mean)]
    for k in range(1, 60):
        probabilities.append(probabilities[-1] * mean / k)
    lost = [sum((n - k) * p for n, p in enumerate(probabilities) if n > k) / mean for k in (most - 1, most)]
    assert lost[1] < 1e-5 <= lost[0]
