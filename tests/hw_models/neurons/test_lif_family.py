"""`lif` with its options, `lif_reset` and `ternary_lif`: cases worked out by hand, and Lava as judge."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hw_models.diagnostics import BurstchipError
from hw_models.neurons.leaky import STATES
from hw_models.neurons.lif import LIF, LIF_REFRACTORY, lif_program, lif_program_with
from hw_models.neurons.lif_reset import LIF_RESET, lif_reset_program
from hw_models.neurons.model import NeuronModel
from hw_models.neurons.registry import OWN
from hw_models.neurons.ternary_lif import TERNARY_LIF, ternary_lif_program
from hw_models.neurons.verify import verify_model
from hw_models.program.numpy_interpreter import step
from hw_models.program.trace import Program
from hw_models.program.widths import Width

#: u has no memory, v does not leak: v sums a bias of 100.
PLAIN = {"du": 4095, "dv": 0, "vth": 5, "bias_mant": 100, "bias_exp": 0}


def run(program: Program, steps: int, state: Any = None, **parameters: Any) -> list[int]:
    """v after every step without input."""
    start = {name: parameters[it] if isinstance(it, str) else it for name, it in program.initial.items()}
    state = {**start, **(state or {})}
    seen = []
    for _ in range(steps):
        state, _ = step(program, state, parameters, {"soma": 0})
        seen.append(int(state["v"]))
    return seen


def with_(*names: str) -> Program:
    return lif_program_with(frozenset(names))


def judged(cases: list[dict[str, Any]]) -> Any:
    """What Lava's fixed-point models do."""
    judge = Path(__file__).with_name("lif_judge.py")
    done = subprocess.run(
        [sys.executable, str(judge), "model"],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_options_do_what_their_equations_say() -> None:
    # Above 5 * 64 = 320 is an event.
    assert run(lif_program, 6, **PLAIN) == [100, 200, 300, 0, 100, 200]
    assert run(with_("refractory"), 9, **PLAIN, refractory=2) == [100, 200, 300, 0, 0, 0, 100, 200, 300]
    assert run(with_("reset"), 6, **PLAIN, v_reset=-50) == [100, 200, 300, -50, 50, 150]
    bound = {**PLAIN, "bias_mant": -100, "v_min": -250}
    assert run(with_("lower_bound"), 4, **bound) == [-100, -200, -250, -250]
    every = {**PLAIN, "refractory": 1, "v_reset": -50, "v_min": -250}
    assert run(with_("refractory", "reset", "lower_bound"), 7, **every) == [100, 200, 300, -50, -50, 50, 150]
    taken = {**PLAIN, "bias_mant": 150}
    assert run(with_("subtract"), 5, **taken, subtract=1) == [150, 300, 130, 280, 110]
    assert run(with_("subtract"), 4, **taken, subtract=0) == [150, 300, 0, 150]
    assert run(with_("subtract", "reset"), 4, **taken, subtract=0, v_reset=-50) == [150, 300, -50, 100]
    # What is left of the refractory time at the start.
    assert run(with_("refractory"), 3, {"idle": 2, "v": 7}, **PLAIN, refractory=2) == [7, 7, 107]


def test_a_return_to_rest() -> None:
    """Every third step: the table of Lava's LIFReset with interval 3 and offset 0, which is step 3 of it."""
    given = {**PLAIN, "vth": 131071, "bias_mant": 200, "interval": 3}
    assert run(lif_reset_program, 6, **given, first=1) == [200, 400, 200, 400, 600, 200]
    assert run(lif_reset_program, 4, {"v": 1000}, **given, first=0) == [200, 400, 600, 200]


def test_events_of_either_sign() -> None:
    given = {**PLAIN, "vth_hi": 5, "vth_lo": -2}
    del given["vth"]
    spikes = []
    for v in (320, 321, -128, -129, 0):
        state, outputs = step(ternary_lif_program, {"u": 0, "v": v}, {**given, "bias_mant": 0}, {"soma": 0})
        spikes.append((int(outputs["signed"]), int(outputs["events"]), int(state["v"])))
    assert spikes == [(0, 0, 320), (1, 1, 0), (0, 0, -128), (-1, 1, 0), (0, 0, 0)]


@pytest.mark.usefixtures("needs_lava")
def test_lava_s_models_give_the_same_trajectories(draw_integers: Callable[..., Any]) -> None:
    random = np.random.default_rng(8)
    cases: list[dict[str, Any]] = []
    ours: list[tuple[Program, dict[str, Any]]] = []
    for number in range(45):
        kind = ("reset", "ternary", "refractory")[number % 3]
        program = {"reset": lif_reset_program, "ternary": ternary_lif_program}.get(kind, with_("refractory"))
        widths = {**program.parameters, "interval": Width(1, 9), "refractory": Width(0, 5)}
        names = [name for name in program.parameters if name != "first"]
        case = {name: int(draw_integers(widths[name], random, 1)[0]) for name in names}
        for name in ("bias_mant", "bias_exp"):
            case[name] = draw_integers(widths[name], random, 30).tolist()
        for name, width in STATES.items():
            case[name] = draw_integers(width, random, 30).tolist()
        if kind == "ternary" and case["vth_lo"] > case["vth_hi"]:
            continue
        strength = int(2.0 ** random.uniform(2, 17))
        case["a_in"] = draw_integers(Width(-strength, strength), random, 1200).reshape(40, 30).tolist()
        parameters = {name: np.asarray(case[name]) for name in names}
        case["kind"] = kind
        if kind == "reset":
            offset = int(random.integers(0, 20))
            parameters["first"] = np.asarray(-offset % case["interval"])
            # Our times count from 0, Lava's steps from 1.
            case["process"] = {"reset_interval": case["interval"], "reset_offset": offset + 1}
        elif kind == "refractory":
            case["process"] = {"refractory_period": case["refractory"]}
        cases.append(case)
        ours.append((program, parameters))
    for (program, parameters), case, theirs in zip(ours, cases, judged(cases), strict=True):
        state: Any = {"u": np.asarray(case["u"]), "v": np.asarray(case["v"])}
        state |= {"since": parameters["first"] + np.zeros(30, int)} if case["kind"] == "reset" else {}
        state |= {"idle": np.zeros(30, int)} if case["kind"] == "refractory" else {}
        sent = "signed" if case["kind"] == "ternary" else "events"
        for n, a_in in enumerate(case["a_in"]):
            state, outputs = step(program, state, parameters, {"soma": np.asarray(a_in)})
            for name, values in (("u", state["u"]), ("v", state["v"]), ("events", outputs[sent])):
                np.testing.assert_array_equal(values, theirs[name][n], err_msg=f"{case['kind']}: {name}")


@pytest.mark.usefixtures("needs_lava")
def test_a_bias_is_what_lava_makes_of_the_same_integers() -> None:
    mantissas = [-4096, -13, -1, 0, 1, 13, 100, 4095]
    given = {"bias_mant": np.repeat(mantissas, 20) * 1.0, "bias_exp": np.tile(np.arange(-12.0, 8.0), 8)}
    chosen = LIF.with_options([*given, "vth"])
    values: Any = {it.name: it.default for it in chosen.parameters} | {"vth": 131071.0} | given
    numbers = chosen.in_chip_units(values, 1.0, 8192.0).parameters
    ours = np.asarray(numbers["bias_mant"].value) * 2.0 ** np.asarray(numbers["bias_exp"].value)
    zeros = np.zeros(160, int).tolist()
    case = {name: np.asarray(it, int).tolist() for name, it in given.items()}
    (theirs,) = judged(
        [{"du": 4095, "dv": 0, "vth": 131071, "u": zeros, "v": zeros, "a_in": [zeros], **case}]
    )
    assert theirs["v"] == [ours.astype(int).tolist()]


@pytest.mark.parametrize("model", [it for it in OWN if it.options], ids=lambda it: str(it.name))
def test_every_option_makes_a_whole_model(model: NeuronModel) -> None:
    beside = [it.name for it in model.options if not it.instead_of]
    integers = [it.name for it in model.options if it.instead_of]
    for names in ([], beside, integers, [*beside, *integers], *([name] for name in beside)):
        verify_model(model.with_options(names))


def test_a_model_without_its_options_is_what_it_was() -> None:
    assert LIF.with_options(["tau_membrane"]) is LIF
    assert LIF.with_options(["refractory"]) is LIF.with_options({"refractory": 2.0, "rest": -60.0})
    assert LIF.with_options(["du", "vth"]).program is lif_program
    assert LIF_REFRACTORY.program is LIF.with_options(["refractory"]).program


@pytest.mark.parametrize(
    ("model", "given", "id", "message"),
    [
        (LIF, {"reset": -50.0}, "BC194", "the reset is not below the threshold"),
        (LIF, {"lower_bound": -60.0}, "BC194", "the lower bound is not at or below the rest"),
        (
            LIF,
            {"reset": -90.0, "lower_bound": -80.0},
            "BC194",
            "the lower bound is not at or below the reset",
        ),
        (
            LIF,
            {"reset": -65.0, "subtract": 1.0},
            "BC194",
            "an event either sets the potential or takes the threshold off it",
        ),
        (TERNARY_LIF, {"lower_threshold": -70.0}, "BC194", "the lower threshold is not below the rest"),
        (
            LIF_RESET,
            {"bias_mant": 3.0},
            "BC195",
            "'bias_mant' counts units of v, whose scale only an integer threshold fixes",
        ),
    ],
)
def test_what_does_not_go_together(
    model: NeuronModel, given: dict[str, float], id: str, message: str
) -> None:
    chosen = model.with_options(given)
    values: Any = {it.name: it.default for it in chosen.parameters} | given
    with pytest.raises(BurstchipError) as caught:
        chosen.in_chip_units(values, 1.0, 8192.0)
    assert [(it.id, it.message) for it in caught.value.diagnostics] == [(id, message)]
