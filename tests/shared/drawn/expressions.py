"""Random expressions, as programs and as what they mean in plain Python."""

from __future__ import annotations

import random as python_random
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from drawn.integers import corners
from hw_models.program.trace import (
    Integer,
    Program,
    clip,
    lookup,
    maximum,
    minimum,
    program,
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


def inputs(seed: int, count: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {name: corners(width, random, count) for name, width in INPUTS.items()}


def wanted(expression: Expression, values: dict[str, Any]) -> list[int]:
    count = len(values["a"])
    return [evaluate(expression, {name: int(v[k]) for name, v in values.items()}) for k in range(count)]


def an_expression(random: python_random.Random, depth: int) -> Expression:
    if depth == 0 or random.random() < 0.1:
        return (
            ("x", random.choice(sorted(INPUTS))) if random.random() < 0.7 else ("c", random.randint(-99, 99))
        )
    name = random.choice(sorted(OPERATIONS))
    return (name, *(an_expression(random, depth - 1) for _ in range(OPERATIONS[name][0])))
