"""Every registered model gives the same integers in numpy and in compiled code, over its declared ranges."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from drawn.integers import corners
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.function_table import function_table
from hw_models.neurons.registry import models
from hw_models.program import numpy_interpreter, real_interpreter
from hw_models.program.rewrite import rewrite, specialize
from hw_models.program.trace import Integer, Node, Program

pytestmark = pytest.mark.once

#: Rows of one example and examples of one variant: 10^5 random states and parameters for each model.
ROWS, EXAMPLES = 2500, 25
SCALAR_ROWS, SCALAR_EXAMPLES = 750, 50
PATIENT: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}

#: One of those models that share a program; arrivals have a loop of their own: `test_arrivals.py`.
NAMES = sorted(
    {
        id(model.program): name
        for name, model in sorted(models().items(), reverse=True)
        if not model.program.sends_arrivals
    }.values()
)


@lru_cache
def in_integers(name: str) -> Program:
    """The program of a model, with tables in place of functions."""
    program = models()[name].program

    def table(node: Node, arguments: tuple[Integer, ...]) -> Integer | None:
        if node.operation != "function":
            return None
        return function_table(program.functions[node.attribute], arguments[0].width).in_program(arguments[0])

    return rewrite(program, table) if program.functions else program


#: What the simulator fixes: inference, a training, a free run.
INFERENCE = dict.fromkeys(("learning", "plastic", "gather", "report", "consolidate", "teacher"), 0)
FREE_RUN = {"learning": 1, "plastic": 1, "last": 0}


def drawn(program: Program, seed: int, rows: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    random = np.random.default_rng(seed)
    states, parameters, inputs = (
        {name: corners(width, random, rows) for name, width in declared.items()}
        for declared in (program.states, program.parameters, program.inputs)
    )
    return states, parameters, inputs


def assert_same(
    one: tuple[dict[str, Any], dict[str, Any]], other: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    for left, right in zip(one, other, strict=True):
        assert set(left) == set(right)
        for name in left:
            np.testing.assert_array_equal(left[name], right[name], err_msg=name)


@pytest.fixture(scope="module")
def arrays(compiled: Callable[..., Any]) -> Callable[[str], Any]:
    """The loop in which every parameter and input has one value a neuron."""
    cache: dict[str, Any] = {}

    def of(name: str) -> Any:
        program = in_integers(name)
        if name not in cache:
            leaves = {f"p_{p}" for p in program.parameters} | {f"x_{x}" for x in program.inputs}
            cache[name] = compiled(program, leaves)
        return cache[name]

    return of


@pytest.fixture(scope="module")
def scalars(compiled: Callable[..., Any]) -> Callable[[str], Any]:
    """The loop of the simulator: one value of every parameter, inputs by neuron at ports only."""
    cache: dict[str, Any] = {}

    def of(name: str) -> Any:
        model = models()[name]
        if name not in cache:
            cache[name] = compiled(
                in_integers(name), {f"x_{port.name}" for port in model.ports} | {"x_value"}
            )
        return cache[name]

    return of


@pytest.mark.parametrize("name", NAMES)
def test_a_value_for_each_neuron(name: str, arrays: Callable[[str], Any]) -> None:
    program, loop = in_integers(name), arrays(name)

    @settings(max_examples=EXAMPLES, **PATIENT)
    @given(seed=st.integers(0, 2**32), key=st.integers(0, 2**32 - 1))
    def examples(seed: int, key: int) -> None:
        given = drawn(program, seed, ROWS)
        # The specification raises where a state or output leaves its declared width: none may, anywhere.
        assert_same(loop(*given, key), numpy_interpreter.step(program, *given, key))

    examples()


@pytest.mark.parametrize("name", NAMES)
def test_one_value_for_all_neurons(name: str, scalars: Callable[[str], Any]) -> None:
    model = models()[name]
    program, loop = in_integers(name), scalars(name)
    ports = {port.name for port in model.ports} | {"value"}

    @settings(max_examples=SCALAR_EXAMPLES, **PATIENT)
    @given(seed=st.integers(0, 2**32), key=st.integers(0, 2**32 - 1))
    def examples(seed: int, key: int) -> None:
        states, parameters, inputs = drawn(program, seed, SCALAR_ROWS)
        parameters = {name: int(values[0]) for name, values in parameters.items()}
        inputs = {name: v if name in ports else int(v[0]) for name, v in inputs.items()}
        given = (states, parameters, inputs)
        assert_same(loop(*given, key), numpy_interpreter.step(program, *given, key))

    examples()


@pytest.mark.parametrize("name", NAMES)
def test_reals(name: str, compiled: Callable[..., Any]) -> None:
    program = models()[name].program
    leaves = {f"p_{p}" for p in program.parameters} | {f"x_{x}" for x in program.inputs}
    loop = compiled(program, leaves, real=True)
    for seed in range(3):
        given = drawn(program, seed, 1000)
        ours, wanted = loop(*given, seed), real_interpreter.step(program, *given, seed)
        if not program.functions:
            assert_same(ours, wanted)
            continue
        # The libraries' exponentials may differ in the last bit, on which a spike may hang.
        for left, right in zip(ours, wanted, strict=True):
            for name in left:
                same = np.isclose(left[name], right[name], rtol=1e-9, atol=1e-6)
                assert np.count_nonzero(~same) <= 1, name


@pytest.mark.parametrize("fixed", [INFERENCE, FREE_RUN], ids=["inference", "free run"])
def test_a_compiled_loop_with_fixed_inputs(fixed: dict[str, int], compiled: Callable[..., Any]) -> None:
    program = models()["burst_unit"].program
    special = specialize(program, fixed)
    leaves = {f"x_{x}" for x in special.inputs} | {f"p_{p}" for p in program.parameters}
    loop = compiled(special, leaves)
    for seed in range(3):
        states, parameters, inputs = drawn(program, seed, 2000)
        wanted = numpy_interpreter.step(program, states, parameters, {**inputs, **fixed}, seed)
        rest = {key: inputs[key] for key in special.inputs}
        assert_same(loop(states, parameters, rest, seed), wanted)
