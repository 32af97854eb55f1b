"""The operations of an integer program: one table of arity, meaning and the range of the result.

The range rule gives the least and greatest result for arguments in the given ranges; it decides which
machine integer holds a value in compiled code, so it must never be too small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hw_models.program.widths import FLAG, Width

Rule = Callable[[tuple[Width, ...], int], Width]


@dataclass(frozen=True)
class Operation:
    """`attribute` says what the node's integer attribute means, '' where it has none."""

    arity: int
    meaning: str
    attribute: str
    width: Rule


def _corners(values: list[int]) -> Width:
    return Width(min(values), max(values))


def _add(a: tuple[Width, ...], _: int) -> Width:
    return Width(a[0].low + a[1].low, a[0].high + a[1].high)


def _sub(a: tuple[Width, ...], _: int) -> Width:
    return Width(a[0].low - a[1].high, a[0].high - a[1].low)


def _mul(a: tuple[Width, ...], _: int) -> Width:
    return _corners([x * y for x in (a[0].low, a[0].high) for y in (a[1].low, a[1].high)])


def _shift_left(a: tuple[Width, ...], _: int) -> Width:
    return _corners([x << n for x in (a[0].low, a[0].high) for n in (a[1].low, a[1].high)])


def _shift_right(a: tuple[Width, ...], _: int) -> Width:
    return _corners([x >> n for x in (a[0].low, a[0].high) for n in (a[1].low, a[1].high)])


def toward_zero(value: int, shift: int) -> int:
    """sign(value) * (|value| >> shift)."""
    return value >> shift if value >= 0 else -((-value) >> shift)


def rounded(value: int, shift: int) -> int:
    """floor(value / 2^shift + 1/2)."""
    return (value + ((1 << shift) >> 1)) >> shift


def _shift_right_round(a: tuple[Width, ...], _: int) -> Width:
    return _corners([rounded(x, n) for x in (a[0].low, a[0].high) for n in (a[1].low, a[1].high)])


def _shift_right_zero(a: tuple[Width, ...], _: int) -> Width:
    return _corners([toward_zero(x, n) for x in (a[0].low, a[0].high) for n in (a[1].low, a[1].high)])


def _flag(_a: tuple[Width, ...], _: int) -> Width:
    return FLAG


def _select(a: tuple[Width, ...], _: int) -> Width:
    return Width(min(a[1].low, a[2].low), max(a[1].high, a[2].high))


def _minimum(a: tuple[Width, ...], _: int) -> Width:
    return Width(min(a[0].low, a[1].low), min(a[0].high, a[1].high))


def _maximum(a: tuple[Width, ...], _: int) -> Width:
    return Width(max(a[0].low, a[1].low), max(a[0].high, a[1].high))


def saturated(value: int, bits: int) -> int:
    """Clip to the symmetric range of `bits` bits, -(2^(bits-1) - 1) .. 2^(bits-1) - 1."""
    limit = (1 << (bits - 1)) - 1
    return max(-limit, min(limit, value))


def _saturate(a: tuple[Width, ...], bits: int) -> Width:
    return Width(saturated(a[0].low, bits), saturated(a[0].high, bits))


def wrapped(value: int, bits: int) -> int:
    """Lava's single wrap: minus 2^bits above 2^(bits-1), plus 2^bits at or below -2^(bits-1)."""
    half = 1 << (bits - 1)
    if value > half:
        return value - 2 * half
    return value + 2 * half if value <= -half else value


def _wrap(a: tuple[Width, ...], bits: int) -> Width:
    half = 1 << (bits - 1)
    if a[0].low > -half and a[0].high <= half:
        return a[0]
    # A single wrap brings back at most one turn; what lies further out stays out.
    return Width(min(1 - half, a[0].low + 2 * half), max(half, a[0].high - 2 * half))


def _bits(_a: tuple[Width, ...], bits: int) -> Width:
    return Width(0, (1 << bits) - 1)


def _leaf(_a: tuple[Width, ...], _: int) -> Width:
    raise AssertionError("the width of a leaf is declared")


OPERATIONS: dict[str, Operation] = {
    "const": Operation(0, "the integer `attribute`", "value", lambda _, v: Width(v, v)),
    "state": Operation(0, "a state variable at the start of the step", "", _leaf),
    "param": Operation(0, "a parameter, one for all neurons or one each", "", _leaf),
    "input": Operation(0, "an input of this step", "", _leaf),
    "add": Operation(2, "a + b", "", _add),
    "sub": Operation(2, "a - b", "", _sub),
    "mul": Operation(2, "a * b", "", _mul),
    "shift_left": Operation(2, "a * 2^b", "", _shift_left),
    "shift_right": Operation(2, "floor(a / 2^b)", "", _shift_right),
    "shift_right_zero": Operation(2, "a / 2^b, rounded toward zero", "", _shift_right_zero),
    "shift_right_round": Operation(2, "floor(a / 2^b + 1/2)", "", _shift_right_round),
    "less": Operation(2, "1 if a < b else 0", "", _flag),
    "equal": Operation(2, "1 if a == b else 0", "", _flag),
    "select": Operation(3, "b if a is not 0 else c", "", _select),
    "minimum": Operation(2, "the lesser", "", _minimum),
    "maximum": Operation(2, "the greater", "", _maximum),
    "saturate": Operation(1, "clip to a symmetric width", "bits", _saturate),
    "wrap": Operation(1, "one wrap into a width, as Lava's u", "bits", _wrap),
    "function": Operation(1, "a named function of a, rounded to nearest", "function", _leaf),
    "lookup": Operation(1, "entry a of table `attribute`", "table", _leaf),
    "random": Operation(0, "`attribute` uniform random bits, drawn for each neuron and step", "bits", _bits),
    "arrivals": Operation(
        4,
        "arrivals of a Poisson process along the neurons, a << b apart, of which a share c counts, at most d",
        "most",
        lambda a, most: Width(0, min(most, a[3].high)),
    ),
    "dither": Operation(
        0, "random bits that serve rounding alone: 0 where nothing is rounded", "bits", _bits
    ),
}
