"""The neurons of one population: their states, and what they emitted last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.integers import outside_width
from compiler.ir.chip_program import PopulationCode
from hw_models.program.numpy_interpreter import WidthError, step
from hw_models.program.rewrite import inputs_read

Integers = NDArray[np.int64]


@dataclass
class Neurons:
    """States and outputs by name, [neuron]; outputs are 0 before the first step.

    `clipped` counts sums that left the width of a port that is `read`, `events` and `bursts` what was
    emitted.
    """

    code: PopulationCode
    state: dict[str, Integers]
    output: dict[str, Integers]
    read: frozenset[str]
    clipped: int = 0
    events: int = 0
    bursts: int = 0

    def update(self, signals: Mapping[str, Any], arrived: Mapping[str, Integers], key: int) -> None:
        """Run the program once, on its signals and the sums that arrived at its ports."""
        program, size = self.code.program, (self.code.size,)
        values = {**self.code.parameters, **signals}
        inputs = {name: np.broadcast_to(values[name], size) for name in program.inputs if name in values}
        for port, total in arrived.items():
            width, total = program.inputs[port], total + signals.get(port, 0)
            inputs[port] = np.clip(total, width.low, width.high)
            if port in self.read:
                self.clipped += int(np.count_nonzero(inputs[port] != total))
        parameters = {name: np.broadcast_to(values[name], size) for name in program.parameters}
        try:
            self.state, self.output = step(program, self.state, parameters, inputs, key)
        except WidthError as reason:
            raise outside_width(self.code.name, str(reason)) from None
        self.events += int(np.count_nonzero(self.output.get("events", 0)))
        self.bursts += int(np.count_nonzero(self.output.get("bursts", 0)))


def resting(code: PopulationCode) -> Neurons:
    """The neurons at the start."""
    program, starts = code.program, code.starts(real=False)
    state = {name: np.broadcast_to(starts[name], (code.size,)).astype(np.int64) for name in program.states}
    nothing = {name: np.zeros(code.size, dtype=np.int64) for name in program.outputs}
    return Neurons(code, state, nothing, inputs_read(program))
