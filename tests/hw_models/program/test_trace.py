"""Tracing, folding and specialising keep the meaning of what was written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drawn.expressions import Expression, expressions, inputs, traced, wanted
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_models.program.numpy_interpreter import step
from hw_models.program.rewrite import specialize
from hw_models.program.trace import (
    dither,
    lookup,
    minimum,
    program,
    random_bits,
    saturate,
    where,
)
from hw_models.program.verify import ProgramError, verify_program
from hw_models.program.widths import FLAG, Width, signed, unsigned


@settings(max_examples=300, deadline=None)
@given(expression=expressions(), seed=st.integers(0, 1000))
def test_a_program_means_what_was_written(expression: Expression, seed: int) -> None:
    values = inputs(seed, 20)
    it = traced([expression])
    assert step(it, {}, {}, values)[1]["r0"].tolist() == wanted(expression, values)
    width = it.nodes[it.output["r0"]].width
    assert all(width.low <= value <= width.high for value in wanted(expression, values))


@settings(max_examples=200, deadline=None)
@given(expression=expressions(), seed=st.integers(0, 1000), f=st.integers(0, 1), b=st.integers(-3, 3))
def test_a_fixed_input_changes_nothing_else(expression: Expression, seed: int, f: int, b: int) -> None:
    values = {**inputs(seed, 20), "f": np.full(20, f), "b": np.full(20, b)}
    special = specialize(traced([expression]), {"f": f, "b": b})
    assert set(special.inputs) == {"a", "g"}
    assert not any(node.operation == "input" and node.name in "fb" for node in special.nodes)
    rest = {name: values[name] for name in special.inputs}
    assert step(special, {}, {}, rest)[1]["r0"].tolist() == wanted(expression, values)


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
    off = specialize(model, {"on": 0, "idle": 0})
    assert list(off.output) == ["event", "noise", "other"] and list(off.inputs) == ["x"]
    assert off.draws == 2
    assert off.nodes[off.output["noise"]].attribute == 0
    arguments = ({"v": 3, "still": 1}, {"gain": 2}, {"x": np.arange(8)})
    flags = {"on": 0, "idle": 0}
    whole = step(model, arguments[0], arguments[1], {**arguments[2], **flags}, key=9)
    part = step(off, *arguments, key=9)
    assert part[0]["v"].tolist() == whole[0]["v"].tolist()
    assert part[1]["other"].tolist() == whole[1]["other"].tolist()


def test_specialising_a_state_that_then_keeps_its_value() -> None:
    idle = specialize(model, {"idle": 1})
    assert [idle.nodes[index].operation for index in idle.next_state.values()] == ["state", "state"]
    assert step(idle, {"v": 5, "still": 6}, {"gain": 0}, {"x": 1, "on": 0})[0]["v"] == 5


def test_a_program_cannot_branch() -> None:
    with pytest.raises(TypeError, match=r"cannot branch on a value of the chip: use where\("):

        @program(states={}, parameters={}, inputs={"x": FLAG}, outputs={"y": FLAG})
        def branching(s: Any, p: Any, x: Any) -> Any:
            return {}, {"y": 1 if x.x else 0}


@pytest.mark.parametrize("unequal", [False, True])
def test_equality_is_not_pythons_own(unequal: bool) -> None:
    """`==` of two symbols is a constant, whatever their values: a comparison that never does anything."""
    with pytest.raises(
        TypeError, match=r"cannot compare values of the chip with == or !=: use a\.equals\(b\)"
    ):

        @program(states={"c": unsigned(4)}, parameters={}, inputs={}, outputs={"events": FLAG})
        def counter(s, p, x):  # type: ignore[no-untyped-def]
            found = s.c != 3 if unequal else s.c == 3
            return {"c": s.c}, {"events": where(found, 1, 0)}


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


def test_a_state_and_a_parameter_need_different_names() -> None:
    """A process of Lava holds both under their names: one of them would be lost."""

    @program(
        states={"box": signed(8)}, parameters={"box": signed(8)}, inputs={"x": signed(8)}, outputs={"y": FLAG}
    )
    def wrong(s: Any, p: Any, x: Any) -> Any:
        return {"box": s.box + x.x}, {"y": s.box > p.box}

    with pytest.raises(ProgramError, match="box: a state and a parameter have the same name"):
        verify_program(wrong)
