"""Whether what arrives at a port may exceed its width, if all sources send their most at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import ChipProgram, ProjectionCode
from compiler.ir.signals import Signal, Streamed, Written
from compiler.ir.verify_signals import signal_range
from hw_models.diagnostics import Diagnostic, Subject, register_codes
from hw_models.program.ranges import output_range

register_codes(
    {
        "BC334": "the summed input of a port may exceed its width",
        "BC338": "the summed input of a port may exceed the 32 bits that backends add up in",
    }
)

#: Backends add up messages in 32 bits.
SUM_MAX = (1 << 31) - 1


def _greatest_of(code: ChipProgram, projection: ProjectionCode) -> NDArray[np.float64]:
    """The greatest input magnitude of each target neuron, if all sources send their most at once."""
    source = code.population(projection.source)
    # A parameter that a signal sets can be anything of its width.
    fixed = {name: value for name, value in source.parameters.items() if name not in source.signals}
    sent = output_range(source.program, fixed, projection.output)
    message = max(abs(sent.low), abs(sent.high))
    size = code.population(projection.target).size
    learning = projection.learning
    if learning is not None:
        greatest = np.full(projection.weights.shape, 128 if learning.form == "carry" else 256, dtype=np.int64)
    else:
        greatest = np.abs(projection.weights.astype(np.int64))
    total = np.zeros(size, dtype=np.int64)
    if projection.dense:
        total += greatest.sum(axis=1)
    else:
        # Sums of integers below 2^53 are exact in float64.
        total += np.bincount(projection.post, greatest, minlength=size).astype(np.int64)
    return np.asarray(total * message * 2.0**projection.weight_exp, dtype=np.float64)


def _shares(code: ChipProgram, population: str, port: str) -> dict[str, NDArray[np.float64]]:
    """What each projection at a port adds at most, neuron by neuron."""
    return {
        p.name: _greatest_of(code, p) for p in code.projections if (p.target, p.port) == (population, port)
    }


def greatest_input(code: ChipProgram, population: str, port: str) -> float:
    """The greatest magnitude that a port's summed input can have, over its neurons, a signal included."""
    return _greatest(code, population, port, _shares(code, population, port))


def _greatest(
    code: ChipProgram, population: str, port: str, shares: Mapping[str, NDArray[np.float64]]
) -> float:
    added = _greatest_signal(code, code.population(population).signals.get(port))
    return added + (float(np.max(np.sum([*shares.values()], axis=0))) if shares else 0.0)


def _greatest_signal(code: ChipProgram, signal: Signal | None) -> float:
    """The greatest magnitude of what a signal adds to a port."""
    if signal is None:
        return 0.0
    if isinstance(signal, Streamed | Written):
        given = code.host[signal.stream if isinstance(signal, Streamed) else signal.name]
        return float(given.largest)
    ends = signal_range(signal)
    return 0.0 if ends is None else float(max(map(abs, ends)))


def check_inputs(code: ChipProgram) -> Iterator[Diagnostic]:
    """BC334 and BC338 for each port whose sum may become too great, about what adds most to it."""
    for population in code.populations:
        for port in population.ports:
            shares = _shares(code, population.name, port)
            greatest = _greatest(code, population.name, port, shares)
            width = population.program.inputs[port]
            # Before a shift to the right a sum is greater than after it.
            shifts = [-p.weight_exp for p in code.projections if p.name in shares]
            unshifted = greatest * 2.0 ** max([*shifts, 0])
            if unshifted > SUM_MAX:
                yield Diagnostic(
                    "BC338",
                    f"the input of '{population.name}.{port}' may exceed 32 bits",
                    required=f"at most {SUM_MAX} if all sources send at once, before shifts to the right",
                    given=f"{unshifted:.0f}{_most(shares)}",
                    hint="use fewer synapses, smaller messages or a smaller limit",
                    about=_adding_most(code, population.name, port, shares),
                )
            elif greatest > width.high:
                yield Diagnostic(
                    "BC334",
                    f"the input of '{population.name}.{port}' may reach {greatest:.0f}",
                    severity="warning",
                    required=f"at most {width.high} if all sources send at once",
                    given=f"{greatest:.0f}{_most(shares)}",
                    hint="use fewer synapses or a smaller limit; the run counts what exceeds the width",
                    about=_adding_most(code, population.name, port, shares),
                )


def _most(shares: Mapping[str, NDArray[np.float64]]) -> str:
    """Which of several projections adds most."""
    return f", the largest part by '{_largest(shares)}'" if len(shares) > 1 else ""


def _largest(shares: Mapping[str, NDArray[np.float64]]) -> str:
    return max(shares, key=lambda name: float(shares[name].max(initial=0.0)))


def _adding_most(
    code: ChipProgram, population: str, port: str, shares: Mapping[str, NDArray[np.float64]]
) -> Subject:
    if not shares:
        return Subject("signal", f"{population}.{port}")
    name = _largest(shares)
    learns = any(p.name == name and p.learning is not None for p in code.projections)
    keys = ("weight", "connectivity")
    return Subject("projection", name, ("limit", *keys) if learns else keys)
