"""The rules that a neuron model obeys, checked when it is registered and when an artifact is read."""

from __future__ import annotations

from collections.abc import Collection

from hw_models.neurons.model import BASE_UNITS, NeuronModel
from hw_models.neurons.roles import CONTROL_WIDTHS, Roles
from hw_models.program.trace import Program
from hw_models.program.verify import ProgramError, is_name, verify_program
from hw_models.program.widths import FLAG


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
        require(is_name(name) and name in extra, f"the role of '{name}', which is no parameter")
    for name in ports:
        require(name in program.inputs, f"port '{name}' is no input of the program")
    for name, control in roles.controls.items():
        require(name in program.inputs, f"the control '{name}' is no input of the program")
        require(name not in ports, f"input '{name}' is a port and a control")
        require(control in CONTROL_WIDTHS, f"input '{name}' is bound to the unknown control '{control}'")
        width, least = program.inputs[name], CONTROL_WIDTHS[control]
        require(width.holds(least), f"input '{name}' holds {width}, the control {control} takes {least}")
    for name in program.inputs:
        bound = name in ports or name in roles.controls
        require(bound, f"input '{name}' is neither a port nor bound to a control")
    require(len(set(roles.controls.values())) == len(roles.controls), "two inputs are bound to one control")
    if "rate" in roles.controls.values():
        require(bool(roles.rate), "the control rate has no parameter (role `rate`)")
    if "taught" in roles.controls.values():
        both = bool(roles.taught and roles.taught_else)
        require(both, "the control taught has no parameters (roles `taught` and `taught_else`)")
    for name in (roles.gathered, roles.count, roles.tie):
        require(not name or name in program.states, f"the role of '{name}', which is no state")
    for name in (roles.factor_shift, *roles.exponents.values()):
        require(not name or name in program.parameters, f"the role of '{name}', which is no parameter")
    require(set(roles.exponents) <= set(ports), "an exponent of what is no port")
    if "events" in program.outputs:
        require(program.outputs["events"] == FLAG, "the output events is not 0 or 1")


def _verify_variables(model: NeuronModel, ports: list[str]) -> None:
    """Every declared variable is of a parameter that exists and of an input or parameter of the program."""
    taken = list(ports)
    known = {*model.program.inputs, *model.program.parameters} - set(ports)
    for it in model.variables:
        if it.name in taken:
            raise ProgramError(f"the variable '{it.name}' stands twice, or is a port too")
        taken.append(it.name)
        if it.parameter and model.parameter(it.parameter) is None:
            raise ProgramError(f"the variable '{it.name}' is of '{it.parameter}', which is no parameter")
        if it.rest and model.parameter(it.rest) is None:
            raise ProgramError(f"the variable '{it.name}' rests at '{it.rest}', which is no parameter")
        if bool(it.parameter) != bool(it.chip):
            raise ProgramError(f"the variable '{it.name}' needs a parameter and what it becomes on the chip")
        if (it.input or it.chip) not in known:
            raise ProgramError(f"the variable '{it.name}' is for '{it.input or it.chip}', no input")
        if not it.parameter and model.program.inputs.get(it.input) != FLAG:
            raise ProgramError(f"the variable '{it.name}' has no parameter and is no flag")


def verify_model(model: NeuronModel) -> None:
    """The program, the binding of its inputs, ports and units. Raises `ModelError`."""
    ports = [port.name for port in model.ports]
    # What signals are made of stands beside the program's parameters.
    roles = model.roles
    extra = [name for name in (roles.rate, roles.full_rate, roles.taught, roles.taught_else) if name]
    try:
        verify_program(model.program)
        verify_binding(model.program, ports, model.roles, extra)
        if (model.kind == "source") != (not ports):
            raise ProgramError(f"a {model.kind} with {len(ports)} ports")
        if len(set(ports)) != len(ports):
            raise ProgramError("a port twice")
        _verify_variables(model, ports)
        dimensions = {parameter.name: parameter.dimension for parameter in model.parameters}
        for name, dimension in (dimensions | {p.name: p.weight_dimension for p in model.ports}).items():
            if dimension not in BASE_UNITS:
                raise ProgramError(f"'{name}' has the unknown dimension '{dimension}'")
    except ProgramError as reason:
        raise ModelError(f"model '{model.name}': {reason}") from None
