"""What a run of a program can record, of neurons and of synapses, and the texts that name it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.draws import grid
from compiler.ir.chip_program import ChipProgram, ProjectionCode
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes(
    {
        "BC604": "a variable to record that is not written as population.variable",
        "BC605": "an unknown population or variable to record",
        "BC606": "a variable to record that is named twice",
        "BC607": "nothing to record",
        "BC616": "a choice of neurons that is none",
    }
)

#: (population, state or output of its model), or (projection, what its synapses hold).
Variable = tuple[str, str]
#: The same, with what only backends are asked for.
Place = tuple[str, str]


@dataclass(frozen=True)
class Selection:
    """A variable to record, and which of its neurons: all, or those of `neurons` as a slice counts them.

    Of a projection's w, t and d synapses take the neurons' place, in the program's order.
    """

    variable: Variable
    neurons: slice = slice(None)

    @property
    def text(self) -> str:
        """The selection as one writes it."""
        it, name = self.neurons, ".".join(self.variable)
        if it == slice(None):
            return name
        parts = ["" if number is None else str(number) for number in (it.start, it.stop)]
        return f"{name}[{':'.join([*parts, *([str(it.step)] if it.step is not None else [])])}]"

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """The chosen columns of [step, neuron]."""
        return values[:, self.neurons]

    def indices(self, code: ChipProgram) -> range:
        """The numbers of the chosen neurons."""
        return range(place_size(code, self.variable))[self.neurons]

    def size(self, code: ChipProgram) -> int:
        """How many neurons are chosen."""
        return len(self.indices(code))


def variables_of(code: ChipProgram, population: str) -> tuple[str, ...]:
    """What can be recorded of a population: the states and outputs of its model."""
    program = code.population(population).program
    return tuple(dict.fromkeys((*program.states, *program.outputs)))


#: Of which each synapse has one; of the others each source or target neuron has.
PER_SYNAPSE = ("w", "t", "d")


def is_projection(code: ChipProgram, name: str) -> bool:
    """Whether a projection has this name; no population has it then."""
    return any(projection.name == name for projection in code.projections)


def synaptic_variables(form: str | None, traces: Sequence[str]) -> tuple[str, ...]:
    """What can be recorded of a projection that learns in this form (None: not at all), by these traces."""
    if form is None:
        return ("w",)
    return ("w", "x1") if form == "carry" else (*PER_SYNAPSE, *traces)


def _recordable(code: ChipProgram) -> dict[str, tuple[str, ...]]:
    """What can be recorded, by population and projection."""
    found = {population.name: variables_of(code, population.name) for population in code.populations}
    for it in code.projections:
        form, traces = (it.learning.form, it.learning.traces) if it.learning else (None, ())
        found[it.name] = synaptic_variables(form, [trace.name for trace in traces])
    return found


def synapse_ends(
    code: ChipProgram, projection: ProjectionCode
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(source neurons, target neurons) of the synapses in the program's order."""
    if not projection.dense:
        return projection.pre, projection.post
    return grid(code.population(projection.source).size, code.population(projection.target).size)


#: All that a projection's synapses hold.
SYNAPTIC = ("w", "t", "d", "x1", "x2", "tx", "y1", "y2", "y3", "ty")


def check_place(code: ChipProgram, place: object) -> None:
    """Raise `BurstchipError` BC605 unless `place` is (population or projection, variable of it)."""
    populations = [population.name for population in code.populations]
    projections = {projection.name: projection for projection in code.projections}
    name, variable = place if isinstance(place, tuple) and len(place) == 2 else (place, "")
    known: tuple[str, ...] = (*populations, *projections)
    if name in populations:
        known = variables_of(code, str(name))
    elif name in projections:
        learning = projections[str(name)].learning
        carries = learning is not None and learning.form == "carry"
        known = ("w",) if learning is None else ("w", "x1") if carries else SYNAPTIC
    if name not in (*populations, *projections) or variable not in known:
        raise BurstchipError(
            Diagnostic(
                "BC605",
                f"'{code.name}' has no variable {place!r}",
                required=f"(population or projection, variable): {', '.join(known)}",
                given=repr(place),
                hint=nearest(str(variable or name), known),
            )
        )


def place_size(code: ChipProgram, place: Place) -> int:
    """How many integers a population's or a projection's variable has."""
    name, variable = place
    sizes = {population.name: population.size for population in code.populations}
    if name in sizes:
        return sizes[name]
    projection = code.projection(name)
    if variable in PER_SYNAPSE:
        return int(projection.weights.size)
    source = variable in ("x1", "x2", "tx")
    return sizes[projection.source if source else projection.target]


