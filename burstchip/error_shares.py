"""How far a run is from what its network describes, and which share of that comes from where.

    step       the program's recursion at its step, against the same at a finer one: both real and exact
    parameter  rounded parameters, weights, traces and learning rates, against exact ones: both real, at the
               network's step
    state      integers, tables of functions among them, against real numbers with the same rounded parameters

The shares are of a trajectory: once an event comes in another step, they are as large as the variable itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from burstchip.recording import Recording, record
from burstchip.variables import Variable
from compiler.ir.chip_program import ChipProgram, LearningCode
from compiler.ir.network import Network
from compiler.pipeline import compile_network

#: Into how many the step is divided for the step error.
REFINEMENT = 8


@dataclass(frozen=True)
class ErrorShares:
    """Root mean square errors of one variable over all steps and neurons, in `unit` ("" for a fraction).

    A variable whose unit is not known is in the chip's own units; its step error is then of those.
    """

    population: str
    variable: str
    unit: str
    step: float
    parameter: float
    state: float


def with_rounded_parameters(code: ChipProgram) -> ChipProgram:
    """The program whose exact parameters, weights, traces and rates are those that the integers stand for."""
    return replace(
        code,
        populations=tuple(replace(population, real={}) for population in code.populations),
        projections=tuple(
            replace(
                projection,
                requested=np.asarray(projection.weights * projection.unit, dtype=np.float64),
                learning=None if projection.learning is None else _rounded_learning(projection.learning),
                limit=None,
            )
            for projection in code.projections
        ),
    )


def _rounded_learning(learning: LearningCode) -> LearningCode:
    traces = tuple(replace(trace, kept=None, increment=None) for trace in learning.traces)
    return replace(learning, traces=traces, rate=None, consolidation=None, gains=())


def error_shares(
    network: Network,
    steps: int,
    variables: Sequence[Variable] | None = None,
    refinement: int = REFINEMENT,
) -> tuple[ErrorShares, ...]:
    """The errors of `variables` (default: the network's probes) over the first `steps` steps.

    Sources that draw at random draw anew at the finer step, so that the step error means something only
    where none do. Raises `BurstchipError` where the network does not compile, at the finer step either.
    """
    assert network.task is None, "the pictures of a task are drawn and shown at one step"
    code = compile_network(network)
    fine_code = compile_network(replace(network, step=network.step / refinement))
    exact = record(code, steps, variables=variables, backend="reference")
    rounded = record(with_rounded_parameters(code), steps, variables=variables, backend="reference")
    integers = record(code, steps, variables=variables)
    fine = record(fine_code, steps * refinement, variables=variables, backend="reference")

    def physical(run: Recording, name: Variable) -> NDArray[np.float64]:
        unit, _ = run.code.population(name[0]).units.get(name[1], (1.0, ""))
        return np.asarray(run.values[name] * unit, dtype=np.float64)

    def rms(difference: NDArray[np.float64]) -> float:
        return float(np.sqrt(np.mean(difference**2)))

    return tuple(
        ErrorShares(
            name[0],
            name[1],
            code.population(name[0]).units.get(name[1], (1.0, ""))[1],
            # Both are sampled at the end of a step of the network.
            step=rms(physical(exact, name) - physical(fine, name)[refinement - 1 :: refinement]),
            parameter=rms(physical(rounded, name) - physical(exact, name)),
            state=rms(physical(integers, name) - physical(rounded, name)),
        )
        for name in exact.values
    )
