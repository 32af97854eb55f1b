"""Finds the first sum that was clipped, or value that a neuron lost: its step, its neuron and its value.

While a run goes on the backend counts what it clips, and nothing more. Once it has counted any, the steps in
question are taken once again, from the last state that was kept, by a program that computes the same and also
sends what arrives at its ports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from burstchip.remote.address import is_address
from burstchip.running.lost_values import Loss, free_name, told, watched
from burstchip.running.run import Run, open_run
from burstchip.variables import Place
from compiler.ir.chip_program import ChipProgram, PopulationCode
from compiler.ir.signals import Rows
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.program.rewrite import exposing, inputs_read
from hw_models.program.widths import Width, signed

register_codes({"BC824": "a summed input that was clipped in a strict run"})

#: Seconds after which a state is kept again.
KEEP_SECONDS = 10.0
#: Steps that are looked at together, and values of all of them, at most.
_PART, _VALUES = 256, 1 << 24
#: What a port takes where nothing of its sum may be lost.
_WHOLE = signed(32)


@dataclass(frozen=True)
class Saturation:
    """The first clipped sum of a run, and how many `others` were clipped in the same step."""

    step: int
    population: str
    neuron: int
    port: str
    value: int
    width: Width
    others: int

    def error(self, step_ms: float) -> BurstchipError:
        """BC824."""
        more = f", and {self.others:,} other sums in this step" if self.others else ""
        return BurstchipError(
            Diagnostic(
                "BC824",
                f"the sum at {self.population}.{self.port} is clipped in step {self.step:,}, "
                f"at neuron {self.neuron:,}",
                required=f"{self.width} in every step, since the run is strict",
                given=f"{self.value:,} at {self.step * step_ms:g} ms{more}",
                hint="smaller weights or fewer synapses; `burstchip certify` names what adds most",
            )
        )


class Guard:
    """Watches a run of `code` for clipped sums and lost values. Call `passed` whenever some steps are done.

    `code` computes the same as the program that is given, and is what the run has to run.
    """

    def __init__(self, code: ChipProgram, backend: str, streams: Mapping[str, ArrayLike | Rows]) -> None:
        self.watch, self.streams = watched(code), streams
        # A run of Lava, or on a target, computes the same integers, but neither begins anywhere nor with
        # other programs.
        elsewhere = backend == "lava" or is_address(backend)
        self.backend = "sim" if elsewhere else backend
        self.code = code if elsewhere else self.watch.code
        self.beside = open_run(self.watch.code, "sim", streams=streams) if elsewhere else None
        self.keeps = self.backend == "sim"
        self.state: Mapping[str, NDArray[Any]] | None = None
        self.clock, self.kept_at = 0, perf_counter()

    def passed(self, run: Run) -> None:
        """Raise `BurstchipError` BC824 where a sum was clipped, BC910 where a neuron lost a value."""
        if self.beside is not None:
            self.beside.advance(run.clock - self.beside.clock)
            run = self.beside
        clipped = [name for name, count in run.clipped.items() if count]
        losing = self.watch.losing(run)
        if clipped or losing:
            raise self._first(clipped, losing, run.clock).error(run.code.step_ms)
        if self.keeps and perf_counter() - self.kept_at > KEEP_SECONDS:
            self.state = {name: array.copy() for name, array in run.state().items()}
            self.clock, self.kept_at = run.clock, perf_counter()

    def close(self) -> None:
        """Give back what watching holds."""
        if self.beside is not None:
            self.beside.close()

    def _first(self, clipped: Sequence[str], losing: Sequence[str], end: int) -> Saturation | Loss:
        telling = told(self.watch, losing)
        shown, places = opened(telling.code, clipped)
        recorded = [*places, *telling.places]
        part = _part(shown, recorded)
        run = open_run(shown, self.backend, record=recorded, streams=self.streams)
        try:
            if self.state is not None:
                run.restore(self.state, self.clock)
            while run.clock < end:
                begin = run.clock
                values = run.advance(min(part, end - begin))
                found = _earliest(values, places, self.watch.code, begin)
                loss = telling.earliest(values, begin)
                if found is not None and (loss is None or found.step <= loss.step):
                    return found
                if loss is not None:
                    return loss
        finally:
            run.close()
        raise AssertionError("nothing is lost where something was")


def _part(code: ChipProgram, places: Sequence[Place]) -> int:
    """Steps that are looked at together."""
    values = sum(code.population(name).size for name, _ in places)
    return max(1, min(_PART, _VALUES // max(1, values)))


def opened(code: ChipProgram, populations: Sequence[str]) -> tuple[ChipProgram, dict[Place, str]]:
    """(the program where these populations send what arrives, the port of each such output)."""
    places: dict[Place, str] = {}

    def exposed(population: PopulationCode) -> PopulationCode:
        if population.name not in populations:
            return population
        read = inputs_read(population.program)
        arrived = {
            port: free_name(f"arrived_{port}", population) for port in population.ports if port in read
        }
        places.update({(population.name, name): port for port, name in arrived.items()})
        exact = population.exact
        return replace(
            population,
            program=exposing(population.program, arrived, _WHOLE),
            exact=None if exact is None else exposing(exact, arrived, _WHOLE),
        )

    return replace(code, populations=tuple(exposed(it) for it in code.populations)), places


def _earliest(
    values: Mapping[Place, NDArray[Any]], places: Mapping[Place, str], code: ChipProgram, begin: int
) -> Saturation | None:
    """The first sum beyond its width; of several in a step that of the first population, port and neuron."""
    first: Saturation | None = None
    others = 0
    for place, port in places.items():
        width = code.population(place[0]).program.inputs[port]
        sums = values[place]
        when, who = np.nonzero((sums < width.low) | (sums > width.high))
        if not when.size or (first is not None and begin + when[0] > first.step):
            continue
        step, alike = begin + int(when[0]), int(np.count_nonzero(when == when[0]))
        if first is not None and step == first.step:
            others += alike
            continue
        value = int(sums[when[0], who[0]])
        first, others = Saturation(step, place[0], int(who[0]), port, value, width, 0), alike - 1
    return None if first is None else replace(first, others=others)
