"""The relatives of LIF: cases worked out by hand, and Lava's LIFReset and TernaryLIF as judges."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.passes.quantize_neurons import rounded
from hw_models.diagnostics import BurstchipError
from hw_models.neurons.lif_refractory import LIF_REFRACTORY, lif_refractory_program
from hw_models.neurons.lif_reset import LIF_RESET, lif_reset_program
from hw_models.neurons.model import NeuronModel
from hw_models.neurons.ternary_lif import TERNARY_LIF, ternary_lif_program
from hw_models.program.numpy_interpreter import step
from hw_models.program.trace import Program
from hw_models.program.widths import Width

#: Parameters at which a neuron keeps its current for one step and its voltage for ever.
PLAIN = {"du": 4095, "dv": 0, "vth": 100, "bias_mant": 0, "bias_exp": 0}


def trajectory(program: Program, parameters: dict[str, Any], soma: list[Any]) -> dict[str, list[Any]]:
    shape = np.shape(soma[0])
    state: Any = {name: np.zeros(shape, dtype=np.int64) for name in program.states}
    found: dict[str, list[Any]] = {name: [] for name in (*program.states, *program.outputs)}
    for value in soma:
        given = {name: np.asarray(it) for name, it in parameters.items()}
        state, outputs = step(program, state, given, {"soma": np.asarray(value)})
        for name, values in {**state, **outputs}.items():
            found[name].append(np.asarray(values).tolist())
    return found


def test_a_refractory_neuron_stays_at_its_reset_and_its_current_goes_on() -> None:
    parameters = {**PLAIN, "du": 2047, "refractory": 2, "reset": -500, "floor": -1000}
    found = trajectory(lif_refractory_program, parameters, [200, 0, 0, 0, 0])
    assert found["u"] == [12800, 6400, 3200, 1600, 800]
    assert found["events"] == [1, 0, 0, 0, 0]
    # Two steps at the reset, then -500 + 1600 and + 800.
    assert found["v"] == [-500, -500, -500, 1100, 1900]


def test_no_refractory_time_and_a_lower_bound() -> None:
    parameters = {**PLAIN, "refractory": 0, "reset": 0, "floor": -700}
    found = trajectory(lif_refractory_program, parameters, [200, 200, -5, -10, 3])
    assert found["events"] == [1, 1, 0, 0, 0]
    assert found["v"] == [0, 0, -320, -700, -508]


def test_a_reset_neuron_forgets_at_its_times() -> None:
    parameters = {**PLAIN, "du": -1, "reset_interval": 3, "reset_offset": 1}
    found = trajectory(lif_reset_program, parameters, [2, 0, 1, 0, 0, 0])
    assert found["u"] == [128, 0, 64, 64, 0, 0]
    assert found["v"] == [128, 0, 64, 128, 0, 0]


def test_a_ternary_neuron_sends_the_side_on_which_it_left() -> None:
    found = trajectory(ternary_lif_program, {**PLAIN, "vth_lo": -50}, [101, -50, -1, 100, 1])
    assert found["signed"] == [1, 0, -1, 0, 1]
    assert found["events"] == [1, 0, 1, 0, 1]
    assert found["v"] == [0, -3200, 0, 6400, 0]


def ask_lava(cases: list[dict[str, Any]]) -> list[dict[str, list[Any]]]:
    judge = Path(__file__).with_name("lif_judge.py")
    command = [sys.executable, str(judge), "model"]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.mark.usefixtures("needs_lava")
def test_lava_s_models_give_the_same_trajectories(draw_integers: Callable[..., Any]) -> None:
    random, neurons, steps = np.random.default_rng(7), 30, 60
    programs, ours, theirs = (lif_reset_program, ternary_lif_program), [], []
    for number in range(40):
        program = programs[number % 2]
        drawn = {
            name: draw_integers(width, random, 1 if name in ("du", "dv") else neurons)
            for name, width in program.parameters.items()
        }
        shared = {name: int(drawn[name][0]) for name in ("du", "dv")}
        listed = {name: it.tolist() for name, it in drawn.items() if name not in shared}
        strength = int(2.0 ** random.uniform(2, 17))
        a_in = draw_integers(Width(-strength, strength), random, steps * neurons).reshape(steps, neurons)
        if number % 2 == 0:
            # Lava has one interval for all, and counts steps from 1.
            interval = int(random.integers(1, 12))
            offset = int(random.integers(0, interval))
            listed |= {"reset_interval": interval, "reset_offset": offset}
            given = {**shared, **listed, "reset_offset": offset + 1}
        else:
            given = {**shared, **listed, "vth_hi": listed["vth"]}
        ours.append(trajectory(program, {**shared, **listed}, a_in.tolist()))
        theirs.append({**given, "u": [0] * neurons, "v": [0] * neurons, "a_in": a_in.tolist()})
    for number, (mine, lava) in enumerate(zip(ours, ask_lava(theirs), strict=True)):
        for name, other in (("u", "u"), ("v", "v"), ("signed" if number % 2 else "events", "events")):
            np.testing.assert_array_equal(mine[name], lava[other], err_msg=f"{name} of case {number}")


def quantized(model: NeuronModel, **values: float) -> dict[str, Any]:
    given = {parameter.name: parameter.default for parameter in model.parameters}
    assert set(values) <= set(given)
    return dict(rounded(model, {**given, **values}, 1.0).integers)  # type: ignore[dict-item]


def test_physical_values_become_integers() -> None:
    # 20 mV from rest to threshold are 8192 units.
    refractory = quantized(LIF_REFRACTORY, refractory=4.5, reset=-65.0, lower_bound=-80.0)
    assert (refractory["refractory"], refractory["reset"], refractory["floor"]) == (5, 2048, -4096)
    assert quantized(LIF_REFRACTORY)["floor"] == 1 - (1 << 23)
    reset = quantized(LIF_RESET, reset_interval=10.0, reset_offset=23.0)
    assert (reset["reset_interval"], reset["reset_offset"]) == (10, 3)
    assert quantized(TERNARY_LIF, lower_threshold=-80.0)["vth_lo"] == -64


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        (LIF_REFRACTORY, {"reset": -50.0}, "BC194.*reset is not below threshold"),
        (LIF_REFRACTORY, {"lower_bound": -60.0}, "BC194.*lower_bound is not below rest"),
        (LIF_REFRACTORY, {"lower_bound": -75.0, "reset": -76.0}, "BC194.*lower_bound is not below reset"),
        (TERNARY_LIF, {"lower_threshold": -70.0}, "BC195.*lower_threshold is not below rest"),
    ],
)
def test_voltages_in_another_order_are_errors(
    model: NeuronModel, values: dict[str, float], message: str
) -> None:
    with pytest.raises(BurstchipError, match=message):
        quantized(model, **values)
