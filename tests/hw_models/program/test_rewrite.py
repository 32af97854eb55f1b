"""Programs made from programs mean the same, where they are meant to."""

from __future__ import annotations

import numpy as np
import pytest
from drawn.integers import corners

from hw_models.neurons.burst_detector import detector_program
from hw_models.neurons.burst_poisson import burst_poisson_program
from hw_models.neurons.registry import models
from hw_models.program import numpy_interpreter, real_interpreter
from hw_models.program.rewrite import exposing, inputs_read, undithered, without
from hw_models.program.trace import Program, maximum, program
from hw_models.program.widths import FLAG, signed, unsigned

PROGRAMS = {
    **{
        name: it.program
        for name, it in sorted(models().items())
        if it.kind == "neuron" and "events" in it.program.outputs
    },
    "burst_poisson that learns": burst_poisson_program(traces=True, rule=True),
    "detector that learns": detector_program(traces=True, rule=True),
}
#: Of the rule: what averages lose in a step is no more than they are.
FITTING = {
    "low_gain": 50,
    "low_gain_exp": 0,
    "e_fall": 700,
    "e_fall_exp": 8,
    "s_fall": 9,
    "s_fall_exp": 8,
    "factor_shift": 3,
}


def _drawn(it: Program, seed: int) -> tuple[dict[str, np.ndarray], ...]:
    random = np.random.default_rng(seed)
    declared = (it.states, it.parameters, it.inputs)
    states, parameters, inputs = (
        {name: corners(width, random, 2000) for name, width in of.items()} for of in declared
    )
    fixed = {name: np.full(2000, value) for name, value in FITTING.items() if name in parameters}
    return states, {**parameters, **fixed}, inputs


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_without_events_a_program_does_what_it_does_where_there_are_none(name: str) -> None:
    it = PROGRAMS[name]
    output = "spikes" if "spikes" in it.output else "events"
    rest, compared = without(it, output), 0
    assert len(rest.nodes) <= len(it.nodes) + 1
    for seed in range(3):
        given = _drawn(it, seed)
        wanted, found = numpy_interpreter.step(it, *given, seed), numpy_interpreter.step(rest, *given, seed)
        silent = np.broadcast_to(wanted[1][output] == 0, 2000)
        compared += np.count_nonzero(silent)
        for left, right in zip(found, wanted, strict=True):
            for variable, values in right.items():
                one, other = (np.broadcast_to(it, 2000)[silent] for it in (left[variable], values))
                np.testing.assert_array_equal(one, other, err_msg=variable)
    assert compared > 100


@program(
    states={"v": signed(16)},
    parameters={},
    inputs={"a": unsigned(4), "b": signed(4), "c": FLAG},
    outputs={"both": unsigned(4), "either": signed(5)},
)
def _both(s, p, x):  # type: ignore[no-untyped-def]
    return {"v": s.v + x.a * 3}, {"both": maximum(x.a, x.c), "either": maximum(x.b, x.c)}


def test_of_a_greatest_value_that_is_0_both_are_unless_one_may_be_negative() -> None:
    absent = without(_both, "both")
    assert absent.nodes[absent.next_state["v"]].operation == "state"
    kept = without(_both, "either")
    assert {node.name for node in kept.nodes if node.operation == "input"} == {"a", "c"}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_real_numbers_know_no_dither(name: str) -> None:
    it = PROGRAMS[name]
    exact = undithered(it)
    assert not any(node.operation == "dither" for node in exact.nodes)
    given = _drawn(it, 1)
    for left, right in zip(
        real_interpreter.step(exact, *given, 1), real_interpreter.step(it, *given, 1), strict=True
    ):
        for variable, values in right.items():
            np.testing.assert_array_equal(left[variable], values, err_msg=variable)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_that_sends_what_arrives_does_the_same(name: str) -> None:
    it = PROGRAMS[name]
    arrived = {port: f"arrived_{port}" for port in it.inputs if port in inputs_read(it)}
    opened = exposing(it, arrived, signed(32))
    states, parameters, inputs = _drawn(it, 2)
    # A third of what arrives is beyond the width of its port.
    beyond = {
        port: np.where(np.arange(2000) % 3 == 0, 2 * values + 7, values) for port, values in inputs.items()
    }
    clipped = {
        port: np.clip(values, it.inputs[port].low, it.inputs[port].high) for port, values in beyond.items()
    }
    wanted = numpy_interpreter.step(it, states, parameters, clipped, 3)
    found = numpy_interpreter.step(opened, states, parameters, {**inputs, **beyond}, 3)
    for left, right in zip(found, wanted, strict=True):
        for variable, values in right.items():
            np.testing.assert_array_equal(left[variable], values, err_msg=variable)
    for port, output in arrived.items():
        np.testing.assert_array_equal(found[1][output], beyond[port])
