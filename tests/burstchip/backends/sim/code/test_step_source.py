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

from hw_models.program import numpy_interpreter, real_interpreter
from hw_models.program.functions import FUNCTIONS
from hw_models.program.trace import clip, function, program
from hw_models.program.widths import signed


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
