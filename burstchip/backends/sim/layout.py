"""How a `ChipProgram` lies in the simulator's memory: names of arrays, what each variant of the loop needs.

Arrays are named `KIND_NUMBER_NAME`: `s_1_v` is state v of population 1, `w_0` the weights of projection 0.
Weights are kept source-major, so that an event touches one contiguous row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from burstchip.backends.integers import require_integers
from burstchip.backends.sim.code.columns import MOST
from burstchip.backends.sim.code.engine_plan import plan
from compiler.ir.chip_program import FACTORS, ChipProgram, PopulationCode, ProjectionCode
from compiler.ir.signals import Constant, Listed, Periodic, Signal, Streamed, Waveform, Written
from compiler.passes.check_inputs import greatest_input
from hw_models.neurons.roles import LEARNING_CONTROLS
from hw_models.program.rewrite import specialize
from hw_models.program.trace import Program
from hw_models.program.widths import FLAG

#: The traces of a source neuron.
X_TRACES = ("x1", "x2")


def has_own_delays(projection: ProjectionCode) -> bool:
    """Whether the synapses of a projection have delays of their own."""
    return bool(projection.delays.size and np.any(projection.delays != projection.delays.flat[0]))


@dataclass(frozen=True)
class Variant:
    """What a loop is specialised to: learning or not, integers or reals, which variables it records.

    Reals are float64, or float32 where `single` is set; traces that weights learn from are float64 in both.
    """

    learning: bool
    real: bool
    record: tuple[tuple[str, str], ...] = ()
    single: bool = False


@dataclass(frozen=True)
class Held:
    """An array, its type and dimensions, and the row of it that is meant (None: all, flat)."""

    name: str
    dtype: str
    dimensions: int
    row: int | None = None


@dataclass(frozen=True)
class Layout:
    """A program and a variant, with everything that follows from the two.

    Raises `BurstchipError` where the variant is one of integers and the program has more than these.
    """

    code: ChipProgram
    variant: Variant

    def __post_init__(self) -> None:
        if not self.variant.real:
            require_integers(self.code)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each population."""
        return {population.name: number for number, population in enumerate(self.code.populations)}

    @cached_property
    def number_type(self) -> str:
        """The type of states, outputs, sums and values."""
        if not self.variant.real:
            return "int32"
        return "float32" if self.variant.single else "float64"

    @property
    def weight_type(self) -> str:
        """The type of weights, and of what else a synapse holds."""
        return self.number_type if self.variant.real else "int16"

    @cached_property
    def lead_in(self) -> int:
        """Steps before a task's clock 0: all that Lava takes where anything learns, else the sources' own."""
        return self.code.lead_in if self.variant.learning else self.code.lead

    @cached_property
    def flags(self) -> tuple[tuple[Periodic, bool], ...]:
        """The signals that repeat with the clock, and whether it is the sources' clock, each once."""
        found: dict[tuple[Periodic, bool], None] = {}
        for number, population in enumerate(self.code.populations):
            for signal in self.signals(number).values():
                if isinstance(signal, Periodic):
                    found[signal, population.is_source] = None
        for projection in self.code.projections:
            if self.is_carry(projection) and projection.learning is not None:
                gates = (projection.learning.gate, projection.learning.restart)
                found |= {(gate, False): None for gate in gates if isinstance(gate, Periodic)}
        return tuple(found)

    def signals(self, number: int) -> dict[str, Signal]:
        """The signals of a population whose value this variant reads."""
        return self._signals[number]

    @cached_property
    def _signals(self) -> tuple[dict[str, Signal], ...]:
        found = []
        for population, program in zip(self.code.populations, self.programs, strict=True):
            read = {node.name for node in program.nodes if node.operation in ("input", "param")}
            found.append({name: signal for name, signal in population.signals.items() if name in read})
        return tuple(found)

    def is_number(self, signal: Written) -> bool:
        """Whether the host writes one number for all: what is not an input of the network's own."""
        return signal.name not in self.code.host

    def has_values(self, number: int, name: str) -> bool:
        """Whether what `name` is bound to lies in memory with one value for each neuron."""
        population = self.code.populations[number]
        signal = population.signals.get(name)
        if isinstance(signal, Constant):
            # One text serves sources whose rate is fixed and those whose rates are streamed.
            return population.roles.controls.get(name) == "rate"
        if isinstance(signal, Written):
            return not self.is_number(signal)
        return isinstance(signal, Listed | Waveform | Streamed)

    def lit_input(self, number: int) -> str:
        """The streamed input where 0 keeps a neuron silent, so that only others need a look; or ""."""
        name = self.code.populations[number].roles.bound_to("rate")
        streamed = isinstance(self.code.populations[number].signals.get(name), Streamed)
        return name if streamed and self.needs_value(number) else ""

    @cached_property
    def programs(self) -> tuple[Program, ...]:
        """Each population's program, with what this variant fixes folded away."""
        return tuple(self._program(population) for population in self.code.populations)

    def _program(self, population: PopulationCode) -> Program:
        fixed: dict[str, int] = {}
        for name, control in population.roles.controls.items():
            signal = population.signals[name]
            if not self.variant.learning and control in LEARNING_CONTROLS:
                fixed[name] = 0
            elif isinstance(signal, Constant) and isinstance(signal.value, int):
                fixed[name] = signal.value
        # Every output is kept: which of them are recorded does not change what is compiled.
        return specialize(population.program_of(real=self.variant.real), fixed)

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

    def has_columns(self, projection: ProjectionCode) -> bool:
        """Whether learning goes through columns of a list of synapses: see `engine_source`.

        Not in float64, where a list of its columns would take a synapse beyond 12 bytes.
        """
        if not self.is_chip(projection) or projection.dense or self.number_type == "float64":
            return False
        assert projection.learning is not None
        sizes = (self.code.population(it).size for it in (projection.source, projection.target))
        return bool(plan(projection.learning.rule).of_columns) and max(sizes) < MOST

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

    def is_one_to_one(self, projection: ProjectionCode) -> bool:
        """Whether each source neuron has one synapse."""
        size = self.code.population(projection.source).size
        return not projection.dense and np.array_equal(projection.pre, np.arange(size))

    def is_identity(self, projection: ProjectionCode) -> bool:
        """Whether each source neuron has one synapse, to the target neuron of its own number."""
        return self.is_one_to_one(projection) and np.array_equal(projection.pre, projection.post)

    def held_by_synapses(self, index: int, variable: str) -> Held:
        """Where a variable of a projection's synapses or traces lies."""
        projection = self.code.projections[index]
        integer = not self.variant.real
        if variable in ("w", "t", "d"):
            return Held(f"{variable}_{index}", self.weight_type, 2 if projection.dense else 1)
        number = "int32" if integer else "float64"
        if projection.learning is not None and projection.learning.form == "carry":
            return Held(f"{variable}_{index}", number, 1)
        if variable in ("tx", "ty"):
            return Held(f"noted_{variable[1]}_{index}", "int32", 1)
        traces = X_TRACES if variable[0] == "x" else FACTORS
        return Held(f"stored_{variable[0]}_{index}", number, 2, traces.index(variable))

    def is_event(self, number: int, output: str) -> bool:
        """Whether an output is a flag, so that its messages are bare events."""
        width = self.programs[number].outputs[output]
        return width == FLAG

    @cached_property
    def senders(self) -> tuple[tuple[int, str], ...]:
        """(population, output) pairs whose messages are listed each step: those that anything reads."""
        used = {
            (self.numbers[projection.source], projection.output)
            for projection in self.code.projections
            if self.is_active(projection) or self.is_plastic(projection)
        }
        used |= {
            (self.numbers[projection.target], projection.learning.postsynaptic)
            for projection in self.code.projections
            if projection.learning is not None
            if self.is_plastic(projection) and projection.learning.reads_events
        }
        # A list of arrivals says what is to be cleared in the next step.
        used |= {
            (number, output)
            for number, program in enumerate(self.programs)
            if program.sends_arrivals
            for output in program.output
        }
        # Events are counted from their list.
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
