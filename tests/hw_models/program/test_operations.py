"""Every operation means the same in plain Python, numpy and, as far as it can, in reals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from drawn.operations import (
    BITS,
    BUILD,
    DRAWS,
    LEAVES,
    MEANING,
    every_operation_once,
    leaves_and_draws,
    program_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_models.program import numpy_interpreter, real_interpreter
from hw_models.program.operations import OPERATIONS
from hw_models.program.widths import Width, signed

#: Tested in `test_functions.py` and `test_arrivals.py`.
ELSEWHERE = {"function", "arrivals"}


def test_every_operation_of_the_table_is_tried() -> None:
    assert set(MEANING) == set(BUILD) == set(OPERATIONS) - LEAVES - DRAWS - ELSEWHERE
    for name, operation in OPERATIONS.items():
        assert operation.meaning, name
        if name in ELSEWHERE:
            continue
        assert operation.arity == (0 if name not in MEANING else MEANING[name].__code__.co_argcount)


def test_interpretations_cover_the_table() -> None:
    """What is not in an interpretation's table is a leaf, draw, function or look-up, treated by name."""
    apart = {"state", "param", "input", "lookup", *DRAWS, *ELSEWHERE}
    assert set(numpy_interpreter.NUMPY) == set(OPERATIONS) - apart
    assert set(real_interpreter.REAL) == set(OPERATIONS) - apart


@pytest.mark.parametrize("operation", sorted(MEANING))
def test_python_and_numpy_agree(operation: str, draw_integers: Callable[..., Any]) -> None:
    traced, cases = program_of(operation)
    random = np.random.default_rng(1)
    inputs = {name: draw_integers(width, random, 400) for name, width in traced.inputs.items()}
    _, by_numpy = numpy_interpreter.step(traced, {}, {}, inputs)
    for i, widths in enumerate(cases):
        arguments = [inputs[f"a{i}_{k}"] for k in range(len(widths))]
        wanted = [MEANING[operation](*(int(v) for v in row)) for row in zip(*arguments, strict=True)]
        assert by_numpy[f"r{i}"].tolist() == wanted, widths
        node = traced.nodes[traced.output[f"r{i}"]]
        assert node.width.low <= min(wanted) and max(wanted) <= node.width.high, widths


#: Of these the reals equal the integers whatever the arguments, of the others only where nothing is rounded.
EXACT_IN_REALS = {
    "add",
    "sub",
    "mul",
    "shift_left",
    "less",
    "equal",
    "select",
    "minimum",
    "maximum",
    "lookup",
}


def test_reals_are_the_integers_without_rounding_and_bounds(draw_integers: Callable[..., Any]) -> None:
    every_operation, cases = every_operation_once()
    random = np.random.default_rng(2)
    inputs = {name: draw_integers(width, random, 200) for name, width in every_operation.inputs.items()}
    _, by_numpy = real_interpreter.step(every_operation, {}, {}, inputs)
    for name, widths in cases.items():
        a = [inputs[f"{name}_{k}"].astype(np.float64) for k in range(len(widths))]
        if name in EXACT_IN_REALS:
            wanted = [float(MEANING[name](*(int(v) for v in row))) for row in zip(*a, strict=True)]
        elif name.startswith("shift_right"):
            wanted = (a[0] / 2.0 ** a[1]).tolist()
        else:
            assert name in ("saturate", "wrap")
            wanted = a[0].tolist()
        assert by_numpy[name].tolist() == wanted, name


def test_leaves_and_draws(draw_integers: Callable[..., Any]) -> None:
    random = np.random.default_rng(3)
    values = [draw_integers(signed(24), random, 300) for _ in range(3)]
    for key in (0, 1, 0xFFFFFFFF, 0x9E3779B1):
        arguments = ({"s": values[0]}, {"p": values[1]}, {"x": values[2]}, key)
        state, outputs = numpy_interpreter.step(leaves_and_draws, *arguments)
        assert state["s"].tolist() == values[2].tolist()
        reals = real_interpreter.step(leaves_and_draws, *arguments)[1]
        # A draw that decides is a real number above the integers' draw; one that serves rounding is gone.
        assert np.floor(reals["r"]).tolist() == outputs["r"].tolist()
        assert np.all(np.diff(np.sort(reals["r"])) > 0)
        assert not reals["d"].any() and outputs["d"].any()


bounds = st.integers(-(2**40), 2**40)
widths = st.tuples(bounds, bounds).map(lambda pair: Width(min(pair), max(pair)))
amounts = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: Width(min(pair), max(pair)))


@settings(max_examples=600, deadline=None)
@given(data=st.data(), operation=st.sampled_from(sorted(set(MEANING) - {"lookup"})))
def test_no_result_leaves_the_computed_range(data: st.DataObject, operation: str) -> None:
    kinds = [widths, amounts if operation.startswith("shift") else widths, widths][
        : OPERATIONS[operation].arity
    ]
    declared = tuple(data.draw(kind) for kind in kinds)
    attribute = BITS if operation in ("saturate", "wrap") else 0
    computed = OPERATIONS[operation].width(declared, attribute)
    values = [data.draw(st.sampled_from([w.low, w.high]) | st.integers(w.low, w.high)) for w in declared]
    assert computed.low <= MEANING[operation](*values) <= computed.high
