"""Short-term plasticity, against a loop over spike times with the solutions between them."""

from __future__ import annotations

from math import exp
from pathlib import Path

import numpy as np
import pytest

from burstchip.compilation import compile_file
from burstchip.running.recording import record
from burstchip.running.verification import verify
from compiler.ir.chip_program import ChipProgram
from hw_models.neurons.model import NeuronModel
from hw_models.program import numpy_interpreter, real_interpreter
from hw_models.synapses.short_term import DEPRESSING, FACILITATING, RELEASE_BITS

STEP_MS = 0.5
UNIT = 2.0**-RELEASE_BITS


def released(spikes: list[int], values: dict[str, float]) -> list[float]:
    """What each spike releases, by the solutions of both equations from one spike to the next."""
    x, u, last, found = 1.0, values["baseline"], 0, []
    for now in spikes:
        passed = (now - last) * STEP_MS
        x = 1 - (1 - x) * exp(-passed / values["tau_depression"])
        u = values["baseline"] + (u - values["baseline"]) * exp(-passed / values["tau_facilitation"])
        found.append(u * x)
        x, u, last = x - u * x, u + values["gain"] * (1 - u), now
    return found


def run(model: NeuronModel, spikes: list[int], *, real: bool) -> list[float]:
    numbers = model.in_chip_units({it.name: it.default for it in model.parameters}, STEP_MS, 8192.0)
    step = real_interpreter.step if real else numpy_interpreter.step
    given = {name: np.asarray([it.value]) for name, it in numbers.parameters.items()}
    if not real:
        given = {name: np.rint(value).astype(np.int64) for name, value in given.items()}
    state = {
        name: np.asarray(given[start] if isinstance(start, str) else [start])
        for name, start in model.program.initial.items()
    }
    found = []
    for n in range(spikes[-1] + 1):
        state, outputs = step(model.program, state, given, {"spikes": np.array([int(n in spikes)])})
        if n in spikes:
            found.append(float(outputs["release"][0]) * UNIT)
        else:
            assert outputs["release"][0] == 0
    return found


@pytest.mark.parametrize("model", [DEPRESSING, FACILITATING], ids=lambda model: model.name)
def test_releases(model: NeuronModel) -> None:
    draw = np.random.default_rng(3)
    spikes = np.unique(np.cumsum(draw.choice([1, 4, 20, 60, 400], 60))).tolist()
    wanted = released(spikes, {it.name: it.default or 0.0 for it in model.parameters})
    assert run(model, spikes, real=True) == pytest.approx(wanted, abs=1e-12)
    # 16 bits of state and a recovery that is rounded in every step.
    assert run(model, spikes, real=False) == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize(("model", "rate"), [(DEPRESSING, 20.0), (DEPRESSING, 50.0), (FACILITATING, 50.0)])
def test_steady_states(model: NeuronModel, rate: float) -> None:
    """A long regular train releases what the fixed point of both equations says, within 1 %."""
    v = {it.name: it.default or 0.0 for it in model.parameters}
    apart = 1000 / rate
    d, f = exp(-apart / v["tau_depression"]), exp(-apart / v["tau_facilitation"])
    # u before a spike: u = U + (u + g (1 - u) - U) f; x: x = 1 - (1 - x (1 - u)) d.
    u = (v["baseline"] * (1 - f) + v["gain"] * f) / (1 - f * (1 - v["gain"]))
    x = (1 - d) / (1 - d * (1 - u))
    every = round(apart / STEP_MS)
    spikes = list(range(0, 60 * every, every))
    assert run(model, spikes, real=True)[-1] == pytest.approx(u * x, rel=0.01)
    assert run(model, spikes, real=False)[-1] == pytest.approx(u * x, rel=0.01)


def test_events_and_bursts_are_told_apart() -> None:
    """Two spikes 10 ms apart: depression passes the first, facilitation more of the second."""
    first, second = run(DEPRESSING, [10, 30], real=True)
    assert first == pytest.approx(0.9) and second < 0.5 * first
    first, second = run(FACILITATING, [10, 30], real=True)
    assert first == pytest.approx(0.02) and second > 1.5 * first


LEARNING = """\
burstchip: 1
name: both
step: 1 ms
seed: 2
target: loihi2
populations:
  spikes:
    model: spike_list
    size: 2
    events: [[0, 5 ms], [0, 9 ms], [0, 60 ms], [1, 20 ms], [1, 23 ms], [1, 26 ms]]
  noise: {model: poisson_noise, size: 10, rate: 500 Hz}
  released: {model: depressing, size: 2}
  cells: {model: burst_poisson, size: 10, bias: 1500 pA, dendrite_bias: 1000 pA, tau_average: 200 ms}
  heard: {model: lif, size: 1, tau_membrane: 0 ms, tau_current: 0 ms, threshold: 500 mV}
plasticity:
  rule: {every: 1 ms, traces: [{name: x1, tau: 20 ms, increment: 100}], dw: u0*2^-7*x1*y1}
projections:
  - {from: spikes, to: released, weight: 1, connectivity: one_to_one}
  - {from: noise, to: cells.soma_exc, weight: 0.3 leak, connectivity: one_to_one}
  - {name: learned, from: released, to: cells.dendrite_exc, weight: 0.2 leak, learn: rule}
  - {from: released, to: heard.soma, weight: 100 mV}
"""


def learning(folder: Path) -> ChipProgram:
    path = folder / "net.yaml"
    path.write_text(LEARNING)
    return compile_file(path)[0]


@pytest.mark.backends("plain", "lava", reason="each is compared with sim")
def test_a_projection_that_releases_and_learns_is_the_same_everywhere(backend: str, tmp_path: Path) -> None:
    found = verify(learning(tmp_path), 120, backends=("sim", backend))
    assert found.difference is None


def test_what_is_released_is_what_learning_marks(tmp_path: Path) -> None:
    """A spike releases by the history before it, and leaves the same trace whatever it releases."""
    code = learning(tmp_path)
    asked = ["released.release", "learned.x1", "learned.w", "cells.bursts"]
    found = record(code, 120, asked, backend="reference").values
    release, trace = found["released", "release"] * UNIT, found["learned", "x1"]
    # A spike of step n reaches what releases in step n + 1.
    defaults = {it.name: it.default or 0.0 for it in DEPRESSING.parameters}
    for neuron, times in ((0, [6, 10, 61]), (1, [21, 24, 27])):
        assert np.flatnonzero(release[:, neuron]).tolist() == times
        # Its own loop counts half milliseconds.
        shares = released([2 * it for it in times], defaults)
        np.testing.assert_allclose(release[times, neuron], shares, rtol=0.03)
        rises = np.flatnonzero(np.diff(trace[:, neuron], prepend=0.0) > 0)
        assert rises.tolist() == times
        jumps = [trace[t, neuron] - (trace[t - 1, neuron] * exp(-1 / 20)) for t in times]
        np.testing.assert_allclose(jumps, 100.0, rtol=0.06)
    assert found["cells", "bursts"].sum() > 0
    assert np.any(found["learned", "w"][-1] != found["learned", "w"][0])
