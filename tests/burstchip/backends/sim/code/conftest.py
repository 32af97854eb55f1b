"""Programs run as compiled loops, called as the numpy interpretation is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pytest

from burstchip.backends.sim.code.step_source import PRELUDE, step_source
from hw_models.program.trace import Program
from hw_models.program.widths import Width, signed

Arrays = dict[str, Any]
Step = Callable[..., tuple[Arrays, Arrays]]


def machine_integer(width: Width) -> type:
    """The type of the arrays that a loop is given, as the simulator chooses it."""
    return np.int32 if signed(32).holds(width) else np.int64


def compile_step(program: Program, arrays: Collection[str], real: bool = False) -> Step:
    """`step(state, parameters, inputs, key)` like `numpy_interpreter.step`, but a compiled loop.

    `arrays` names the parameters (`p_...`) and inputs (`x_...`) that hold a value for each neuron.
    """
    text, arguments = step_source(program, "step", per_neuron=set(arrays), real=real)
    names: dict[str, Any] = {}
    exec(compile(PRELUDE + text, f"<step of {program.name}>", "exec"), names)

    def step(
        state: Mapping[str, Any],
        parameters: Mapping[str, Any],
        inputs: Mapping[str, Any],
        key: int = 0,
    ) -> tuple[Arrays, Arrays]:
        given = {"s": (program.states, state), "p": (program.parameters, parameters)}
        given["x"] = (program.inputs, inputs)
        (n,) = np.broadcast_shapes(
            *(np.shape(v) for _, values in given.values() for v in values.values()), (1,)
        )
        actual: Arrays = {}
        for kind, (widths, values) in given.items():
            for name, width in widths.items():
                leaf, value = f"{kind}_{name}", values[name]
                dtype = np.float64 if real else machine_integer(width)
                if kind == "s" or leaf in arrays:
                    actual[leaf] = np.array(np.broadcast_to(value, (n,)), dtype=dtype)
                else:
                    actual[leaf] = np.float64(value) if real else np.int64(value)
        for name, width in program.outputs.items():
            actual[f"o_{name}"] = np.zeros(n, dtype=np.float64 if real else machine_integer(width))
        names["step"](n, np.uint32(key), *(actual[name] for name in arguments))
        states = {name: actual[f"s_{name}"] for name in program.states}
        return states, {name: actual[f"o_{name}"] for name in program.outputs}

    return step


@pytest.fixture(scope="session")
def compiled() -> Callable[..., Step]:
    """`compile_step`."""
    return compile_step
