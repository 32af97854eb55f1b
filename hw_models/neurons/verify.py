"""The rules that a neuron model obeys, checked when it is registered and when an artifact is read."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from hw_models.diagnostics import register_codes
from hw_models.neurons.model import BASE_UNITS, ChipNumbers, NeuronModel, Parameter, Reals, Settable
from hw_models.neurons.numbers import flaws
from hw_models.neurons.quantities import VOLTAGE_STEPS
from hw_models.neurons.roles import CONTROL_WIDTHS, Roles
from hw_models.program.trace import Program
from hw_models.program.verify import ProgramError, is_name, verify_program
from hw_models.program.widths import FLAG

register_codes({"BC190": "a neuron model, of a package or handed over, that cannot be used"})


#: The voltage scale at which a model's numbers are looked at.
VOLTAGE = float(VOLTAGE_STEPS)


class ModelError(ValueError):
    """A model that breaks a rule; the message names the model and what is wrong with it."""


def verify_binding(program: Program, ports: Collection[str], roles: Roles, extra: Collection[str]) -> None:
    """Every input is a port or a control, and every role names what exists.

    `extra` are parameters that a population may have beside those that its program reads. Raises
    `ProgramError`.
    """

    def require(holds: bool, message: str) -> None:
        if not holds:
            raise ProgramError(message)

    for name in filter(None, (roles.rate, roles.full_rate, roles.taught, roles.taught_else)):
        require(is_name(name) and name in extra, f"a role names '{name}', which is not a parameter")
    for name in ports:
        require(name in program.inputs, f"port '{name}' is not an input of the program")
    for name, control in roles.controls.items():
        require(name in program.inputs, f"control '{name}' is not an input of the program")
        require(name not in ports, f"input '{name}' is both a port and a control")
        require(control in CONTROL_WIDTHS, f"input '{name}' is bound to the unknown control '{control}'")
        width, least = program.inputs[name], CONTROL_WIDTHS[control]
        require(
            width.holds(least), f"input '{name}' has the range {width}, control '{control}' needs {least}"
        )
    for name in program.inputs:
        bound = name in ports or name in roles.controls
        require(bound, f"input '{name}' is neither a port nor bound to a control")
    require(
        len(set(roles.controls.values())) == len(roles.controls), "two inputs are bound to the same control"
    )
    if "rate" in roles.controls.values():
        require(bool(roles.rate), "the role `rate` is missing, a parameter for the control 'rate'")
    if "taught" in roles.controls.values():
        both = bool(roles.taught and roles.taught_else)
        require(both, "the roles `taught` and `taught_else` are missing, parameters for the control 'taught'")
    for name in (roles.gathered, roles.count, roles.tie):
        require(not name or name in program.states, f"a role names '{name}', which is not a state")
    for name in (roles.factor_shift, *roles.exponents.values()):
        require(not name or name in program.parameters, f"a role names '{name}', which is not a parameter")
    for port, state in roles.responses.items():
        require(state in program.states, f"a role names '{state}', which is not a state")
        require(port in ports, f"the role `responses` names '{port}', which is not a port")
    require(set(roles.exponents) <= set(ports), "the role `exponents` names something that is not a port")
    if "events" in program.outputs:
        require(program.outputs["events"] == FLAG, "the output 'events' must have the range 0..1")


def _verify_variables(model: NeuronModel, ports: list[str]) -> None:
    """Every declared variable is of a parameter that exists and of an input or parameter of the program."""
    taken = list(ports)
    known = {*model.program.inputs, *model.program.parameters} - set(ports)
    for it in model.variables:
        if it.name in taken:
            raise ProgramError(f"the variable '{it.name}' stands twice, or is a port too")
        taken.append(it.name)
        if it.parameter and model.parameter(it.parameter) is None:
            raise ProgramError(f"the variable '{it.name}' is of '{it.parameter}', which is not a parameter")
        if it.rest and model.parameter(it.rest) is None:
            raise ProgramError(f"the variable '{it.name}' rests at '{it.rest}', which is not a parameter")
        if bool(it.parameter) != bool(it.chip):
            raise ProgramError(f"the variable '{it.name}' needs a parameter and what it becomes on the chip")
        if (it.input or it.chip) not in known:
            raise ProgramError(
                f"the variable '{it.name}' is for '{it.input or it.chip}', which is not an input"
            )
        if not it.parameter and model.program.inputs.get(it.input) != FLAG:
            raise ProgramError(f"the variable '{it.name}' has no parameter and is not a flag")


def _probe(parameter: Parameter) -> float:
    """The default of a parameter, or some value that it can have."""
    if parameter.default is not None:
        return parameter.default
    low = -1e9 if parameter.minimum is None else parameter.minimum
    high = 1e9 if parameter.maximum is None else parameter.maximum
    return min(max(1.0, low), high)


def _elsewhere(numbers: ChipNumbers, variable: Settable) -> dict[str, object]:
    """All that a model's numbers say but for what `variable` becomes, by what a message calls it."""
    # What follows another parameter is compared as a function, at the two places where all are defined.
    at: dict[str, object] = {
        f"the chip parameter '{name}'": it.value if it.follows is None else (it.value(1.0), it.value(2.0))  # type: ignore[operator]
        for name, it in numbers.parameters.items()
        if name != variable.chip
    }
    at |= {f"the constant '{name}'": value for name, value in numbers.constants.items()}
    at |= {f"the unit of port '{name}'": unit for name, unit in numbers.port_units.items()}
    return at | {f"the unit of '{name}'": unit for name, unit in numbers.units.items()}


