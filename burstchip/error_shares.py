"""How far a run is from what its network describes, and which share of that comes from where.

    step       the program's recursion at its step, against the same at a finer one: both real and exact
    parameter  rounded parameters, weights, traces and learning rates, against exact ones: both real, at the
               network's step
    state      integers, tables of functions among them, against real numbers with the same rounded parameters

The shares are of a trajectory: once an event comes in another step, they are as large as the variable itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from burstchip.files.json_file import write_json
from burstchip.running.recording import Recording, record
from burstchip.variables import Variable, parse_variables
from compiler.ir.calibration import Calibration
from compiler.ir.chip_program import ChipProgram, LearningCode, ProjectionCode
from compiler.ir.network import NO_CHIP, Network
from compiler.pipeline import compile_network
from hw_models.diagnostics import Diagnostic

if TYPE_CHECKING:
    from burstchip.tasks.dataset import FetchProgress

#: Into how many the step is divided for the step error.
REFINEMENT = 8


@dataclass(frozen=True)
class ErrorShares:
    """Root mean square errors of one variable over all steps and neurons, in `unit` ("" for a fraction).

    `rms` is the variable's own root mean square, in the exact run. A variable whose unit is not known is in
    the chip's own units; its step error is then of those. `step` is None with a task, whose samples are drawn
    and shown at one step; `parameter` and `state` are for a network compiled for no chip: nothing is rounded.
    """

    population: str
    variable: str
    unit: str
    rms: float
    step: float | None
    parameter: float | None
    state: float | None


def with_rounded_parameters(code: ChipProgram) -> ChipProgram:
    """The program whose exact parameters, weights, traces and rates are those that the integers stand for."""
    return replace(
        code,
        populations=tuple(replace(population, real={}) for population in code.populations),
        projections=tuple(
            replace(
                rounded_weights(it), learning=None if it.learning is None else rounded_learning(it.learning)
            )
            for it in code.projections
        ),
    )


def rounded_weights(projection: ProjectionCode) -> ProjectionCode:
    """The projection whose exact weights, and their limit, are those that the integers stand for."""
    exact = np.asarray(projection.stored * projection.unit, dtype=np.float64)
    return replace(projection, requested=exact, limit=None)


def with_whole_weights(code: ChipProgram) -> ChipProgram:
    """The same, whose weights that learn by sums of products are whole numbers of the chip's units, too."""
    rounded = with_rounded_parameters(code)
    return replace(
        rounded,
        projections=tuple(
            replace(it, learning=replace(it.learning, whole=True))
            if it.learning is not None and it.learning.form == "chip"
            else it
            for it in rounded.projections
        ),
    )


def rounded_learning(learning: LearningCode) -> LearningCode:
    """The learning whose exact traces and rates are those that the integers stand for."""
    traces = tuple(replace(trace, kept=None, increment=None) for trace in learning.traces)
    return replace(learning, traces=traces, rate=None, consolidation=None, gains=())


def error_shares(
    network: Network | ChipProgram,
    steps: int,
    variables: Sequence[Variable] | None = None,
    refinement: int = REFINEMENT,
    *,
    data_dir: Path | None = None,
    fetch: FetchProgress | None = None,
    notes: list[Diagnostic] | None = None,
    calibration: Calibration | None = None,
) -> tuple[ErrorShares, ...]:
    """The errors of `variables` of neurons (default: the network's probes) over the first `steps` steps.

    Random sources draw other numbers at the finer step, so that the step error means something only
    where none do. A weight onto a filtered current (`tau_current`) is what one step adds: at a finer step it
    acts more often, which the step error then shows. `data_dir` and `fetch` are those of `record`, for a
    task. Warnings of the runs are added to `notes`. A network is compiled with its `calibration`. A program
    has no step error, since only a network can be compiled at a finer step. Raises `BurstchipError` where the
    network does not compile.
    """
    code = network if isinstance(network, ChipProgram) else compile_network(network, calibration=calibration)
    names = [".".join(it) for it in variables or ()]
    variables = parse_variables(code, names, synapses=False)

    def run(it: ChipProgram, count: int, backend: str) -> Recording:
        found = record(it, count, variables=variables, backend=backend, data_dir=data_dir, fetch=fetch)
        if notes is not None:
            notes.extend(note for note in found.diagnostics if note not in notes)
        return found

    exact = run(code, steps, "reference")
    fine = rounded = integers = None
    if isinstance(network, Network) and network.task is None:
        # Of a chip the finer step would ask more than it has, such as longer delays.
        finer = replace(network, step=network.step / refinement, target=NO_CHIP)
        fine = run(compile_network(finer), steps * refinement, "reference")
    if code.on_chip:
        rounded, integers = run(with_rounded_parameters(code), steps, "reference"), run(code, steps, "sim")

    def physical(it: Recording, name: Variable, every: int = 1) -> NDArray[np.float64]:
        unit, _ = it.code.population(name[0]).units.get(name[1], (1.0, ""))
        # Both are sampled at the end of a step of the network.
        return np.asarray(it.values[name][every - 1 :: every] * unit, dtype=np.float64)

    def between(
        one: Recording | None, other: Recording | None, name: Variable, every: int = 1
    ) -> float | None:
        if one is None or other is None:
            return None
        return rms(physical(one, name) - physical(other, name, every))

    return tuple(
        ErrorShares(
            name[0],
            name[1],
            code.population(name[0]).units.get(name[1], (1.0, ""))[1],
            rms=rms(physical(exact, name)),
            step=between(exact, fine, name, refinement),
            parameter=between(rounded, exact, name),
            state=between(integers, rounded, name),
        )
        for name in exact.values
    )


def rms(values: NDArray[np.float64]) -> float:
    """The root mean square."""
    return float(np.sqrt(np.mean(values**2)))


def write_error_shares(
    path: Path, shares: Sequence[ErrorShares], steps: int, parameters: Sequence[Mapping[str, object]] = ()
) -> None:
    """The errors as JSON, as `burstchip report` reads them from a run folder, and those of each parameter."""
    content: dict[str, object] = {"steps": steps, "errors": [asdict(share) for share in shares]}
    if parameters:
        content["parameters"] = list(parameters)
    write_json(path, content)
