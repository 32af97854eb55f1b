"""Finds the first value that a neuron's program cut or wrapped: its step, its neuron and what it was.

A strict run computes the same integers by programs with one more state, which stays 1 once anything was lost.
Where it is, the steps in question are taken once again by programs that also send what they cut.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.running.run import Run
from burstchip.variables import Place
from compiler.ir.chip_program import ChipProgram, PopulationCode
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.program.losses import Cut, cuts, losing, telling
from hw_models.program.widths import INT32

register_codes({"BC910": "a value that a neuron's program saturated or wrapped in a strict run"})


@dataclass(frozen=True)
class Loss:
    """The first value that was cut, and how many `others` among the neurons lost one in the same step."""

    step: int
    population: str
    neuron: int
    cut: Cut
    value: int
    others: int

    def error(self, step_ms: float) -> BurstchipError:
        """BC910."""
        more = f", and {self.others:,} other neurons in this step" if self.others else ""
        done = "saturated" if self.cut.operation == "saturate" else "wrapped"
        least = "" if INT32.low < self.value < INT32.high else " or more" if self.value > 0 else " or less"
        return BurstchipError(
            Diagnostic(
                "BC910",
                f"'{self.cut.variable}' of {self.population} is {done} in step {self.step:,}, "
                f"at neuron {self.neuron:,}",
                required=f"{self.cut.room} in every step, since the run is strict",
                given=f"{self.value:,}{least} at {self.step * step_ms:g} ms{more}",
                hint="weaker input or another scale of the parameters; `burstchip certify` says how far each "
                "variable may get",
            )
        )


@dataclass(frozen=True)
class Watched:
    """A program whose populations also tell whether they lost anything, in the state `states[population]`."""

    code: ChipProgram
    states: Mapping[str, str]

    def losing(self, run: Run) -> list[str]:
        """The populations that lost a value so far."""
        return [name for name, state in self.states.items() if np.any(run.read(name, state))]


def watched(code: ChipProgram) -> Watched:
    """The same program, which also tells what is lost inside its neurons."""
    states: dict[str, str] = {}

    def telling_of(population: PopulationCode) -> PopulationCode:
        state = free_name("lost", population)
        program = losing(population.program, state)
        if program is population.program:
            return population
        states[population.name] = state
        return replace(population, program=program)

    populations = tuple(telling_of(it) for it in code.populations)
    return Watched(replace(code, populations=populations), states)


def free_name(name: str, population: PopulationCode) -> str:
    """The name, longer where the program has it already."""
    program = population.program
    while name in {*program.outputs, *program.states, *program.parameters, *program.inputs}:
        name += "_"
    return name


@dataclass(frozen=True)
class Told:
    """A watched program that also sends what some populations cut: of each its state, and marks and values.

    `cuts[population]` has of each cut the outputs with its mark and its value.
    """

    code: ChipProgram
    states: Mapping[str, str]
    cuts: Mapping[str, Sequence[tuple[Cut, str, str]]]

    @property
    def places(self) -> list[Place]:
        """What has to be recorded."""
        return [
            (name, variable)
            for name, found in self.cuts.items()
            for variable in (self.states[name], *(it for _, *sent in found for it in sent))
        ]

    def earliest(self, values: Mapping[Place, NDArray[Any]], begin: int) -> Loss | None:
        """The first loss in steps from `begin` on; of several in a step that of the first population, neuron.

        Of one neuron's cuts it is the first that changes a result by itself, if there is any.
        """
        lost = {name: values[name, self.states[name]] != 0 for name in self.cuts}
        steps = [int(np.argmax(it.any(axis=1))) for it in lost.values() if it.any()]
        if not steps:
            return None
        step = min(steps)
        name = next(name for name, it in lost.items() if it[step].any())
        neuron = int(np.argmax(lost[name][step]))
        marks = [int(values[name, mark][step, neuron]) for _, mark, _ in self.cuts[name]]
        cut, _, value = self.cuts[name][marks.index(max(marks))]
        others = sum(int(it[step].sum()) for it in lost.values()) - 1
        return Loss(begin + step, name, neuron, cut, int(values[name, value][step, neuron]), others)


def told(watch: Watched, populations: Collection[str]) -> Told:
    """The watched program where these populations send what they cut."""
    found: dict[str, list[tuple[Cut, str, str]]] = {}

    def sending(population: PopulationCode) -> PopulationCode:
        if population.name not in populations:
            return population
        state = watch.states[population.name]
        mine = [it for it in cuts(population.program) if it.variable != state]
        names = [
            (free_name(f"cut{n}_mark", population), free_name(f"cut{n}_value", population))
            for n in range(len(mine))
        ]
        found[population.name] = [(cut, *sent) for cut, sent in zip(mine, names, strict=True)]
        return replace(population, program=telling(population.program, mine, names, besides=state))

    populated = tuple(sending(it) for it in watch.code.populations)
    return Told(replace(watch.code, populations=populated), watch.states, found)
