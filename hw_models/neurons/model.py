"""What a neuron model is made of: its physical parameters, its ports, its quantisation and its program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hw_models.neurons.roles import Roles
from hw_models.program.trace import Program

Dimension = Literal["time", "voltage", "current", "capacitance", "rate", "fraction", "number"]

#: The unit in which a value of each dimension is stored.
BASE_UNITS: dict[Dimension, str] = {
    "time": "ms",
    "voltage": "mV",
    "current": "pA",
    "capacitance": "pF",
    "rate": "Hz",
    "fraction": "",
    "number": "",
}


@dataclass(frozen=True)
class Parameter:
    """A physical parameter: its dimension, its range, its default in base units (None: must be given)."""

    name: str
    dimension: Dimension
    default: float | None
    doc: str
    minimum: float | None = None
    maximum: float | None = None
    integer: bool = False


@dataclass(frozen=True)
class Port:
    """An input port; `weight_dimension` is the dimension of the weights of the synapses that end here."""

    name: str
    weight_dimension: Dimension
    doc: str


@dataclass(frozen=True)
class QuantizedParameter:
    """What one physical parameter became: the integers, and the value in base units that they stand for."""

    name: str
    requested: float | tuple[float, ...]
    represented: float | tuple[float, ...]
    integers: str


@dataclass(frozen=True)
class Quantized:
    """A population's integers.

    `parameters` bear the chip's names (`du`, `dv`, `vth`, ...), scalars or one value a neuron.
    `port_units[port]` is the weight, in the port's base unit, that one weight unit at exponent 0 stands for.
    `report` holds one line for each physical parameter. `units[variable]` is the value that 1 in a state or
    output stands for, and its unit ("" for a fraction), where that is one number for all neurons.
    """

    parameters: Mapping[str, int | NDArray[np.int64]]
    port_units: Mapping[str, float]
    report: tuple[QuantizedParameter, ...] = field(default=())
    units: Mapping[str, tuple[float, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class NeuronModel:
    """A registered model. `kind` is `source` for a model without input ports.

    `quantize(values, step_ms)` maps every physical parameter (defaults filled in) to integers.
    `program` is the integer program of one step; its outputs are what projections and probes may name,
    its states what probes may name. `roles` say what its other inputs are bound to, and which states and
    parameters have a meaning beyond the model.
    """

    name: str
    kind: Literal["neuron", "source"]
    doc: str
    parameters: tuple[Parameter, ...]
    ports: tuple[Port, ...]
    quantize: Callable[[Mapping[str, float | NDArray[np.float64]], float], Quantized]
    program: Program
    roles: Roles = field(default_factory=Roles)

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of this name, or None."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)
