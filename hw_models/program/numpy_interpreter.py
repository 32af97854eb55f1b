"""The executable specification: a program run on numpy arrays, every value checked against its width."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models.program.arrivals import arrivals_of
from hw_models.program.functions import FixedFunction
from hw_models.program.random import at, row
from hw_models.program.trace import Program
from hw_models.program.widths import Width

Integers = NDArray[np.int64]


class WidthError(ArithmeticError):
    """A value left its declared width without a declared wrap or saturation."""


def _toward_zero(a: Integers, b: Integers) -> Integers:
    return np.asarray(np.sign(a) * (np.abs(a) >> b), dtype=np.int64)


def _wrap(a: Integers, bits: int) -> Integers:
    half = 1 << (bits - 1)
    return np.where(a > half, a - 2 * half, np.where(a <= -half, a + 2 * half, a))


def _saturate(a: Integers, bits: int) -> Integers:
    limit = (1 << (bits - 1)) - 1
    return np.clip(a, -limit, limit)


#: What each operation does; a function of the arguments and the node's attribute.
NUMPY: dict[str, Callable[..., Any]] = {
    "const": lambda value: np.int64(value),
    "add": lambda a, b, _: a + b,
    "sub": lambda a, b, _: a - b,
    "mul": lambda a, b, _: a * b,
    "shift_left": lambda a, b, _: a << b,
    "shift_right": lambda a, b, _: a >> b,
    "shift_right_zero": lambda a, b, _: _toward_zero(a, b),
    "shift_right_round": lambda a, b, _: (a + ((np.int64(1) << b) >> 1)) >> b,
    "less": lambda a, b, _: (a < b).astype(np.int64),
    "equal": lambda a, b, _: (a == b).astype(np.int64),
    "select": lambda a, b, c, _: np.where(a != 0, b, c),
    "minimum": lambda a, b, _: np.minimum(a, b),
    "maximum": lambda a, b, _: np.maximum(a, b),
    "saturate": _saturate,
    "wrap": _wrap,
}


def _nearest(function: FixedFunction, argument: Integers) -> Integers:
    distinct, places = np.unique(argument, return_inverse=True)
    results = np.array([function.nearest(int(value)) for value in distinct], dtype=np.int64)
    return np.asarray(results[places].reshape(np.shape(argument)))


def draw(key: int, index: NDArray[Any], repeat: int, bits: int) -> Integers:
    """The low `bits` of the draw number `repeat` of neuron `index` in the step with this key."""
    return at(row(key, repeat), index).astype(np.int64) & ((1 << bits) - 1)


def _checked(program: Program, kind: str, name: str, width: Width, value: Any) -> Integers:
    integers = np.asarray(value)
    assert integers.dtype.kind in "iub", f"{kind} '{name}' of {program.name} is not an integer"
    integers = integers.astype(np.int64)
    outside = (integers < width.low) | (integers > width.high)
    if np.any(outside):
        worst = integers[outside].flat[0]
        raise WidthError(f"{kind} '{name}' of program '{program.name}' is {worst}, outside {width}")
    return integers


def step(
    program: Program,
    state: Mapping[str, Any],
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Any],
    key: int = 0,
) -> tuple[dict[str, Integers], dict[str, Integers]]:
    """One step of all neurons: (state after it, outputs of it), int64 arrays of one shape.

    `key` is the step's random key; neuron i of the array draws at index i. Raises `WidthError` where a
    state, parameter, input or output is outside its declared width.
    """
    leaves = {
        "state": (program.states, state),
        "param": (program.parameters, parameters),
        "input": (program.inputs, inputs),
    }
    given = {
        (operation, name): _checked(program, operation, name, width, values[name])
        for operation, (declared, values) in leaves.items()
        for name, width in declared.items()
    }
    shape = np.broadcast_shapes(*(value.shape for value in given.values())) if given else ()
    index = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    values: list[Any] = []
    for node in program.nodes:
        arguments = [values[argument] for argument in node.arguments]
        if node.operation in leaves:
            values.append(given[node.operation, node.name])
        elif node.operation in ("random", "dither"):
            values.append(draw(key, index, node.repeat, node.attribute))
        elif node.operation == "arrivals":
            values.append(arrivals_of(key, node.repeat, arguments, shape, int))
        elif node.operation == "function":
            values.append(_nearest(program.functions[node.attribute], arguments[0]))
        elif node.operation == "lookup":
            values.append(np.asarray(program.tables[node.attribute], dtype=np.int64)[arguments[0]])
        else:
            values.append(NUMPY[node.operation](*arguments, node.attribute))

    def collect(kind: str, declared: Mapping[str, Width], nodes: Mapping[str, int]) -> dict[str, Integers]:
        return {
            name: np.broadcast_to(_checked(program, kind, name, width, values[nodes[name]]), shape).copy()
            for name, width in declared.items()
        }

    return collect("state", program.states, program.next_state), collect(
        "output", program.outputs, program.output
    )
