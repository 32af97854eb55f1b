"""A compiled program means what its numpy and its real interpretation do."""

from __future__ import annotations

import random as python_random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from drawn.expressions import INPUTS, an_expression, inputs, traced, wanted
from drawn.integers import corners
from drawn.operations import MEANING, every_operation_once, leaves_and_draws, program_of

from burstchip.backends.sim.code.step_source import PRELUDE, checked, step_source
from hw_models.neurons.burst_poisson import burst_poisson_program
from hw_models.neurons.registry import models
from hw_models.program import numpy_interpreter, real_interpreter
from hw_models.program.functions import FUNCTIONS
from hw_models.program.trace import (
    clip,
    function,
    maximum,
    program,
    random_bits,
    shift_rounded,
    shift_toward_zero,
    where,
)
from hw_models.program.widths import FLAG, signed, unsigned


@pytest.mark.parametrize("operation", sorted(MEANING))
def test_every_operation(operation: str, compiled: Callable[..., Any]) -> None:
    traced, cases = program_of(operation)
    random = np.random.default_rng(1)
    given = {name: corners(width, random, 400) for name, width in traced.inputs.items()}
    _, found = compiled(traced, {f"x_{name}" for name in given})({}, {}, given)
    _, expected = numpy_interpreter.step(traced, {}, {}, given)
    for i, widths in enumerate(cases):
        assert found[f"r{i}"].tolist() == expected[f"r{i}"].tolist(), widths


def test_every_operation_in_reals(compiled: Callable[..., Any]) -> None:
    every_operation, _ = every_operation_once()
    random = np.random.default_rng(2)
    given = {name: corners(width, random, 200) for name, width in every_operation.inputs.items()}
    _, expected = real_interpreter.step(every_operation, {}, {}, given)
    _, found = compiled(every_operation, {f"x_{name}" for name in given}, real=True)({}, {}, given)
    for name in MEANING:
        assert found[name].tolist() == expected[name].tolist(), name


def test_leaves_and_draws(compiled: Callable[..., Any]) -> None:
    random = np.random.default_rng(3)
    values = [corners(signed(24), random, 300) for _ in range(3)]
    leaves = {"p_p", "x_x"}
    for key in (0, 1, 0xFFFFFFFF, 0x9E3779B1):
        arguments = ({"s": values[0]}, {"p": values[1]}, {"x": values[2]}, key)
        for real, interpreter in ((False, numpy_interpreter), (True, real_interpreter)):
            expected = interpreter.step(leaves_and_draws, *arguments)
            found = compiled(leaves_and_draws, leaves, real=real)(*arguments)
            for left, right in zip(found, expected, strict=True):
                assert {name: v.tolist() for name, v in left.items()} == {
                    name: np.asarray(v).tolist() for name, v in right.items()
                }


def test_programs_mean_what_was_written(compiled: Callable[..., Any]) -> None:
    random = python_random.Random(0)
    parts = [an_expression(random, 3) for _ in range(12)]
    values = inputs(1, 300)
    _, outputs = compiled(traced(parts), {f"x_{name}" for name in INPUTS})({}, {}, values)
    for number, part in enumerate(parts):
        assert outputs[f"r{number}"].tolist() == wanted(part, values), part


@program(
    states={},
    parameters={},
    inputs={"value": signed(24), "loss": unsigned(16), "below": unsigned(16)},
    outputs=dict.fromkeys(("down", "dithered", "toward_zero", "nearest", "beyond"), signed(25)),
)
def _products(s, p, x):  # type: ignore[no-untyped-def]
    """Products of 41 bits, scaled back; the last plus more than splitting has room for."""
    kept = 65536 - x.loss
    product = x.value * kept
    return {}, {
        "down": product >> 16,
        "dithered": (product + x.below) >> 16,
        "toward_zero": shift_toward_zero(kept * x.value, 16),
        "nearest": shift_rounded(product, 16),
        "beyond": (product + 2 * x.below) >> 16,
    }


