"""`reference` runs what was asked for, not what it was rounded to: exact decays, biases, windows, weights."""

from __future__ import annotations

from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from burstchip.running.recording import record
from compiler.artifact import load_artifact, save_artifact
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import Dense
from compiler.ir.network import Endpoint, Network, Population, Projection
from compiler.ir.values import Constant
from compiler.pipeline import compile_network
from hw_models.neurons.registry import models

#: One event arrives in step ARRIVAL of every network here.
ARRIVAL = 3


def network(step_ms: float, weight_mv: float, model: str, **parameters: Any) -> Network:
    """A population `n` of one model that one event drives through one synapse."""
    populations = (
        Population("s", "spike_list", 1, {}, spikes=((0, (ARRIVAL - 1) * step_ms),)),
        Population("n", model, 1, parameters),
    )
    ends = (Endpoint("s", "events"), Endpoint("n", "soma"))
    drive = Projection("in", *ends, Dense(), Constant(weight_mv), Constant(step_ms))
    return Network("exact", step_ms, 0, populations, (drive,), (), (), None, "loihi2", {}, models())


def potentials(code: ChipProgram, steps: int) -> NDArray[np.float64]:
    """v above rest in mV after each step, from `reference`."""
    unit, name = code.population("n").units["v"]
    assert name == "mV"
    values = record(code, steps, variables=[("n", "v")], backend="reference").values["n", "v"]
    return np.asarray(values[:, 0] * unit)


def response(step_ms: float, steps: int, tau_u: float, tau_v: float, weight: float, bias: float) -> Any:
    """u <- a u + jump at the event, v <- b v + u + bias, solved, with exact decays a and b.

    The jump is such that the greatest v by the event is `weight`.
    """
    a, b = (exp(-step_ms / tau) for tau in (tau_u, tau_v))
    n = np.arange(steps)
    since = np.maximum(n - ARRIVAL + 1, 0)
    course = (b**since - a**since) / (b - a)
    return bias * (1 - b ** (n + 1)) / (1 - b) + weight * course / course.max()


@pytest.mark.parametrize(("step_ms", "tau"), [(0.1, 1000.0), (1.0, 20.0), (0.1, 100.0)])
def test_lif_is_the_solution_of_its_equations(step_ms: float, tau: float) -> None:
    """Integers would not decay at all at 1000 ms and 0.1 ms, and 102.3 ms stand for 100 ms."""
    # bias I dt / C: 0.7 pA into 100 pF.
    given = {"tau_membrane": tau, "tau_current": 5.3, "threshold": 500.0, "bias": 0.7}
    code = compile_network(network(step_ms, 0.37, "lif", **given))
    steps = 20_000
    expected = response(step_ms, steps, 5.3, tau, 0.37, 0.7 * step_ms / 100)
    assert np.abs(potentials(code, steps) / expected - 1).max() < 1e-9


def test_no_memory_is_none() -> None:
    """Integers keep 1/4096 of a potential whose time constant is 0."""
    code = compile_network(network(1.0, 5.0, "lif", tau_membrane=0.0, tau_current=0.0))
    assert code.population("n").parameters["dv"] == 4095
    assert potentials(code, 6) == pytest.approx([0, 0, 0, 5.0, 0, 0], abs=1e-12)


def test_a_window_is_what_was_asked_for() -> None:
    """700 ms, where the integers have 512: the mean rate of a silent neuron decays from its target."""
    code = compile_network(network(1.0, 0.0, "burst_unit", homeostasis_window=700.0, target_rate=33.3))
    rates = record(code, 500, variables=[("n", "R")], backend="reference").values["n", "R"][:, 0]
    unit, name = code.population("n").units["R"]
    assert name == "Hz"
    assert rates * unit == pytest.approx(33.3 * (1 - 1 / 700) ** np.arange(1, 501), rel=1e-9)


def test_the_artifact_holds_the_real_numbers(tmp_path: Path) -> None:
    given = {"tau_membrane": 1000.0, "threshold": (-50.0, -49.3), "bias": (0.3, 0.7)}
    population = Population("n", "lif", 2, given)
    code = compile_network(Network("n", 0.1, 0, (population,), (), (), (), None, "loihi2", {}, models()))
    save_artifact(code, tmp_path / "net.burst")
    loaded, _ = load_artifact(tmp_path / "net.burst")
    before, after = code.populations[0].real, loaded.populations[0].real
    assert before.keys() == after.keys() == {"du", "dv", "vth", "bias_mant"}
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)
    assert after["dv"] == pytest.approx(4096 * (1 - exp(-1e-4)))
