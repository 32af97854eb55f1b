"""The burst rule: against its equations, written here as loops over events and bursts."""

from __future__ import annotations

from math import exp
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from burstchip import compile_file, record
from burstchip.running.verification import verify
from compiler.ir.chip_program import ChipProgram

NETWORK = """burstchip: 1
name: rule
step: STEP ms
seed: 4
populations:
  sources: {model: poisson_source, size: 30, rate: 40 Hz}
  train: {model: poisson_source, size: 30, rate: 60 Hz}
  before: {model: burst_detector, size: 30}
  after: {model: burst_detector, size: 30, KEYS}
plasticity:
  rule:
    every: EVERY
    traces: [{name: x1, tau: 20 ms, increment: 16}, {name: x2, tau: 0 ms, increment: 16}]
    dw: "RULE"
projections:
  - {from: sources, to: before.spikes, connectivity: one_to_one, weight: 1}
  - {from: train, to: after.spikes, connectivity: one_to_one, weight: 1}
  - name: learned
    from: before.events
    to: after.synapses
    connectivity: {probability: 30 %}
    weight: 0
    limit: 1
    learn: rule
signals:
  gate: {to: after.plastic, steps: [[0 ms, 0], [100 ms, 1], [400 ms, 0], [500 ms, 1]]}
probes:
  - after.events
  - after.bursts
  - after.y1
  - after.y3
  - after.E
  - after.P
  - after.S
  - learned.w
  - learned.x1
  - before.events
target: TARGET
"""
RULE = "u0*2^-4*x1*y1 + x0*2^-4*x2*y3"
BOTH = "tau_average: 300 ms, rate_high: 15 Hz, rate_low: 45 Hz, tau_rate: 500 ms"
#: A burst in y1, 1 Hz in y3, and what the chip divides the product of a trace and a third factor by.
BURST, HERTZ, DIVIDED = 64.0, 16.0, 8.0


def compiled(
    folder: Path,
    keys: str = BOTH,
    step_ms: float = 1.0,
    every: str = "1 ms",
    rule: str = RULE,
    target: str = "loihi2",
) -> ChipProgram:
    text = NETWORK.replace("KEYS", keys).replace("STEP", f"{step_ms:g}").replace("EVERY", every)
    path = folder / "net.yaml"
    path.write_text(text.replace("RULE", rule).replace("TARGET", target), encoding="utf-8")
    return compile_file(path)[0]


def values(code: ChipProgram, steps: int, backend: str, *names: str) -> dict[str, NDArray[np.float64]]:
    """The probes, or these variables: weights are looked at step by step, which takes its time."""
    found = record(code, steps, names, backend=backend).values
    return {".".join(place): np.asarray(it, dtype=np.float64) for place, it in found.items()}


def gated(n: int) -> bool:
    return 100 <= n < 400 or n >= 500