def test_a_product_that_is_scaled_back_needs_no_more_than_32_bits(compiled: Callable[..., Any]) -> None:
    text = step_source(_products, "step", per_neuron=("x_value", "x_loss", "x_below"))[0]
    split = [line for line in text.splitlines() if "= add32(" in line or "= signed32(" in line]
    assert len(split) == 4 and not any("i64" in line for line in split)
    random = np.random.default_rng(6)
    given = {name: corners(width, random, 5000) for name, width in _products.inputs.items()}
    # No loss at the ends of both others, where the part below has all of 32 bits.
    given["value"][:4], given["loss"][:4], given["below"][:4] = (-1, 2**23 - 1, -(2**23) + 1, 65535), 0, 65535
    _, found = compiled(_products, {f"x_{name}" for name in given})({}, {}, given)
    _, expected = numpy_interpreter.step(_products, {}, {}, given)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_what_emitting_takes_is_computed_for_those_that_emit(compiled: Callable[..., Any]) -> None:
    learning = burst_poisson_program(traces=True, rule=True)
    assert "def step_emitting(" in step_source(learning, "step", per_neuron=(), real=True)[0]
    assert "def step_emitting(" not in step_source(models()["lif"].program, "step", per_neuron=())[0]
    loop = compiled(learning, (), real=True)
    random = np.random.default_rng(4)
    size = 203
    states = {name: random.uniform(0, 50, size) for name in learning.states}
    # Far beyond what an event takes.
    parameters = {**dict.fromkeys(learning.parameters, 1.0), "vth": 1e6}
    inputs = dict.fromkeys(learning.inputs, 0.0)
    for emitting in (0, 1, 17, size):
        states["waits"] = np.where(random.permutation(size) < emitting, 1.0, 0.0)
        given = (states, parameters, inputs, 5)
        expected, found = real_interpreter.step(learning, *given), loop(*given)
        assert np.count_nonzero(found[1]["spikes"]) == emitting
        for left, right in zip(found, expected, strict=True):
            for name, values in left.items():
                np.testing.assert_allclose(values, right[name], rtol=1e-12, atol=1e-12, err_msg=name)


@program(
    states={"phase": unsigned(16)},
    parameters={},
    inputs={"rate": unsigned(15)},
    outputs={"events": FLAG, "size": unsigned(16)},
)
def _clock(s, p, x):  # type: ignore[no-untyped-def]
    due = s.phase + x.rate > 65535
    drawn = random_bits(x.rate, 16)
    for _ in range(3):
        drawn = maximum(drawn, random_bits(x.rate, 16))
    return {"phase": s.phase + x.rate - where(due, 65536, 0)}, {"events": due, "size": where(due, drawn, 0)}


def test_what_silence_makes_of_those_that_emit_is_no_value_outside_its_width() -> None:
    text, arguments = step_source(_clock, "step", per_neuron={"x_rate"})
    assert "def step_emitting(" in text and checked(_clock) == (("state", "phase"),)
    names: dict[str, Any] = {}
    exec(compile(PRELUDE + text, "<clock>", "exec"), names)
    random = np.random.default_rng(5)
    given = {"s_phase": random.integers(0, 65536, 300, dtype=np.int32)}
    given["x_rate"] = random.integers(0, 32768, 300, dtype=np.int32)
    given |= {name: np.zeros(300, np.int32) for name in ("o_events", "o_size")}
    expected = numpy_interpreter.step(_clock, {"phase": given["s_phase"]}, {}, {"rate": given["x_rate"]}, 7)
    left = names["step"](300, np.uint32(7), *(given[name] for name in arguments))
    assert left == 0 and 0 < np.count_nonzero(given["o_events"]) < 300
    np.testing.assert_array_equal(given["s_phase"], expected[0]["phase"])
    np.testing.assert_array_equal(given["o_size"], expected[1]["size"])


def test_functions_in_reals(compiled: Callable[..., Any]) -> None:
    @program(
        states={},
        parameters={},
        inputs={"x": signed(10)},
        outputs=dict.fromkeys(FUNCTIONS, signed(32)),
    )
    def each_function(s: Any, p: Any, x: Any) -> Any:
        named = {**dict.fromkeys(FUNCTIONS, x.x), "exp": clip(x.x, -400, 256)}
        return {}, {
            name: function(name, value, argument_bits=6, result_bits=8) for name, value in named.items()
        }

    given = {"x": np.arange(-400.0, 401.0)}
    _, expected = real_interpreter.step(each_function, {}, {}, given)
    _, found = compiled(each_function, {"x_x"}, real=True)({}, {}, given)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-14, atol=1e-14)
