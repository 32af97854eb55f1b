"""What a neuron model is made of: physical parameters, ports, its numbers in chip units and its program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hw_models.neurons.roles import Roles
from hw_models.program.trace import Program
from hw_models.program.widths import Width

Reals = float | NDArray[np.float64]

Dimension = Literal[
    "time", "voltage", "current", "capacitance", "conductance", "leak", "rate", "fraction", "number"
]

#: The unit in which a value of each dimension is stored.
BASE_UNITS: dict[Dimension, str] = {
    "time": "ms",
    "voltage": "mV",
    "current": "pA",
    "capacitance": "pF",
    "conductance": "nS",
    "leak": "leak",
    "rate": "Hz",
    "fraction": "",
    "number": "",
}


@dataclass(frozen=True)
class Parameter:
    """A physical parameter: its dimension, its range, its default in base units (None: must be given).

    `instead_of` names the parameter of a model in whose place an option is given: never beside it.
    """

    name: str
    dimension: Dimension
    default: float | None
    doc: str
    minimum: float | None = None
    maximum: float | None = None
    integer: bool = False
    instead_of: str = ""


@dataclass(frozen=True)
class Port:
    """An input port; `weight_dimension` is the dimension of the weights of the synapses that end here.

    `events`: what arrives in a step is an event or none, so what sends in every step has no business here.
    """

    name: str
    weight_dimension: Dimension
    doc: str
    events: bool = False


@dataclass(frozen=True)
class Variable:
    """What a signal may set in every step, as a network's file calls it.

    `input` is the program's input or parameter that takes it, or the port that it is added to. It has the
    dimension, the range and the conversion of the model's `parameter`, which becomes the chip parameter
    `chip`; a port has its own; without either it is a flag, 0 or 1. `rest` is the parameter whose value holds
    where no signal does, "" for 0.
    """

    name: str
    input: str
    dimension: Dimension = "number"
    minimum: float | None = None
    maximum: float | None = None
    parameter: str = ""
    chip: str = ""
    rest: str = ""


@dataclass(frozen=True)
class Settable:
    """A declaration in a model: `parameter`, called `name` or as itself, may be set by signals.

    `input` is the program's input or parameter for it, by default `chip`, the chip parameter that it becomes;
    `rest` the parameter whose value holds without a signal, by default itself. A flag has an `input` alone.
    """

    name: str
    parameter: str = ""
    chip: str = ""
    input: str = ""
    rest: str = ""


@dataclass(frozen=True)
class ChipParameter:
    """One of the chip's parameters as a real number; the compiler makes an integer of it.

    `value` is scalar or one number a neuron. It is rounded to nearest, halves to even, and must fit the width
    that the program declares for its parameter of this name (else `width`, or that of the control `rate`):

    - `offset` is added to the integer, and to the real number that the program is given;
    - `clip`: a value beyond the width becomes its bound; without it such a value is an error;
    - `shared`: one integer for all neurons, the one of the greatest value;
    - `decays_voltage`: what a voltage loses in a step, in this fraction, rounded by up to one unit; the
      compiler chooses a voltage scale at which this rounding does not matter;
    - `exponent` names a second parameter e: rounded(value) = mantissa 2^e with the smallest e, one for all
      neurons, at which every mantissa fits; what no e reaches becomes the greatest there is;
    - `follows` names another parameter whose integer decides this one: `value` is then a function of it,
      called with its integer for the integer and with its real number for the real one.
    """

    value: Reals | Callable[[Reals], Reals]
    clip: bool = False
    offset: int = 0
    shared: bool = False
    exponent: str | None = None
    follows: str | None = None
    width: Width | None = None
    decays_voltage: int = 0


@dataclass(frozen=True)
class Represented:
    """Which chip parameters a physical one went into, and how its value is got back from them.

    `value` takes the chip's parameters by name, in the units of `ChipParameter.value`: without offset, and a
    mantissa times its 2^e. It returns the physical value in base units.
    """

    chip: tuple[str, ...]
    value: Callable[[Mapping[str, Reals]], Reals]


@dataclass(frozen=True)
class ChipNumbers:
    """A population in the chip's units, not yet rounded.

    `parameters` have the chip's names (`du`, `dv`, `vth`, ...); `constants` are those that no physical
    parameter sets. `represents` has an entry for every physical parameter. `port_units[port]` is the weight,
    in the port's base unit, that one weight unit at exponent 0 stands for where a message is 1, one or
    [neuron]. `units[variable]` is the value that 1 in a state or output stands for, and its unit ("" for a
    fraction), where that is one number for all neurons; a message counts in the unit of its output.
    `origins[variable]` is the value that 0 in it stands for, in that unit, one or [neuron], where it is not
    0. `starts[state]`, of each state of the model's `initial`,
    are the physical value that 1 in the state adds, and the one that 0 stands for. `leaks[port]`, of ports
    whose weights are conductances, is the leak's in nS, one or [neuron]: what `1 leak` stands for.
    """

    parameters: Mapping[str, ChipParameter]
    represents: Mapping[str, Represented]
    port_units: Mapping[str, Reals]
    constants: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    origins: Mapping[str, Reals] = field(default_factory=dict)
    starts: Mapping[str, tuple[Reals, Reals]] = field(default_factory=dict)
    leaks: Mapping[str, Reals] = field(default_factory=dict)


@dataclass(frozen=True)
class NeuronModel:
    """A registered model. `kind` is `source` for a model without input ports.

    `in_chip_units(values, step_ms, voltage_steps)` maps every physical parameter (defaults filled in) to real
    numbers in the chip's units; `voltage_steps` of them are the distance from rest to threshold, the least
    of the population. The compiler chooses it, rounds, clips and writes the quantisation report.
    `program` is the integer program of one step; its outputs are what projections and probes may name,
    its states what probes may name. `roles` say what its other inputs are bound to, and which states and
    parameters have a meaning beyond the model. `variables` are what signals may set beside the ports. Of the
    outputs in `continuous` a message is sent in every step: their weights count for a millisecond.

    `initial` are the states, by name, whose value at the start a network may give, with its dimension and
    range. `options` are parameters that a population need not have: one that is given some of them runs a
    model with those among its parameters, which is `extended(names)` where its program is a longer one.
    """

    name: str
    kind: Literal["neuron", "source"]
    doc: str
    parameters: tuple[Parameter, ...]
    ports: tuple[Port, ...]
    in_chip_units: Callable[[Mapping[str, Reals], float, float], ChipNumbers]
    program: Program
    roles: Roles = field(default_factory=Roles)
    variables: tuple[Settable, ...] = ()
    continuous: tuple[str, ...] = ()
    initial: tuple[Parameter, ...] = ()
    options: tuple[Parameter, ...] = ()
    extended: Callable[[frozenset[str]], NeuronModel] | None = None

    def with_options(self, given: Collection[str]) -> NeuronModel:
        """The model of a population with these parameters: itself where none of them is an option."""
        names = frozenset(it.name for it in self.options if it.name in given)
        if not names:
            return self
        return self.with_given(names) if self.extended is None else self.extended(names)

    def with_given(self, names: frozenset[str]) -> NeuronModel:
        """The model with these options among its parameters, less those in whose place they stand."""
        options = tuple(it for it in self.options if it.name in names)
        replaced = {it.instead_of for it in options}
        return replace(
            self,
            parameters=(*(it for it in self.parameters if it.name not in replaced), *options),
            variables=tuple(it for it in self.variables if it.parameter not in replaced),
            options=(),
            extended=None,
        )

    def preset(self, name: str, doc: str, **defaults: float) -> NeuronModel:
        """The model under another name, with other defaults of some parameters."""
        parameters = tuple(replace(it, default=defaults.get(it.name, it.default)) for it in self.parameters)
        extended = self.extended

        def longer(given: frozenset[str]) -> NeuronModel:
            assert extended is not None, "a model without a longer program"
            return extended(given).preset(name, doc, **defaults)

        return replace(
            self, name=name, doc=doc, parameters=parameters, extended=None if extended is None else longer
        )

    @property
    def widest(self) -> NeuronModel:
        """The model with every option that stands beside the parameters."""
        return self.with_options([it.name for it in self.options if not it.instead_of])

    @property
    def settable(self) -> tuple[Variable, ...]:
        """What signals may set: the declared variables, then the ports."""
        found = []
        for it in self.variables:
            parameter = self.parameter(it.parameter)
            if parameter is None:
                found.append(Variable(it.name, it.input, minimum=0.0, maximum=1.0))
                continue
            found.append(
                Variable(
                    it.name,
                    it.input or it.chip,
                    parameter.dimension,
                    parameter.minimum,
                    parameter.maximum,
                    parameter.name,
                    it.chip,
                    it.rest or parameter.name,
                )
            )
        return (*found, *(Variable(port.name, port.name, port.weight_dimension) for port in self.ports))

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of this name, or None."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)
