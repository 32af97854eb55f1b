"""Short-term plasticity, against a loop over spike times with the solutions between them."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest

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
