"""What the rounding of each parameter does to a run: everything else exact, in real numbers.

For each parameter of a population, by the chip's name, for the weights of each projection and for the numbers
by which it learns, the network runs once with that alone as its integers hold it, beside a run in which all
is exact. So the parameter error of `burstchip.error_shares` is taken apart. Parts of it may cancel, and once
an event comes in another step, an error is as large as the variable itself: then the rate says more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from burstchip.error_shares import rms, rounded_learning, rounded_weights
from burstchip.running.recording import Recording, record
from burstchip.variables import Variable, parse_variables
from compiler.ir.chip_program import ChipProgram, PopulationCode, ProjectionCode
from hw_models.diagnostics import Diagnostic

if TYPE_CHECKING:
    from burstchip.tasks.dataset import FetchProgress

#: What is rounded of a projection, beside the parameters of populations.
WEIGHTS, LEARNING = "weights", "learning"
#: Called with how many runs are done, how many there are, and what is rounded next.
Watch = Callable[[int, int, str], None]


@dataclass(frozen=True)
class ParameterError:
    """What one rounded parameter of `where` does to one variable, root mean square, in `unit`.

    `rms` is the variable's own. `rate` and `rate_error` are those of the events of its population, in Hz a
    neuron, exact and how much they change; None where it emits nothing that is counted.
    """

    where: str
    parameter: str
    population: str
    variable: str
    unit: str
    rms: float
    error: float
    rate: float | None
    rate_error: float | None


def rounded_one_by_one(code: ChipProgram) -> Iterator[tuple[str, str, ChipProgram]]:
    """(population or projection, what is rounded, the exact program with that alone rounded).

    What its integers hold exactly is left out.
    """
    for population in code.populations:
        for name, exact in population.real.items():
            if not _alike(exact, population.parameters[name]):
                yield population.name, name, _with_parameter(code, population, name)
    for projection in code.projections:
        whole = rounded_weights(projection)
        if whole.limit != projection.limit or not _alike(whole.exact, projection.exact):
            yield projection.name, WEIGHTS, _with_projection(code, whole)
        if projection.learning is not None:
            learning = rounded_learning(projection.learning)
            if learning != projection.learning:
                learnt = replace(projection, learning=learning)
                yield projection.name, LEARNING, _with_projection(code, learnt)


def _alike(one: object, other: object) -> bool:
    """Whether numbers are the same but for the last bits of a product."""
    return bool(np.allclose(np.asarray(one), np.asarray(other), rtol=1e-12, atol=0.0))


def _with_parameter(code: ChipProgram, population: PopulationCode, name: str) -> ChipProgram:
    kept = {other: value for other, value in population.real.items() if other != name}
    changed = replace(population, real=kept)
    return replace(
        code, populations=tuple(changed if it.name == changed.name else it for it in code.populations)
    )


def _with_projection(code: ChipProgram, projection: ProjectionCode) -> ChipProgram:
    return replace(
        code,
        projections=tuple(projection if it.name == projection.name else it for it in code.projections),
    )


def parameter_errors(
    code: ChipProgram,
    steps: int,
    variables: Sequence[Variable] | None = None,
    *,
    data_dir: Path | None = None,
    fetch: FetchProgress | None = None,
    watch: Watch | None = None,
    notes: list[Diagnostic] | None = None,
) -> tuple[ParameterError, ...]:
    """What each rounded parameter does to `variables` (default: the probes) over the first `steps` steps.

    A program for no chip has none. `data_dir` and `fetch` are those of `record`. Warnings of the runs are
    added to `notes`.
    """
    if not code.on_chip:
        return ()
    chosen = parse_variables(code, [".".join(it) for it in variables or ()], synapses=False)
    rounded = list(rounded_one_by_one(code))

    def run(it: ChipProgram, done: int, text: str) -> Recording:
        if watch is not None:
            watch(done, len(rounded) + 1, text)
        found = record(it, steps, variables=chosen, backend="reference", data_dir=data_dir, fetch=fetch)
        if notes is not None:
            notes.extend(note for note in found.diagnostics if note not in notes)
        return found

    exact = run(code, 0, "exact")
    errors: list[ParameterError] = []
    for number, (where, parameter, program) in enumerate(rounded):
        other = run(program, number + 1, f"{where} {parameter}")
        errors += (_compared(where, parameter, name, exact, other) for name in chosen)
    return tuple(errors)


def _compared(
    where: str, parameter: str, name: Variable, exact: Recording, other: Recording
) -> ParameterError:
    population = exact.code.population(name[0])
    unit, unit_name = population.units.get(name[1], (1.0, ""))
    values = np.asarray(exact.values[name], dtype=np.float64)
    difference = np.asarray(other.values[name], dtype=np.float64) - values
    rate = change = None
    if "events" in population.program.outputs:
        seconds = exact.steps * exact.code.step_ms / 1000 * population.size
        rate = exact.events[name[0]] / seconds
        change = other.events[name[0]] / seconds - rate
    return ParameterError(
        where,
        parameter,
        *name,
        unit_name,
        rms=rms(values * unit),
        error=rms(difference * unit),
        rate=rate,
        rate_error=change,
    )