def parse_variables(
    code: ChipProgram, names: Sequence[str], *, synapses: bool = True
) -> tuple[Variable, ...]:
    """`population.variable` and `projection.variable` texts as pairs; without any, the program's probes.

    Without `synapses` those of projections are not known. Raises `BurstchipError` BC604 to BC607 with every
    mistake.
    """
    known_variables = _recordable(code)
    if not synapses:
        known_variables = {p.name: known_variables[p.name] for p in code.populations}
    if not names:
        if probes := tuple(probe for probe in code.probes if probe[0] in known_variables):
            return probes
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
        checked = _parse(code, name, known_variables)
        if isinstance(checked, Diagnostic):
            problems.append(checked)
        elif checked in found:
            problems.append(Diagnostic("BC606", f"'{name}' is given twice", required="each once", given=name))
        else:
            found.append(checked)
    if problems:
        raise BurstchipError(problems)
    return tuple(found)


def parse_selections(code: ChipProgram, wanted: Sequence[Variable | str]) -> tuple[Selection, ...]:
    """Variables to record, as pairs or texts with perhaps a choice of neurons: `hidden.v[0:100:10]`.

    Without any, the program's probes. Raises `BurstchipError` BC604 to BC616 with every mistake.
    """
    texts = [".".join(it) if isinstance(it, tuple) else it for it in wanted]
    split = [re.fullmatch(r"(.*?)(?:\[([^\[\]]*)\])?", text.strip(), re.DOTALL) for text in texts]
    names = [match[1] if match else text for match, text in zip(split, texts, strict=True)]
    variables = parse_variables(code, names)
    chosen = [match[2] if match else None for match in split] or [None] * len(variables)
    found = [
        Selection(variable, slice(None) if text is None else _neurons(code, variable, text))
        for variable, text in zip(variables, chosen, strict=True)
    ]
    problems = [
        Diagnostic(
            "BC616",
            f"'{'.'.join(it.variable)}[{text}]' chooses no {_elements(code, it.variable)}s",
            required=f"[first:last] or [{_elements(code, it.variable)}], "
            f"of 0 to {place_size(code, it.variable) - 1}",
            given=f"[{text}]",
            hint=f"for example {'.'.join(it.variable)}[0:{min(10, place_size(code, it.variable))}]",
        )
        for it, text in zip(found, chosen, strict=True)
        if text is not None and it.size(code) == 0
    ]
    if problems:
        raise BurstchipError(problems)
    return tuple(found)


def _elements(code: ChipProgram, variable: Variable) -> str:
    """What the variable has one value of for each: neuron or synapse."""
    return "synapse" if is_projection(code, variable[0]) and variable[1] in PER_SYNAPSE else "neuron"


def _neurons(code: ChipProgram, variable: Variable, text: str) -> slice:
    """The slice that a text between brackets stands for; an empty one where it stands for none."""
    size = place_size(code, variable)
    numbers = [part.strip() for part in text.split(":")]
    if not all(re.fullmatch(r"\d{0,9}", number) for number in numbers) or len(numbers) > 3:
        return slice(0, 0)
    values = [int(number) if number else None for number in numbers]
    if len(values) == 1:
        only = values[0]
        return slice(0, 0) if only is None or only >= size else slice(only, only + 1)
    first, last, every = (*values, None, None)[:3]
    if every == 0 or (last is not None and last > size):
        return slice(0, 0)
    return slice(first, last, every)


def _parse(code: ChipProgram, name: str, known: Mapping[str, tuple[str, ...]]) -> Variable | Diagnostic:
    # A projection's name may have points of its own.
    place, _, variable = name.rpartition(".")
    if not (place and variable) or name in known:
        return Diagnostic(
            "BC604",
            f"'{name}' is not of the form population.variable",
            required="population.variable or projection.variable, several separated by commas",
            given=f"'{name}'",
            hint=nearest(name, [f"{place}.{it}" for place, variables in known.items() for it in variables]),
        )
    if place not in known:
        kinds = "population" if len(known) == len(code.populations) else "population or projection"
        return Diagnostic(
            "BC605",
            f"unknown {kinds} '{place}' in '{code.name}'",
            required=", ".join(known),
            given=name,
            hint=nearest(place, list(known)),
        )
    if variable not in known[place]:
        kind = "projection" if is_projection(code, place) else "population"
        return Diagnostic(
            "BC605",
            f"{kind} '{place}' has no variable '{variable}'",
            required=", ".join(known[place]),
            given=name,
            hint=nearest(variable, known[place]),
        )
    return place, variable
