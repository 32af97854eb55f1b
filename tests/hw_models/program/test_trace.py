"""Tracing, folding and specialising keep the meaning of what was written."""

from __future__ import annotations

import random as python_random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_models.program.numpy_interpreter import step
from hw_models.program.rewrite import specialize
from hw_models.program.trace import (
    Integer,
    Program,
    clip,
    dither,
    lookup,
    maximum,
    minimum,
    program,
    random_bits,
    saturate,
    shift_rounded,
    shift_toward_zero,
    where,
    wrap,
)
from hw_models.program.widths import FLAG, Width, signed

#: ("x", name) an input, ("c", value) a constant, (operation, argument, ...) an operation.
Expression = tuple[Any, ...]
INPUTS = {"a": signed(12), "b": Width(-3, 3), "f": FLAG, "g": FLAG}
TABLE = (5, -8, 0, 1 << 19)
LIMIT = 1 << 20

#: name: (number of arguments, on symbols, on Python integers)
OPERATIONS: dict[str, tuple[int, Callable[..., Any], Callable[..., int]]] = {
    "add": (2, lambda a, b: a + b, lambda a, b: a + b),
    "sub": (2, lambda a, b: a - b, lambda a, b: a - b),
    "mul": (2, lambda a, b: a * b, lambda a, b: a * b),
    "negative": (1, lambda a: -a, lambda a: -a),
    "left": (2, lambda a, b: a << clip(b, 0, 4), lambda a, b: a * 2 ** min(max(b, 0), 4)),
    "right": (2, lambda a, b: a >> clip(b, 0, 30), lambda a, b: a // 2 ** min(max(b, 0), 30)),
    "to_zero": (
        2,
        lambda a, b: shift_toward_zero(a, clip(b, 0, 30)),
        lambda a, b: int(abs(a) // 2 ** min(max(b, 0), 30)) * (-1 if a < 0 else 1),
    ),
    "rounded": (1, lambda a: shift_rounded(a, 3), lambda a: (a + 4) // 8),
    "less": (2, lambda a, b: a < b, lambda a, b: int(a < b)),
    "more": (2, lambda a, b: a > b, lambda a, b: int(a > b)),
    "at_most": (2, lambda a, b: a <= b, lambda a, b: int(a <= b)),
    "at_least": (2, lambda a, b: a >= b, lambda a, b: int(a >= b)),
    "equal": (2, lambda a, b: a.equals(b), lambda a, b: int(a == b)),
    "both": (2, lambda a, b: (a < 1) & (b < 1), lambda a, b: int(a < 1 and b < 1)),
    "either": (2, lambda a, b: (a < 1) | (b < 1), lambda a, b: int(a < 1 or b < 1)),
    "where": (3, where, lambda a, b, c: b if a else c),
    "minimum": (2, minimum, min),
    "maximum": (2, maximum, max),
    "saturate": (1, lambda a: saturate(a, 9), lambda a: min(max(a, -255), 255)),
    "wrap": (1, lambda a: wrap(a, 9), lambda a: a - 512 if a > 256 else a + 512 if a <= -256 else a),
    "lookup": (1, lambda a: lookup(TABLE, clip(a, 0, 3)), lambda a: TABLE[min(max(a, 0), 3)]),
}


def build(expression: Expression, x: Any) -> Integer:
    kind, *arguments = expression
    if kind == "x":
        return getattr(x, arguments[0])  # type: ignore[no-any-return]
    if kind == "c":
        # An integer on its own is not a value of a program yet.
        return x.f * 0 + arguments[0]  # type: ignore[no-any-return]
    return clip(OPERATIONS[kind][1](*(build(argument, x) for argument in arguments)), -LIMIT, LIMIT)


def evaluate(expression: Expression, x: dict[str, int]) -> int:
    kind, *arguments = expression
    if kind == "x":
        return x[arguments[0]]
    if kind == "c":
        return arguments[0]  # type: ignore[no-any-return]
    return min(max(OPERATIONS[kind][2](*(evaluate(argument, x) for argument in arguments)), -LIMIT), LIMIT)


def expressions() -> st.SearchStrategy[Expression]:
    leaves = st.sampled_from([("x", name) for name in INPUTS]) | st.tuples(
        st.just("c"), st.sampled_from([0, 1, -1]) | st.integers(-5000, 5000)
    )
    return st.recursive(
        leaves,
        lambda inner: st.sampled_from(sorted(OPERATIONS)).flatmap(
            lambda name: st.tuples(st.just(name), *[inner] * OPERATIONS[name][0])
        ),
        max_leaves=25,
    )


def traced(parts: list[Expression]) -> Program:
    names = [f"r{i}" for i in range(len(parts))]

    @program(states={}, parameters={}, inputs=INPUTS, outputs=dict.fromkeys(names, signed(32)))
    def generated(s: Any, p: Any, x: Any) -> Any:
        return {}, {name: build(part, x) for name, part in zip(names, parts, strict=True)}

    return generated


def inputs(seed: int, count: int, draw_integers: Callable[..., Any]) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {name: draw_integers(width, random, count) for name, width in INPUTS.items()}


def wanted(expression: Expression, values: dict[str, Any]) -> list[int]:
    count = len(values["a"])
    return [evaluate(expression, {name: int(v[k]) for name, v in values.items()}) for k in range(count)]


@settings(max_examples=300, deadline=None)
@given(expression=expressions(), seed=st.integers(0, 1000))
def test_a_program_means_what_was_written(
    expression: Expression, seed: int, draw_integers: Callable[..., Any]
) -> None:
    values = inputs(seed, 20, draw_integers)
    it = traced([expression])
    assert step(it, {}, {}, values)[1]["r0"].tolist() == wanted(expression, values)
    width = it.nodes[it.output["r0"]].width
    assert all(width.low <= value <= width.high for value in wanted(expression, values))


@settings(max_examples=200, deadline=None)
@given(expression=expressions(), seed=st.integers(0, 1000), f=st.integers(0, 1), b=st.integers(-3, 3))
def test_a_fixed_input_changes_nothing_else(
    expression: Expression, seed: int, f: int, b: int, draw_integers: Callable[..., Any]
) -> None:
    values = {**inputs(seed, 20, draw_integers), "f": np.full(20, f), "b": np.full(20, b)}
    special = specialize(traced([expression]), {"f": f, "b": b})
    assert set(special.inputs) == {"a", "g"}
    assert not any(node.operation == "input" and node.name in "fb" for node in special.nodes)
    rest = {name: values[name] for name in special.inputs}
    assert step(special, {}, {}, rest)[1]["r0"].tolist() == wanted(expression, values)


def an_expression(random: python_random.Random, depth: int) -> Expression:
    if depth == 0 or random.random() < 0.1:
        return (
            ("x", random.choice(sorted(INPUTS))) if random.random() < 0.7 else ("c", random.randint(-99, 99))
        )
    name = random.choice(sorted(OPERATIONS))
    return (name, *(an_expression(random, depth - 1) for _ in range(OPERATIONS[name][0])))


def test_compiled_programs_mean_what_was_written(
    compiled: Callable[..., Any], draw_integers: Callable[..., Any]
) -> None:
    random = python_random.Random(0)
    parts = [an_expression(random, 3) for _ in range(12)]
    values = inputs(1, 300, draw_integers)
    _, outputs = compiled(traced(parts), {f"x_{name}" for name in INPUTS})({}, {}, values)
    for number, part in enumerate(parts):
        assert outputs[f"r{number}"].tolist() == wanted(part, values), part


@program(
    states={"v": signed(16), "still": signed(8)},
    parameters={"gain": Width(0, 9)},
    inputs={"x": signed(8), "on": FLAG, "idle": FLAG},
    outputs={"event": FLAG, "noise": Width(0, 15), "other": Width(0, 15)},
    initial={"v": "gain", "still": 7},
)
def model(s: Any, p: Any, x: Any) -> Any:
    """Draws on both sides of what `on` decides."""
    first = where(x.on, random_bits(x.x, 4), 0)
    second = dither(x.x, 4)
    v = saturate(s.v + x.x * p.gain + second, 16)
    return {"v": where(x.idle, s.v, v)}, {"event": v > 100, "noise": first, "other": random_bits(x.x, 4)}


def test_what_a_program_declares() -> None:
    assert (model.name, model.draws) == ("model", 3)
    assert model.initial == {"v": "gain", "still": 7}
    still = model.nodes[model.next_state["still"]]
    assert (still.operation, still.name) == ("state", "still")


def test_equal_nodes_are_one_node() -> None:
    @program(states={}, parameters={}, inputs={"x": signed(8)}, outputs={"a": signed(9), "b": signed(9)})
    def twice(s: Any, p: Any, x: Any) -> Any:
        return {}, {"a": x.x + 1, "b": x.x + 1}

    assert twice.output["a"] == twice.output["b"]
    assert [node.operation for node in twice.nodes] == ["input", "const", "add"]


def test_specialising_keeps_the_place_of_every_draw() -> None:
    off = specialize(model, {"on": 0, "idle": 0}, outputs=["noise", "other"])
    assert list(off.output) == ["noise", "other"] and list(off.inputs) == ["x"]
    assert off.draws == 2
    assert off.nodes[off.output["noise"]].attribute == 0
    arguments = ({"v": 3, "still": 1}, {"gain": 2}, {"x": np.arange(8)})
    flags = {"on": 0, "idle": 0}
    whole = step(model, arguments[0], arguments[1], {**arguments[2], **flags}, key=9)
    part = step(off, *arguments, key=9)
    assert part[0]["v"].tolist() == whole[0]["v"].tolist()
    assert part[1]["other"].tolist() == whole[1]["other"].tolist()


def test_specialising_a_state_that_then_keeps_its_value() -> None:
    idle = specialize(model, {"idle": 1}, outputs=[])
    assert [node.operation for node in idle.nodes] == ["state", "state"]
    assert step(idle, {"v": 5, "still": 6}, {"gain": 0}, {"x": 1, "on": 0})[0]["v"] == 5


def test_a_program_cannot_branch() -> None:
    with pytest.raises(TypeError, match=r"cannot branch on a value of the chip: use where\("):

        @program(states={}, parameters={}, inputs={"x": FLAG}, outputs={"y": FLAG})
        def branching(s: Any, p: Any, x: Any) -> Any:
            return {}, {"y": 1 if x.x else 0}


@pytest.mark.parametrize(
    ("states", "outputs", "message"),
    [
        ({"z": 1}, {"y": 1}, "undeclared states"),
        ({}, {}, "are not those declared"),
        ({}, {"y": 1, "q": 0}, "are not"),
    ],
)
def test_what_is_returned_must_be_declared(states: Any, outputs: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        program(states={}, parameters={}, inputs={"x": FLAG}, outputs={"y": FLAG})(
            lambda s, p, x: (states, outputs)
        )


def test_a_table_covers_its_index() -> None:
    with pytest.raises(AssertionError, match="the table is shorter than its index"):

        @program(states={}, parameters={}, inputs={"x": Width(0, 4)}, outputs={"y": FLAG})
        def short(s: Any, p: Any, x: Any) -> Any:
            return {}, {"y": lookup((0, 1, 0, 1), x.x)}


@pytest.mark.parametrize("bits", [0, 32])
def test_a_draw_has_1_to_31_bits(bits: int) -> None:
    with pytest.raises(AssertionError, match=f"{bits} random bits"):

        @program(states={}, parameters={}, inputs={"x": FLAG}, outputs={"y": FLAG})
        def drawing(s: Any, p: Any, x: Any) -> Any:
            return {}, {"y": random_bits(x.x, bits)}


def test_functions_need_a_value_of_the_program() -> None:
    with pytest.raises(TypeError, match="at least one argument must be a value of the program"):
        minimum(1, 2)