def _verify_settable(model: NeuronModel, values: dict[str, Reals], numbers: ChipNumbers) -> None:
    """The parameter of a variable decides the one chip parameter that is set. Raises `ProgramError`."""
    for it in model.variables:
        parameter = model.parameter(it.parameter)
        if parameter is None:
            continue
        before = _elsewhere(numbers, it)
        for other in _near(parameter, values[parameter.name]):
            try:
                changed = model.in_chip_units({**values, parameter.name: other}, 1.0, VOLTAGE)
            except Exception:  # the model's own code: values that nobody gave may not go together
                continue
            after = _elsewhere(changed, it)
            for name, value in after.items():
                if not np.array_equal(np.asarray(before.get(name)), np.asarray(value)):
                    raise ProgramError(
                        f"the variable '{it.name}' sets '{it.chip}' alone, but its parameter "
                        f"'{it.parameter}' decides {name} too"
                    )


def _near(parameter: Parameter, value: Reals) -> list[float]:
    """Other values that a parameter can have, near one of them."""
    low = -math.inf if parameter.minimum is None else parameter.minimum
    high = math.inf if parameter.maximum is None else parameter.maximum
    step = max(abs(float(value)) / 8, 1e-3)
    return [float(it) for it in (value - step, value + step) if low <= it <= high]


def _verify_numbers(model: NeuronModel) -> None:
    """What the physical parameters become, at their defaults and a step of 1 ms. Raises `ProgramError`."""
    names = [parameter.name for parameter in model.parameters]
    for name in names:
        if not is_name(name) or names.count(name) > 1:
            raise ProgramError(f"parameter '{name}' has no name of its own")
    for it in model.parameters:
        low, high = it.minimum, it.maximum
        value = _probe(it)
        if (low is not None and value < low) or (high is not None and value > high):
            raise ProgramError(f"the default of '{it.name}' is {value}, outside its range")
    values: dict[str, Reals] = {parameter.name: _probe(parameter) for parameter in model.parameters}
    try:
        numbers = model.in_chip_units(values, 1.0, VOLTAGE)
    except Exception as reason:  # the model's own code: whatever goes wrong there is its fault
        if any(parameter.default is None for parameter in model.parameters):
            # Values that nobody gave may not go together.
            return
        raise ProgramError(f"`in_chip_units` fails with {type(reason).__name__}: {reason}") from reason
    if not isinstance(numbers, ChipNumbers):
        raise ProgramError(f"`in_chip_units` gives a {type(numbers).__name__}")
    found = [
        f"it {flaw.message} (required: {flaw.required}; given: {flaw.given})"
        for flaw in flaws(model, numbers)
    ]
    if found:
        raise ProgramError("; ".join(found))
    _verify_settable(model, values, numbers)


def verify_model(model: NeuronModel) -> None:
    """The program, the binding of its inputs, ports, units and numbers. Raises `ModelError`."""
    ports = [port.name for port in model.ports]
    # What signals are made of stands beside the program's parameters.
    roles = model.roles
    extra = [name for name in (roles.rate, roles.full_rate, roles.taught, roles.taught_else) if name]
    try:
        verify_program(model.program)
        verify_binding(model.program, ports, model.roles, extra)
        if (model.kind == "source") != (not ports):
            raise ProgramError(f"a {model.kind} cannot have {len(ports)} ports")
        if len(set(ports)) != len(ports):
            raise ProgramError("two ports have the same name")
        _verify_variables(model, ports)
        dimensions = {parameter.name: parameter.dimension for parameter in model.parameters}
        for name, dimension in (dimensions | {p.name: p.weight_dimension for p in model.ports}).items():
            if dimension not in BASE_UNITS:
                raise ProgramError(f"'{name}' has the unknown dimension '{dimension}'")
        _verify_numbers(model)
    except ProgramError as reason:
        raise ModelError(f"model '{model.name}': {reason}") from None
