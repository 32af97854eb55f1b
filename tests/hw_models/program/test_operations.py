"""Every operation means the same in plain Python, numpy, compiled code and, as far as it can, in reals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_models.program import numpy_interpreter, real_interpreter
from hw_models.program.operations import OPERATIONS
from hw_models.program.trace import (
    Integer,
    Program,
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
from hw_models.program.widths import FLAG, Width, signed, unsigned

TABLE = (3, -5, 1 << 40, 0, 7, 7, -(1 << 33), 12)
BITS = 8
LEAVES = {"const", "state", "param", "input"}
DRAWS = {"random", "dither"}
#: No integer code is made of these: tests/hw_models/program/test_functions.py.
LOWERED = {"function"}

#: Written from the column `meaning` of the table, in integers that never overflow.
MEANING: dict[str, Callable[..., int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "shift_left": lambda a, b: a * 2**b,
    "shift_right": lambda a, b: a // 2**b,
    "shift_right_zero": lambda a, b: abs(a) // 2**b * (1 if a >= 0 else -1),
    "shift_right_round": lambda a, b: (2 * a + 2**b) // 2 ** (b + 1),
    "less": lambda a, b: int(a < b),
    "equal": lambda a, b: int(a == b),
    "select": lambda a, b, c: b if a else c,
    "minimum": lambda a, b: min(a, b),
    "maximum": lambda a, b: max(a, b),
    "saturate": lambda a: sorted((1 - 2 ** (BITS - 1), a, 2 ** (BITS - 1) - 1))[1],
    "wrap": lambda a: a - 2**BITS if a > 2 ** (BITS - 1) else a + 2**BITS if a <= -(2 ** (BITS - 1)) else a,
    "lookup": lambda a: TABLE[a],
}

BUILD: dict[str, Callable[..., Integer]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "shift_left": lambda a, b: a << b,
    "shift_right": lambda a, b: a >> b,
    "shift_right_zero": shift_toward_zero,
    "shift_right_round": shift_rounded,
    "less": lambda a, b: a < b,
    "equal": lambda a, b: a.equals(b),
    "select": where,
    "minimum": minimum,
    "maximum": maximum,
    "saturate": lambda a: saturate(a, BITS),
    "wrap": lambda a: wrap(a, BITS),
    "lookup": lambda a: lookup(TABLE, a),
}

VALUES = [Width(-7, 9), signed(24), signed(32), signed(40)]
AMOUNTS = [Width(0, 12), Width(0, 22), Width(5, 5)]
ANYTHING = signed(64)


def ranges(operation: str) -> list[tuple[Width, ...]]:
    """Argument ranges that lead to 32-bit and to 64-bit results."""
    arity = OPERATIONS[operation].arity
    if operation == "lookup":
        return [(unsigned(3),)]
    if operation.startswith("shift"):
        amounts = AMOUNTS if operation == "shift_left" else [*AMOUNTS, Width(0, 50)]
        return [(value, amount) for value in VALUES for amount in amounts]
    if operation == "mul":
        return [(a, b) for a in VALUES for b in VALUES[:2]]
    if operation == "select":
        return [(FLAG, a, b) for a in VALUES for b in VALUES]
    return [(a,) for a in VALUES] if arity == 1 else [(a, b) for a in VALUES for b in VALUES]


def program_of(operation: str) -> tuple[Program, list[tuple[Width, ...]]]:
    """One output for each combination of ranges; its arguments are inputs of their own."""
    cases = ranges(operation)
    inputs = {f"a{i}_{k}": width for i, widths in enumerate(cases) for k, width in enumerate(widths)}

    @program(states={}, parameters={}, inputs=inputs, outputs={f"r{i}": ANYTHING for i in range(len(cases))})
    def every_range(s: Any, p: Any, x: Any) -> Any:
        build = BUILD[operation]
        return {}, {
            f"r{i}": build(*(getattr(x, f"a{i}_{k}") for k in range(len(widths))))
            for i, widths in enumerate(cases)
        }

    return every_range, cases


def test_every_operation_of_the_table_is_tried() -> None:
    assert set(MEANING) == set(BUILD) == set(OPERATIONS) - LEAVES - DRAWS - LOWERED
    for name, operation in OPERATIONS.items():
        assert operation.meaning, name
        if name in LOWERED:
            continue
        assert operation.arity == (0 if name not in MEANING else MEANING[name].__code__.co_argcount)


def test_interpretations_cover_the_table() -> None:
    """What is not in an interpretation's table is a leaf, draw, function or look-up, treated by name."""
    apart = {"state", "param", "input", "lookup", *DRAWS, *LOWERED}
    assert set(numpy_interpreter.NUMPY) == set(OPERATIONS) - apart
    assert set(real_interpreter.REAL) == set(OPERATIONS) - apart


