"""The LIF model is Lava's fixed-point LIF: cases worked out by hand, and Lava itself as judge."""

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
from hw_models.neurons.lif import LIF, lif_program
from hw_models.program.numpy_interpreter import WidthError, step
from hw_models.program.widths import Width

Case = dict[str, Any]
PARAMETERS = ("du", "dv", "vth", "bias_mant", "bias_exp")


def run(case: Case) -> dict[str, list[Any]]:
    """States and events after every step."""
    state: Any = {"u": np.asarray(case["u"]), "v": np.asarray(case["v"])}
    parameters = {name: np.asarray(case[name]) for name in PARAMETERS}
    states: dict[str, list[Any]] = {"u": [], "v": [], "events": []}
    for a_in in case["a_in"]:
        state, outputs = step(lif_program, state, parameters, {"soma": np.asarray(a_in)})
        for name, values in (("u", state["u"]), ("v", state["v"]), ("events", outputs["events"])):
            states[name].append(values.tolist())
    return states


def case(**given: Any) -> Case:
    return {"du": 0, "dv": 0, "vth": 131071, "bias_mant": 0, "bias_exp": 0, "u": 0, "v": 0, **given}


@pytest.mark.parametrize(
    ("given", "u", "v", "events"),
    [
        (
            case(du=409, dv=200, u=-1000, v=-5000, a_in=[0] * 4),
            [-899, -809, -728, -655],
            [-5654, -6186, -6611, -6943],
            [0, 0, 0, 0],
        ),
        (
            case(du=409, dv=200, u=1000, v=5000, vth=100, a_in=[0] * 4),
            [899, 809, 728, 655],
            [5654, 6186, 0, 655],
            [0, 0, 1, 0],
        ),
        (case(dv=1, u=1, v=1, a_in=[0, 0]), [0, 0], [0, 0], [0, 0]),
        (case(dv=1, u=-1, v=-1, a_in=[0, 0]), [0, 0], [0, 0], [0, 0]),
        (case(dv=1, u=5, v=3, a_in=[0] * 4), [4, 3, 2, 1], [6, 8, 9, 9], [0] * 4),
        (case(du=4095, u=12345, a_in=[7, 0]), [448, 0], [448, 448], [0, 0]),
        # The register holds +2^23 but not -2^23, which wraps to it.
        (case(du=-1, a_in=[131072]), [8388608], [0], [1]),
        (case(du=-1, a_in=[-131072]), [8388608], [0], [1]),
        (case(du=-1, a_in=[-131071, 0]), [-8388544, -8388544], [-8388544, -8388607], [0, 0]),
        (case(du=4095, a_in=[120000, 120000]), [7680000] * 2, [7680000, 0], [0, 1]),
        (case(du=4095, a_in=[-120000, -120000]), [-7680000] * 2, [-7680000, -8388607], [0, 0]),
        # An event is above the threshold, not at it; u is kept.
        (case(du=4095, vth=10, bias_mant=640, a_in=[0]), [0], [640], [0]),
        (case(du=4095, vth=10, bias_mant=641, a_in=[0]), [0], [0], [1]),
        (case(du=4095, bias_mant=5, bias_exp=3, a_in=[0]), [0], [40], [0]),
        (case(du=4095, bias_mant=-4096, bias_exp=7, a_in=[0]), [0], [-524288], [0]),
    ],
)
def test_worked_trajectories(given: Case, u: list[int], v: list[int], events: list[int]) -> None:
    assert run(given) == {"u": u, "v": v, "events": events}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (case(du=4096, a_in=[0]), "param 'du' of program 'lif_program' is 4096, outside -1..4095"),
        (case(dv=4096, a_in=[0]), "param 'dv' of program 'lif_program' is 4096, outside 0..4095"),
        (
            case(bias_mant=40000, a_in=[0]),
            "param 'bias_mant' of program 'lif_program' is 40000, outside -4096..4095",
        ),
        (case(a_in=[400000]), "input 'soma' of program 'lif_program' is 400000, outside -131072..131072"),
        (
            case(v=-(2**23), a_in=[0]),
            "state 'v' of program 'lif_program' is -8388608, outside -8388607..8388607",
        ),
    ],
)
def test_what_lava_takes_silently_is_an_error(given: Case, message: str) -> None:
    with pytest.raises(WidthError) as caught:
        run(given)
    assert str(caught.value) == message


