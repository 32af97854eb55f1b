"""The variables of a program that a run can record, and the texts that name them."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes(
    {
        "BC604": "a variable to record that is not written as population.variable",
        "BC605": "an unknown population or variable to record",
        "BC606": "a variable to record that is named twice",
        "BC607": "nothing to record",
    }
)

#: (population, state or output of its model).
Variable = tuple[str, str]


def variables_of(code: ChipProgram, population: str) -> tuple[str, ...]:
    """What can be recorded of a population: the states and outputs of its model."""
    program = code.population(population).program
    return tuple(dict.fromkeys((*program.states, *program.outputs)))


def parse_variables(code: ChipProgram, names: Sequence[str]) -> tuple[Variable, ...]:
    """`population.variable` texts as pairs; without any, the program's probes.

    Raises `BurstchipError` BC604 to BC607 with every mistake.
    """
    if not names:
        if code.probes:
            return code.probes
        known = [f"{p.name}.{v}" for p in code.populations for v in variables_of(code, p.name)]
        raise BurstchipError(
            Diagnostic(
                "BC607",
                f"the variables to record are missing, and '{code.name}' has no probes",
                required="--record VARIABLES, or probes in the network's file",
                given="neither",
                hint=f"for example --record {known[0]}" if known else None,
            )
        )
    found: list[Variable] = []
    problems: list[Diagnostic] = []
    for name in names:
        checked = _parse(code, name)
        if isinstance(checked, Diagnostic):
            problems.append(checked)
        elif checked in found:
            problems.append(Diagnostic("BC606", f"'{name}' is given twice", required="each once", given=name))
        else:
            found.append(checked)
    if problems:
        raise BurstchipError(problems)
    return tuple(found)


def _parse(code: ChipProgram, name: str) -> Variable | Diagnostic:
    population, point, variable = name.partition(".")
    populations = [p.name for p in code.populations]
    if not (population and point and variable):
        known = [f"{p}.{v}" for p in populations for v in variables_of(code, p)]
        return Diagnostic(
            "BC604",
            f"'{name}' is not of the form population.variable",
            required="population.variable, several separated by commas",
            given=f"'{name}'",
            hint=nearest(name, known),
        )
    if population not in populations:
        return Diagnostic(
            "BC605",
            f"unknown population '{population}' in '{code.name}'",
            required=", ".join(populations),
            given=name,
            hint=nearest(population, populations),
        )
    known = list(variables_of(code, population))
    if variable not in known:
        return Diagnostic(
            "BC605",
            f"population '{population}' has no variable '{variable}'",
            required=", ".join(known),
            given=name,
            hint=nearest(variable, known),
        )
    return population, variable
