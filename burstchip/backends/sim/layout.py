"""How a `ChipProgram` lies in the simulator's memory: names of arrays, what each variant of the loop needs.

Arrays are named `KIND_NUMBER_NAME`: `s_1_v` is state v of population 1, `w_0` the weights of projection 0.
Weights are kept source-major, so that an event touches one contiguous row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from compiler.ir.chip_program import ChipProgram, PopulationCode, ProjectionCode
from compiler.passes.check import greatest_input
from hw_models.neurons.roles import LEARNING_CONTROLS, Control
from hw_models.program.trace import Program, specialize


def has_own_delays(projection: ProjectionCode) -> bool:
    """Whether the synapses of a projection have delays of their own."""
    return bool(projection.delays.size and np.any(projection.delays != projection.delays.flat[0]))


@dataclass(frozen=True)
class Variant:
    """What a loop is specialised to: learning or not, integers or reals, which variables it records."""

    learning: bool
    real: bool
    record: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Layout:
    """A program and a variant, with everything that follows from the two."""

    code: ChipProgram
    variant: Variant

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each population."""
        return {population.name: number for number, population in enumerate(self.code.populations)}

    @cached_property
    def lead(self) -> int:
        """By how many steps sources run ahead of neurons: a task's sources act in the neurons' own clock."""
        return 1 if self.code.task is not None else 0

    @cached_property
    def lead_in(self) -> int:
        """Steps before a task's clock 0: all that Lava takes where anything learns, else the sources' own."""
        return self.code.lead_in if self.variant.learning else self.lead

    def is_source(self, population: PopulationCode) -> bool:
        """Whether the population has no input ports."""
        return population.is_source

    @cached_property
    def programs(self) -> tuple[Program, ...]:
        """Each population's program, with what this variant fixes folded away."""
        return tuple(self._program(population) for population in self.code.populations)

    def _program(self, population: PopulationCode) -> Program:
        fixed: dict[Control, int] = {}
        if not self.variant.learning:
            fixed = dict.fromkeys(LEARNING_CONTROLS, 0)
        else:
            fixed["learning"] = 1
            if self.code.task is None:
                fixed.update({"plastic": 1, "last": 0, "label": 0})
            elif self.code.task.readout != population.name:
                fixed["label"] = 0
        controls = population.roles.controls
        # Every output is kept: which of them are recorded is no part of what is compiled.
        return specialize(
            population.program,
            {name: fixed[control] for name, control in controls.items() if control in fixed},
        )

    def is_silent(self, number: int, output: str) -> bool:
        """Whether an output is always 0 in this variant."""
        program = self.programs[number]
        node = program.nodes[program.output[output]]
        return node.operation == "const" and node.attribute == 0

    def needs_value(self, number: int) -> bool:
        """Whether a source neuron shown the value 0 can only stay silent, so that the others need no look."""
        program = self.programs[number]
        drive = self.code.populations[number].roles.bound_to("rate")
        if not drive or "events" not in program.output:
            return False
        dark = specialize(program, {drive: 0})
        node = dark.nodes[dark.output["events"]]
        return node.operation == "const" and node.attribute == 0

    def is_plastic(self, projection: ProjectionCode) -> bool:
        """Whether the projection learns in this variant."""
        return self.variant.learning and projection.learning is not None

    def is_chip(self, projection: ProjectionCode) -> bool:
        """Whether it learns by a sum of products of the chip."""
        return (
            self.is_plastic(projection)
            and projection.learning is not None
            and projection.learning.form == "chip"
        )

    def is_carry(self, projection: ProjectionCode) -> bool:
        """Whether it learns in the carry form."""
        return self.is_plastic(projection) and not self.is_chip(projection)

    def is_active(self, projection: ProjectionCode) -> bool:
        """Whether messages of the projection can change anything in this variant."""
        source, target = self.numbers[projection.source], self.numbers[projection.target]
        used = any(
            node.operation == "input" and node.name == projection.port for node in self.programs[target].nodes
        )
        return used and not self.is_silent(source, projection.output)

    def is_event(self, number: int, output: str) -> bool:
        """Whether an output is a flag, so that its messages are bare events."""
        width = self.programs[number].outputs[output]
        return (width.low, width.high) == (0, 1)

    @cached_property
    def senders(self) -> tuple[tuple[int, str], ...]:
        """(population, output) pairs whose messages are listed each step: those that anything reads."""
        used = {
            (self.numbers[projection.source], projection.output)
            for projection in self.code.projections
            if self.is_active(projection) or self.is_plastic(projection)
        }
        # Events are counted from their list, and a plastic synapse may read those of its target.
        used |= {
            (number, "events") for number, program in enumerate(self.programs) if "events" in program.output
        }
        return tuple(sorted(used))

    def depth(self, number: int, port: str) -> int:
        """Slots of a port's ring of sums: one for now, more for delays and for messages sent ahead."""
        arriving = [
            p
            for p in self.code.projections
            if self.numbers[p.target] == number and p.port == port and self.is_active(p)
        ]
        longest = max((int(np.max(p.delays, initial=0)) for p in arriving), default=0)
        ahead = any(self.is_chip(p) for p in arriving)
        return 1 + longest + int(ahead)

    @cached_property
    def ports(self) -> tuple[tuple[int, str], ...]:
        """(population, port) pairs that this variant reads."""
        return tuple(
            (number, port)
            for number, population in enumerate(self.code.populations)
            for port in population.ports
            if any(n.operation == "input" and n.name == port for n in self.programs[number].nodes)
        )

    def may_overflow(self, number: int, port: str) -> bool:
        """Whether a port's sums could leave its declared width, if all sources sent their most at once."""
        population = self.code.populations[number]
        width = population.program.inputs[port]
        return greatest_input(self.code, population.name, port) > min(-width.low, width.high)

    def floors(self, projection: ProjectionCode) -> bool:
        """Whether the projection's sum is shifted right, so that it needs a sum of its own.

        Weights that are all multiples of the shift, and stay so, need none: the shift is then exact on each.
        """
        if projection.weight_exp >= 0 or self.variant.real:
            return False
        learned = projection.learning is not None
        return bool(learned or np.any(projection.weights % (1 << -projection.weight_exp)))

    def floors_each_delay(self, projection: ProjectionCode) -> bool:
        """Whether messages of several steps, each sum of which is floored by itself, arrive in one step."""
        return self.floors(projection) and has_own_delays(projection)