def random_case(random: np.random.Generator, neurons: int, steps: int, draw: Callable[..., Any]) -> Case:
    """Parameters anywhere in their range, weak and strong input, states at the corners too."""
    widths = lif_program.parameters
    given: Case = {name: int(draw(widths[name], random, 1)[0]) for name in ("du", "dv", "vth")}
    for name in ("bias_mant", "bias_exp"):
        given[name] = draw(widths[name], random, neurons).tolist()
    for name, width in lif_program.states.items():
        given[name] = draw(width, random, neurons).tolist()
    strength = int(2.0 ** random.uniform(2, 17))
    given["a_in"] = draw(Width(-strength, strength), random, steps * neurons).reshape(steps, neurons).tolist()
    return given


def ask_lava(how: str, cases: list[Case]) -> list[dict[str, list[Any]]]:
    judge = Path(__file__).with_name("lif_judge.py")
    done = subprocess.run(
        [sys.executable, str(judge), how],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def assert_same(cases: list[Case], answers: list[dict[str, list[Any]]]) -> None:
    for number, (given, theirs) in enumerate(zip(cases, answers, strict=True)):
        ours = run(given)
        for name in ("u", "v", "events"):
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=f"{name} of case {number}")


@pytest.mark.usefixtures("needs_lava")
def test_lava_s_model_gives_the_same_trajectories(draw_integers: Callable[..., Any]) -> None:
    random = np.random.default_rng(4)
    cases = [random_case(random, 40, 50, draw_integers) for _ in range(60)]
    assert_same(cases, ask_lava("model", cases))


@pytest.mark.usefixtures("needs_lava")
def test_lava_s_run_time_gives_the_same_trajectories(draw_integers: Callable[..., Any]) -> None:
    random = np.random.default_rng(5)
    cases = [random_case(random, 30, 100, draw_integers) for _ in range(3)]
    assert_same(cases, ask_lava("network", cases))


def quantized(**values: float) -> dict[str, Any]:
    given = {parameter.name: parameter.default for parameter in LIF.parameters}
    assert set(values) <= set(given)
    return dict(rounded(LIF, {**given, **values}, 1.0).integers)  # type: ignore[dict-item]


def test_physical_values_become_lava_s_integers() -> None:
    # 4096 (1 - exp(-1/5)) = 742.5, less Lava's offset of one; 4096 (1 - exp(-1/20)) = 199.8.
    assert quantized() == {"du": 741, "dv": 200, "vth": 128, "bias_mant": 0, "bias_exp": 0}
    # 100 pA 1 ms / 100 pF = 1 mV of the 20 mV to the threshold's 8192 units.
    assert quantized(bias=100.0) == {"du": 741, "dv": 200, "vth": 128, "bias_mant": 410, "bias_exp": 0}
    assert quantized(tau_current=0.0)["du"] == 4095


@pytest.mark.parametrize("tau_current", [0.0, 1.0, 5.0, 20.0, 50.0])
@pytest.mark.parametrize("step_ms", [0.1, 0.5, 1.0, 2.0])
def test_a_weight_is_the_peak_of_the_depolarisation(step_ms: float, tau_current: float) -> None:
    """An event through a weight of 5 mV moves v by 5 mV at most, at any step."""
    values = {p.name: p.default for p in LIF.parameters} | {"tau_current": tau_current}
    result = rounded(LIF, values, step_ms, float(1 << 20))  # type: ignore[arg-type]
    weight = round(5.0 / result.numbers.port_units["soma"])
    state, highest = {"u": 0, "v": 0}, 0
    for n in range(round(200 / step_ms)):
        state, _ = step(lif_program, state, result.integers, {"soma": weight if n == 0 else 0})  # type: ignore[assignment]
        highest = max(highest, int(state["v"]))
    # Decays of 12 bits: 2 % at tau 20 ms and 0.1 ms.
    assert highest * 20 / (1 << 20) == pytest.approx(5.0, rel=0.03)
