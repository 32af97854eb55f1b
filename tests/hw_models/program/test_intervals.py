"""Intervals hold everything that can be, and are tight where a choice is taken apart."""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np
import pytest
from drawn.expressions import an_expression, traced
from drawn.integers import corners
from drawn.operations import MEANING, program_of

from hw_models.program import numpy_interpreter
from hw_models.program.intervals import Evaluation, Interval, interval
from hw_models.program.trace import Program, clip, lookup, maximum, program, saturate, where
from hw_models.program.widths import FLAG, Width, signed, unsigned


def a_box(widths: dict[str, Width], random: np.random.Generator, cases: int) -> dict[str, Interval]:
    """Intervals within widths, some of them a single integer."""
    found = {}
    for name, width in widths.items():
        ends = np.sort([corners(width, random, cases), corners(width, random, cases)], axis=0)
        single = random.random(cases) < 0.2
        found[name] = Interval(ends[0], np.where(single, ends[0], ends[1]))
    return found


def points(box: dict[str, Interval], random: np.random.Generator, count: int) -> dict[str, Any]:
    """Points of each case of a box, [point, case]: corners, and what lies between."""
    found = {}
    for name, it in box.items():
        inside = random.integers(it.low, it.high, (count, len(it.low)), endpoint=True)
        found[name] = np.choose(random.integers(0, 3, inside.shape), [it.low + 0 * inside, inside, it.high])
    return found


def assert_held(traced_program: Program, seed: int, cases: int = 40, count: int = 60) -> None:
    random = np.random.default_rng(seed)
    box = a_box(dict(traced_program.inputs), random, cases)
    leaves = {("input", name): it for name, it in box.items()}
    found = Evaluation(traced_program, leaves, traced_program.output.values(), (cases,))
    _, given = numpy_interpreter.step(traced_program, {}, {}, points(box, random, count))
    for name, number in traced_program.output.items():
        it = found[number]
        outside = (given[name] < it.low) | (given[name] > it.high)
        assert not np.any(outside), f"{name} in case {np.argmax(outside.any(axis=0))}"


@pytest.mark.parametrize("operation", sorted(MEANING))
def test_every_operation(operation: str) -> None:
    assert_held(program_of(operation)[0], 1)


@pytest.mark.parametrize("seed", range(12))
def test_drawn_programs(seed: int) -> None:
    random = python_random.Random(seed)
    assert_held(traced([an_expression(random, 4) for _ in range(10)]), seed)


@program(
    states={"v": signed(24), "idle": unsigned(6)},
    parameters={"vth": unsigned(17)},
    inputs={"current": signed(18), "teach": FLAG},
    outputs={"events": FLAG, "bounded": signed(24), "taught": signed(24), "entry": signed(24)},
)
def _neuron(s, p, x):  # type: ignore[no-untyped-def]
    v = saturate(s.v + x.current, bits=24)
    free = s.idle < 1
    event = (v > p.vth) & free
    table = lookup((3, -7, 20, 5, 0, 1, 2, 90), clip(v, 0, 7))
    return {
        "v": where(event, 0, v),
        "idle": where(event, 5, maximum(s.idle - 1, 0)),
    }, {
        "events": event,
        "bounded": where(v > p.vth, 0, v),
        # What is only where it is taught can be no less than there.
        "taught": where(x.teach, where(v < 0, 0, v), -1),
        "entry": table,
    }


def one(program: Program, results: dict[str, int], **ends: tuple[int, int]) -> dict[str, tuple[int, int]]:
    kinds = {
        name: kind
        for kind in ("state", "param", "input")
        for name in getattr(program, f"{kind}s" if kind != "param" else "parameters")
    }
    leaves = {(kinds[name], name): interval(*it, (1,)) for name, it in ends.items()}
    found = Evaluation(program, leaves, results.values(), (1,))
    return {name: (int(found[it].low[0]), int(found[it].high[0])) for name, it in results.items()}


def test_what_a_choice_leaves() -> None:
    given = {"v": (-500, 1000), "vth": (1000, 1000), "current": (-50, 300), "teach": (0, 1), "idle": (0, 3)}
    found = one(_neuron, dict(_neuron.output), **given)
    assert found["events"] == (0, 1)
    assert found["bounded"] == (-550, 1000)
    assert found["taught"] == (-1, 1300)
    # A neuron in its refractory time stays where it is, above the threshold, too.
    assert one(_neuron, dict(_neuron.next_state), **given) == {"v": (-550, 1300), "idle": (0, 5)}
    free = {**given, "idle": (0, 0), "teach": (1, 1)}
    assert one(_neuron, dict(_neuron.next_state), **free) == {"v": (-550, 1000), "idle": (0, 5)}
    assert one(_neuron, dict(_neuron.output), **free)["taught"] == (0, 1300)


def test_entries_of_a_table() -> None:
    given = {"vth": (0, 0), "current": (0, 0), "teach": (0, 0), "idle": (0, 0)}
    table = (3, -7, 20, 5, 0, 1, 2, 90)
    for low in range(8):
        for high in range(low, 8):
            wanted = (min(table[low : high + 1]), max(table[low : high + 1]))
            assert one(_neuron, {"entry": _neuron.output["entry"]}, v=(low, high), **given)["entry"] == wanted


def test_what_cannot_be_counts_for_nothing() -> None:
    given = {"v": (-10, 50), "vth": (1000, 1000), "current": (0, 9), "teach": (0, 0), "idle": (0, 0)}
    assert one(_neuron, dict(_neuron.output), **given) == {
        "events": (0, 0),
        "bounded": (-10, 59),
        "taught": (-1, -1),
        "entry": (-7, 90),
    }