@pytest.mark.parametrize("operation", sorted(MEANING))
def test_python_numpy_and_compiled_code_agree(
    operation: str, compiled: Callable[..., Any], draw_integers: Callable[..., Any]
) -> None:
    traced, cases = program_of(operation)
    random = np.random.default_rng(1)
    inputs = {name: draw_integers(width, random, 400) for name, width in traced.inputs.items()}
    _, by_numpy = numpy_interpreter.step(traced, {}, {}, inputs)
    _, by_numba = compiled(traced, {f"x_{name}" for name in inputs})({}, {}, inputs)
    for i, widths in enumerate(cases):
        arguments = [inputs[f"a{i}_{k}"] for k in range(len(widths))]
        wanted = [MEANING[operation](*(int(v) for v in row)) for row in zip(*arguments, strict=True)]
        assert by_numpy[f"r{i}"].tolist() == wanted, widths
        assert by_numba[f"r{i}"].tolist() == wanted, widths
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


def test_reals_are_the_integers_without_rounding_and_bounds(
    compiled: Callable[..., Any], draw_integers: Callable[..., Any]
) -> None:
    """One program with every operation, on one combination of ranges each."""
    cases = {name: ranges(name)[min(4, len(ranges(name)) - 1)] for name in MEANING}
    declared = {f"{name}_{k}": width for name, widths in cases.items() for k, width in enumerate(widths)}

    @program(states={}, parameters={}, inputs=declared, outputs=dict.fromkeys(MEANING, ANYTHING))
    def every_operation(s: Any, p: Any, x: Any) -> Any:
        return {}, {
            name: BUILD[name](*(getattr(x, f"{name}_{k}") for k in range(len(widths))))
            for name, widths in cases.items()
        }

    random = np.random.default_rng(2)
    inputs = {name: draw_integers(width, random, 200) for name, width in declared.items()}
    _, by_numpy = real_interpreter.step(every_operation, {}, {}, inputs)
    _, by_numba = compiled(every_operation, {f"x_{name}" for name in inputs}, real=True)({}, {}, inputs)
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
        assert by_numba[name].tolist() == wanted, name


@program(
    states={"s": signed(24)},
    parameters={"p": signed(24)},
    inputs={"x": signed(24)},
    outputs={
        "s": signed(24),
        "p": signed(24),
        "x": signed(24),
        "c": signed(24),
        "r": unsigned(6),
        "d": unsigned(9),
    },
)
def leaves_and_draws(s: Any, p: Any, x: Any) -> Any:
    """Every leaf, a constant and both kinds of draw, as they are."""
    outputs = {"s": s.s, "p": p.p, "x": x.x, "c": -77, "r": random_bits(x.x, 6), "d": dither(x.x, 9)}
    return {"s": x.x}, outputs


def test_leaves_and_draws_agree(compiled: Callable[..., Any], draw_integers: Callable[..., Any]) -> None:
    random = np.random.default_rng(3)
    values = [draw_integers(signed(24), random, 300) for _ in range(3)]
    for key in (0, 1, 0xFFFFFFFF, 0x9E3779B1):
        arguments = ({"s": values[0]}, {"p": values[1]}, {"x": values[2]}, key)
        state, outputs = numpy_interpreter.step(leaves_and_draws, *arguments)
        compiled_state, compiled_outputs = compiled(leaves_and_draws, {"p_p", "x_x"})(*arguments)
        assert state["s"].tolist() == compiled_state["s"].tolist() == values[2].tolist()
        for name in outputs:
            assert outputs[name].tolist() == compiled_outputs[name].tolist(), name
        reals = real_interpreter.step(leaves_and_draws, *arguments)[1]
        compiled_reals = compiled(leaves_and_draws, {"p_p", "x_x"}, real=True)(*arguments)[1]
        for name in reals:
            assert reals[name].tolist() == compiled_reals[name].tolist(), name
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