def test_real_numbers_follow_the_equations(tmp_path: Path) -> None:
    """E, P, S, both factors and every weight, over 1 s at a step of 1 ms."""
    code = compiled(tmp_path, target="none")
    seen = values(code, 1000, "reference")
    kept, kept_rate, kept_trace = exp(-1 / 300), exp(-1 / 500), exp(-1 / 20)
    projection = code.projection("learned")
    weights = np.zeros(projection.weights.size)
    events_average, bursts_average, spikes_average = (np.zeros(30) for _ in range(3))
    trace = np.zeros(30)
    spikes = values_of_spikes(code, 1000)
    raised = lowered = starved = 0
    for n in range(1000):
        event, burst = seen["after.events"][n], seen["after.bursts"][n]
        rate, rate_of_spikes = events_average / 0.3, spikes_average / 0.5
        with np.errstate(divide="ignore", invalid="ignore"):
            usual = np.where(events_average > 0, bursts_average / events_average, 0)
            h = np.where(rate > 15, -(1 - 15 / rate), 0)
        y1 = np.where(event > 0, -np.minimum(usual, 1) + h, 0) + np.where(burst > 0, 1 + h, 0)
        y3 = np.maximum(45 - rate_of_spikes, 0)
        gate = float(gated(n))
        np.testing.assert_allclose(seen["after.y1"][n], gate * BURST * y1, atol=1e-9)
        np.testing.assert_allclose(seen["after.y3"][n], gate * np.minimum(HERTZ * y3, 127), atol=1e-9)
        before = seen["before.events"][n]
        trace = trace * kept_trace + 16 * before
        np.testing.assert_allclose(seen["learned.x1"][n], trace, atol=1e-9)
        pre, post = projection.pre, projection.post
        change = 2.0**-4 / DIVIDED * trace[pre] * seen["after.y1"][n][post]
        change += before[pre] * 2.0**-4 / DIVIDED * 16 * seen["after.y3"][n][post]
        weights = np.clip(weights + change, *(np.array([-1, 1]) / projection.event_unit))
        np.testing.assert_allclose(seen["learned.w"][n], weights, atol=1e-7)
        raised += int(np.sum((burst > 0) & (y1 > 0) & bool(gate)))
        lowered += int(np.sum((h < 0) & (event > 0) & bool(gate)))
        starved += int(np.sum((y3 > 0) & bool(gate)))
        events_average = (events_average + event) * kept
        bursts_average = (bursts_average + burst) * kept
        spikes_average = (spikes_average + spikes[n]) * kept_rate
        np.testing.assert_allclose(seen["after.E"][n] / 4096, events_average, atol=1e-9)
        np.testing.assert_allclose(seen["after.S"][n] / 4096, spikes_average, atol=1e-9)
        now = events_average > 0
        ratio = bursts_average[now] / events_average[now]
        np.testing.assert_allclose(seen["after.P"][n][now] / 32768, ratio, atol=1e-9)
    assert min(raised, lowered, starved) > 100, "each part of the rule acted"


def values_of_spikes(code: ChipProgram, steps: int) -> NDArray[np.float64]:
    """The spikes that arrive, which detectors do not emit: those of the source, a step later."""
    emitted = np.asarray(record(code, steps, ["train.events"], backend="reference").values["train", "events"])
    return np.vstack([np.zeros((1, emitted.shape[1])), emitted[:-1]])


