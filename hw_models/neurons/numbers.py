"""What a model's numbers in chip units must say, checked when it is registered and when it is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hw_models.neurons.model import ChipNumbers, ChipParameter, NeuronModel
from hw_models.neurons.roles import CONTROL_WIDTHS
from hw_models.program.widths import Width


@dataclass(frozen=True)
class Flaw:
    """What `in_chip_units` of a model gets wrong, behind `neuron model 'NAME'`; required and given."""

    message: str
    required: str
    given: str


def width_of(name: str, parameter: ChipParameter, model: NeuronModel) -> Width | None:
    """The width that an integer parameter must fit; None where nothing declares one."""
    width = model.program.parameters.get(name) or parameter.width
    if width is None and name == model.roles.rate:
        width = CONTROL_WIDTHS["rate"]
    if width is None and name in (model.roles.taught, model.roles.taught_else):
        width = CONTROL_WIDTHS["taught"]
    return width


def flaws(model: NeuronModel, numbers: ChipNumbers) -> Iterator[Flaw]:
    """Every physical parameter, and each of the program's, is accounted for; every name is one."""
    exponents = {it.exponent for it in numbers.parameters.values() if it.exponent is not None}
    stored = {*numbers.parameters, *numbers.constants, *exponents}
    for physical in model.parameters:
        line = numbers.represents.get(physical.name)
        if line is None or not set(line.chip) <= stored:
            yield Flaw(
                f"does not map its parameter '{physical.name}' to the chip",
                "an entry in `represents` that names parameters of the chip",
                "none" if line is None else ", ".join(line.chip),
            )
    for name in model.program.parameters:
        if name not in stored:
            yield Flaw(
                f"does not set the parameter '{name}' of its program",
                "an entry in `parameters` or `constants`",
                "none",
            )
    for name, parameter in numbers.parameters.items():
        yield from _of_parameter(name, parameter, model, numbers.parameters)
    for name, value in numbers.constants.items():
        width = model.program.parameters.get(name)
        if width is not None and not width.holds(Width(value, value)):
            yield Flaw(
                f"sets the parameter '{name}' of its program to a constant out of its range",
                f"{name} in {width}",
                str(value),
            )
    yield from _of_units(model, numbers)


def _of_parameter(
    name: str, parameter: ChipParameter, model: NeuronModel, others: Mapping[str, ChipParameter]
) -> Iterator[Flaw]:
    if width_of(name, parameter, model) is None:
        yield Flaw(
            f"sets '{name}', which is not a parameter of its program",
            "a parameter of the program, the role `rate`, or a `width`",
            name,
        )
    if parameter.exponent is not None and parameter.exponent not in model.program.parameters:
        yield Flaw(
            f"scales '{name}' by the unknown exponent '{parameter.exponent}'",
            "a parameter of the program",
            parameter.exponent,
        )
    followed = others.get(parameter.follows or "")
    known = followed is not None and followed.follows is None
    if callable(parameter.value) != (parameter.follows is not None) or (parameter.follows and not known):
        yield Flaw(
            f"gives '{name}' a value that follows nothing",
            "a function as the value, and in `follows` a parameter that follows no other",
            parameter.follows or "none",
        )


def _of_units(model: NeuronModel, numbers: ChipNumbers) -> Iterator[Flaw]:
    for port in model.ports:
        unit = numbers.port_units.get(port.name)
        if unit is None or not np.all(np.isfinite(unit) & (np.asarray(unit) > 0)):
            yield Flaw(
                f"gives the weights of its port '{port.name}' no unit",
                "a positive number in `port_units`",
                "none" if unit is None else str(unit),
            )
    for variable in numbers.units:
        if variable not in model.program.states and variable not in model.program.outputs:
            yield Flaw(
                f"gives a unit to '{variable}', which is not a variable of its program",
                "a state or an output in `units`",
                variable,
            )
    for variable, origin in numbers.origins.items():
        if variable not in numbers.units or not np.all(np.isfinite(origin)):
            yield Flaw(
                f"says what 0 stands for in '{variable}', but not in which unit",
                "a finite number in `origins`, and an entry in `units`",
                str(origin),
            )
