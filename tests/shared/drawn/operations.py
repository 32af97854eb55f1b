"""Every operation of a program, over argument ranges that lead to 32-bit and to 64-bit results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


def every_operation_once() -> tuple[Program, dict[str, tuple[Width, ...]]]:
    """One program with every operation, on one combination of ranges each."""
    cases = {name: ranges(name)[min(4, len(ranges(name)) - 1)] for name in MEANING}
    declared = {f"{name}_{k}": width for name, widths in cases.items() for k, width in enumerate(widths)}

    @program(states={}, parameters={}, inputs=declared, outputs=dict.fromkeys(MEANING, ANYTHING))
    def every_operation(s: Any, p: Any, x: Any) -> Any:
        return {}, {
            name: BUILD[name](*(getattr(x, f"{name}_{k}") for k in range(len(widths))))
            for name, widths in cases.items()
        }

    return every_operation, cases


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
