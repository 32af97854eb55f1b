"""The same program in float64 without rounding, wrap or saturation: what the integers stand for.

Functions are exact. Bounds that belong to the model (`clip`) stay, and random bits that decide (a burst or
not); random bits that only serve rounding are 0. A draw of n bits becomes a uniform real number in [0, 2^n)
whose whole part is the integers' draw, so that both decide alike but for what is rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models.program.arrivals import arrivals_of
from hw_models.program.random import at, row
from hw_models.program.trace import Program

Reals = NDArray[np.float64]

REAL: dict[str, Callable[..., Any]] = {
    "const": lambda value: np.float64(value),
    "add": lambda a, b, _: a + b,
    "sub": lambda a, b, _: a - b,
    "mul": lambda a, b, _: a * b,
    "shift_left": lambda a, b, _: a * np.exp2(b),
    "shift_right": lambda a, b, _: a * np.exp2(-b),
    "shift_right_zero": lambda a, b, _: a * np.exp2(-b),
    "shift_right_round": lambda a, b, _: a * np.exp2(-b),
    "less": lambda a, b, _: (a < b).astype(np.float64),
    "equal": lambda a, b, _: (a == b).astype(np.float64),
    "select": lambda a, b, c, _: np.where(a != 0, b, c),
    "minimum": lambda a, b, _: np.minimum(a, b),
    "maximum": lambda a, b, _: np.maximum(a, b),
    "saturate": lambda a, _: a,
    "wrap": lambda a, _: a,
}


def real_draw(drawn: NDArray[np.uint32], bits: int) -> Reals:
    """The low `bits` of 32 random ones, and the others as their fraction."""
    whole = drawn & np.uint32((1 << bits) - 1)
    return np.asarray(whole + (drawn >> np.uint32(bits)) * 2.0 ** (bits - 32))


def step(
    program: Program,
    state: Mapping[str, Any],
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Any],
    key: int = 0,
) -> tuple[dict[str, Reals], dict[str, Reals]]:
    """One step of all neurons in real numbers: (state after it, outputs of it)."""
    leaves = {"state": state, "param": parameters, "input": inputs}
    shape = np.broadcast_shapes(*(np.shape(v) for values in leaves.values() for v in values.values()))
    index = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    values: list[Any] = []
    for node in program.nodes:
        arguments = [values[argument] for argument in node.arguments]
        if node.operation in leaves:
            values.append(np.asarray(leaves[node.operation][node.name], dtype=np.float64))
        elif node.operation == "random":
            values.append(real_draw(at(row(key, node.repeat), index), node.attribute))
        elif node.operation == "arrivals":
            values.append(arrivals_of(key, node.repeat, arguments, shape, float).astype(np.float64))
        elif node.operation == "dither":
            values.append(np.float64(0.0))
        elif node.operation == "function":
            values.append(program.functions[node.attribute].real(arguments[0]))
        elif node.operation == "lookup":
            table = np.asarray(program.tables[node.attribute], dtype=np.float64)
            values.append(np.interp(arguments[0], np.arange(table.size), table))
        else:
            values.append(REAL[node.operation](*arguments, node.attribute))

    def collect(nodes: Mapping[str, int]) -> dict[str, Reals]:
        return {name: np.broadcast_to(values[index], shape).copy() for name, index in nodes.items()}

    return collect(program.next_state), collect(program.output)