@pytest.mark.parametrize("step_ms", [0.5, 1.0])
def test_integers_stay_near_real_numbers(step_ms: float, tmp_path: Path) -> None:
    """Averages within 1 %, the usual probability within 2 %, over all neurons: rounding does not drift."""
    code = compiled(tmp_path, "tau_average: 2 s, rate_high: 30 Hz", step_ms, "8 ms", "u0*2^-4*x1*y1")
    steps = round(8000 / step_ms)
    seen = [f"after.{it}" for it in ("events", "y1", "E", "P", "S")]
    real, integer = (values(code, steps, backend, *seen) for backend in ("reference", "sim"))
    assert np.array_equal(real["after.events"], integer["after.events"]), "the same spikes"
    late = slice(steps // 2, None)
    for name, tolerance in (("after.E", 0.01), ("after.S", 0.01), ("after.P", 0.02)):
        one, other = real[name][late].mean(), integer[name][late].mean()
        assert other == pytest.approx(one, rel=tolerance), name
    deviation = np.abs(integer["after.P"][late] - real["after.P"][late]) / 32768
    assert deviation.mean() < 0.005
    taught, wanted = integer["after.y1"].sum(), real["after.y1"].sum()
    assert taught == pytest.approx(wanted, abs=0.02 * np.abs(real["after.y1"]).sum())


def test_a_stationary_neuron_teaches_nothing_on_average(tmp_path: Path) -> None:
    """Bursts come with the usual probability: y1 is 0 in the mean, though single spikes and bursts differ."""
    seen = values(compiled(tmp_path, "tau_average: 1 s", rule="u0*2^-4*x1*y1"), 2000, "reference")
    y1, events, bursts = seen["after.y1"][1000:], seen["after.events"][1000:], seen["after.bursts"][1000:]
    assert np.all(y1[(events > 0) & (bursts == 0)] < 0)
    assert np.all(y1[bursts > 0] == BURST)
    assert abs(y1.sum()) < 0.05 * np.abs(y1).sum()


def test_a_closed_gate_changes_nothing(tmp_path: Path) -> None:
    for backend in ("sim", "reference"):
        seen = values(compiled(tmp_path), 500, backend)["learned.w"]
        assert not seen[:100].any()
        assert seen[399].any()
        # An epoch that has begun is not cut off: it is one step here.
        assert np.array_equal(seen[400], seen[499])


@pytest.mark.parametrize("model", ["burst_detector", "burst_trace_detector"])
def test_plain_and_sim_agree(model: str, tmp_path: Path) -> None:
    text = NETWORK.replace("after: {model: burst_detector", f"after: {{model: {model}")
    path = tmp_path / "net.yaml"
    text = text.replace("KEYS", BOTH).replace("STEP", "1").replace("EVERY", "4 ms").replace("RULE", RULE)
    path.write_text(text.replace("TARGET", "loihi2"), encoding="utf-8")
    code = compile_file(path)[0]
    assert verify(code, 600, backends=("sim", "plain")).difference is None


def test_lava_agrees(tmp_path: Path, needs_lava: None) -> None:
    code = compiled(tmp_path, every="2 ms")
    assert verify(code, 300, backends=("sim", "lava")).difference is None


def test_the_rate_that_lifts_may_be_of_events(tmp_path: Path) -> None:
    keys = "tau_average: 300 ms, rate_low: 45 Hz, low_of_events: 1"
    seen = values(compiled(tmp_path, keys, target="none"), 1000, "reference")
    before = np.vstack([np.zeros((1, 30)), seen["after.E"][:-1]]) / 4096 / 0.3
    wanted = np.minimum(HERTZ * np.maximum(45 - before, 0), 127)
    open_now = np.array([gated(n) for n in range(1000)])
    np.testing.assert_allclose(seen["after.y3"][open_now], wanted[open_now], atol=1e-9)
    assert not seen["after.y3"][~open_now].any()


@pytest.mark.parametrize("backend", ["reference", "sim"])
def test_a_constant_baseline(backend: str, tmp_path: Path) -> None:
    """P stays at 20 %: single spikes count -0.2 and bursts 1, however many bursts there were."""
    keys = "tau_average: 300 ms, usual_held: 1, initial: {P: 20 %, E: 5 Hz}"
    target = "none" if backend == "reference" else "loihi2"
    seen = values(compiled(tmp_path, keys, rule="u0*2^-4*x1*y1", target=target), 1500, backend)
    np.testing.assert_allclose(seen["after.P"] / 32768, 0.2, atol=1e-4)
    events, bursts, y1 = (seen[f"after.{it}"][500:] for it in ("events", "bursts", "y1"))
    assert y1[(events > 0) & (bursts == 0)].mean() == pytest.approx(-0.2 * BURST, rel=0.05)
    assert np.all(y1[bursts > 0] == BURST)
    assert seen["after.E"][-1].mean() / 4096 / 0.3 > 15


def test_one_of_the_options_brings_the_others_with_their_defaults(tmp_path: Path) -> None:
    code = compiled(tmp_path, "rate_high: 30 Hz", rule="u0*2^-4*x1*y1")
    found = {it.parameter: it.requested for it in code.quantisation if it.where == "after"}
    assert found["rate_high"] == 30
    assert (found["tau_average"], found["tau_rate"], found["rate_low"]) == (5000, 30000, 0)
    assert not set(code.population("before").program.outputs) & {"y1", "y3"}
