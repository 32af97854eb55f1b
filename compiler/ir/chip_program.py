"""The second intermediate representation: what runs. Integers only; nothing here knows of YAML.

Beside what was rounded stands the real number before; with the target `none` that alone counts, and the
integers are the nearest that the declared widths hold.

Parameters have the chip's names. Weights are shaped (post, pre) where a projection is dense, and listed
by (pre, post) where it is sparse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import exp, lcm, log2
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from compiler.draws import WeightDraws, grid
from compiler.ir.convolution import ConvolvedPairs
from compiler.ir.network import DATA_SHAPES, NO_CHIP, DataFile
from compiler.ir.protocol import Protocol
from compiler.ir.signals import ALWAYS, NEVER, HostInput, Signal
from hw_models.diagnostics import Diagnostic
from hw_models.neurons.roles import Roles
from hw_models.plasticity.carry import forward_weight
from hw_models.plasticity.grammar import learning_rule
from hw_models.plasticity.rule import TARGETS, LearningRule
from hw_models.program.trace import Program

#: A carry weight is 8 bits and an 8-bit tag below it, stored as one 16-bit number.
CARRY_TAG_BITS = 8
CARRY_LOW, CARRY_HIGH = -32640, 32639
#: What a learning rule may read of the postsynaptic neuron: traces of its events, or what it sends.
FACTORS = ("y1", "y2", "y3")


@dataclass(frozen=True)
class LoweredFunction:
    """A function that became a table: `entries` at every 2^`spacing`-th of the arguments `low`..`high`.

    `function` is its text, as a program prints it. `bound` is proven: the greatest error of a result, in the
    function's own values.
    """

    function: str
    low: int
    high: int
    entries: int
    spacing: int
    bound: float


@dataclass(frozen=True)
class PopulationCode:
    """One population: the program that its neurons run, its size, integer parameters and random stream.

    `model` is the name that the program had in the network, a label only. `ports` are the program's inputs
    that sum messages, `roles` what its names mean. `signals` are what its other inputs are bound to; one that
    has the name of a parameter or a port takes the place of the one and is added to the other.
    `gather_every` is the learning epoch, in steps, of the plastic synapses that end here, 0 where there are
    none. `spikes` lists (step, neuron) of the events of a list, sorted, or (step, neuron, message).
    `units[variable]` is the value and unit that 1 in a state or output stands for, where that is known, and
    `origins[variable]` what 0 stands for, one number or [neuron], where that is not 0. `real` holds, for
    parameters that were rounded, the real number before; `reference` runs with those, and with the program
    `exact`, where functions of it became the tables `functions`. `initial` has the states that do not start
    as the program says, `real_initial` the real numbers that these were rounded from.
    """

    name: str
    model: str
    size: int
    program: Program
    ports: tuple[str, ...]
    roles: Roles
    parameters: Mapping[str, int | NDArray[np.int64]]
    stream: int
    gather_every: int = 0
    spikes: NDArray[np.int64] | None = None
    units: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    origins: Mapping[str, float | NDArray[np.float64]] = field(default_factory=dict)
    real: Mapping[str, float | NDArray[np.float64]] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(default_factory=dict)
    exact: Program | None = None
    functions: tuple[LoweredFunction, ...] = ()
    initial: Mapping[str, int | NDArray[np.int64]] = field(default_factory=dict)
    real_initial: Mapping[str, float | NDArray[np.float64]] = field(default_factory=dict)

    def program_of(self, *, real: bool) -> Program:
        """The program in integers, or the one whose functions are exact."""
        return self.exact if real and self.exact is not None else self.program

    def numbers(self, *, real: bool) -> Mapping[str, float | NDArray[Any]]:
        """The parameters as integers, or as the real numbers that these were rounded from."""
        return {**self.parameters, **self.real} if real else self.parameters

    def starts(self, *, real: bool) -> Mapping[str, float | NDArray[Any]]:
        """Each state at the start: a constant or the value of a parameter, if `initial` does not say."""
        numbers = self.numbers(real=real)
        states = {
            name: numbers[start] if isinstance(start, str) else start
            for name, start in self.program.initial.items()
        }
        return {**states, **self.initial, **(self.real_initial if real else {})}

    @property
    def is_source(self) -> bool:
        """Whether the population has no input ports."""
        return not self.ports


@dataclass(frozen=True)
class TraceCode:
    """A presynaptic trace of 0..127.

    `lava`: exponential decay with time constant `tau` in steps, rounded at random. `plain`: decay of
    `decay`/4096 a step rounded toward zero, cap 127. `impulse` is added at an event. `kept` and `increment`
    are the exact share that a step leaves and the exact impulse; None: what the integers stand for.
    """

    kind: Literal["lava", "plain"]
    name: str
    tau: float
    decay: int
    impulse: int
    kept: float | None = None
    increment: float | None = None

    @property
    def real_kept(self) -> float:
        """The share that a step leaves, without rounding."""
        if self.kept is not None:
            return self.kept
        if self.kind == "plain":
            return 1 - self.decay / 4096
        return exp(-1 / self.tau) if self.tau else 0.0

    @property
    def real_increment(self) -> float:
        """What an event adds, without rounding."""
        return float(self.impulse) if self.increment is None else self.increment


@dataclass(frozen=True)
class LearningCode:
    """How one projection learns; `every` is the learning epoch in steps.

    `carry`: W += (x * gathered + r) >> (shift + halvings) where `gate` is 1; the trace x is cleared where
    `restart` is 1; all three are signals at the neurons' clock. `chip`: the sums of products in `rules`
    (dw, dt, dd). Every `consolidate_every` samples the neuron's y2 moves the tag; 0 where the rule does
    without. `seed` takes the place of the run's in all draws of this learning; None: the run's.
    `postsynaptic` is the output of the target that y0 and the traces y1 to y3 follow. `rate` and
    `consolidation` are the exact rates of a burst rule, `gains` what the products of its sums are exactly
    worth (`Product.gain`); None and (): what the integers stand for. Where `whole` is set, weights are whole
    numbers in real numbers, too, rounded at random as integers are.
    """

    form: Literal["chip", "carry"]
    rounding: Literal["lava", "per_synapse"]
    every: int
    traces: tuple[TraceCode, ...]
    rules: Mapping[str, str]
    shift: int
    consolidate_every: int
    stream: int
    trace_stream: int
    seed: int | None = None
    postsynaptic: str = "events"
    rate: float | None = None
    consolidation: float | None = None
    gains: tuple[float, ...] = ()
    whole: bool = False
    gate: Signal = ALWAYS
    restart: Signal = NEVER
    halvings: Signal = NEVER

    def seed_in(self, seed: int) -> int:
        """The seed of its draws in a run of this seed."""
        return seed if self.seed is None else self.seed

    @property
    def real_shift(self) -> float:
        """-log2 of the learning rate, without rounding."""
        return float(self.shift) if self.rate is None else -log2(self.rate)

    @cached_property
    def rule(self) -> LearningRule:
        """The parsed sums of products."""
        return learning_rule(*(self.rules.get(change) for change in TARGETS))

    @property
    def third_factors(self) -> bool:
        """Whether y1 to y3 come from the neuron; else they are traces of its events."""
        return not any(trace.name in FACTORS for trace in self.traces)

    @property
    def reads_events(self) -> bool:
        """Whether the rule needs to know when the postsynaptic neuron emits; a burst rule does not."""
        if not self.rules.keys() & set(TARGETS):
            return False
        return not self.third_factors or "y0" in self.rule.conditions or "y0" in self.rule.variables


@dataclass(frozen=True, eq=False)
class KernelCode:
    """Weights that are stored once, of the shape `weights_shape`, and the synapses that share them."""

    pairs: ConvolvedPairs
    weights: NDArray[np.int16]

    @property
    def listed(self) -> NDArray[np.int16]:
        """The weight of each synapse, in order."""
        return self.weights.ravel()[self.pairs.entry]


@dataclass(frozen=True)
class ProjectionCode:
    """One projection's synapses in integers.

    A synapse adds `(sum of weight * message) * 2^weight_exp` to the port, where a negative exponent
    floors after the sum. `unit` is the physical weight of one stored unit. `delays` counts extra steps.
    `requested` are the physical weights before rounding, or how these are drawn from the ends of a synapse.
    `limit` is the exact magnitude that a plastic weight may reach; None where it is what the integers hold.
    With a `kernel`, `pre`, `post` and `weights` list what follows from it, and `requested` has its shape.
    """

    name: str
    source: str
    output: str
    target: str
    port: str
    dense: bool
    pre: NDArray[np.int32]
    post: NDArray[np.int32]
    weights: NDArray[np.int16]
    delays: NDArray[np.int16]
    weight_exp: int
    num_weight_bits: int
    sign_mode: Literal["MIXED", "EXCITATORY", "INHIBITORY"]
    unit: float
    weight_unit: str
    requested: WeightDraws | NDArray[np.float64]
    learning: LearningCode | None = None
    limit: float | None = None
    kernel: KernelCode | None = None

    @property
    def event_unit(self) -> float:
        """The physical weight of one unit that events see: without the tag of the carry form."""
        carries = self.learning is not None and self.learning.form == "carry"
        return self.unit * (1 << CARRY_TAG_BITS if carries else 1)

    def forward(self, stored: NDArray[Any]) -> NDArray[Any]:
        """The weights that events see, in units of 2^weight_exp, from what learning stores."""
        if self.learning is None or self.learning.form != "carry":
            return stored
        if stored.dtype.kind == "f":
            return np.asarray(stored / (1 << CARRY_TAG_BITS))
        return np.asarray(forward_weight(stored.astype(np.int64)).astype(np.int16))

    @property
    def stored(self) -> NDArray[np.int16]:
        """The weights that are stored, shaped like those that are `requested`."""
        return self.weights if self.kernel is None else self.kernel.weights

    @property
    def exact(self) -> NDArray[np.float64]:
        """The physical weights before rounding, shaped like `weights`."""
        requested = self.requested
        if self.kernel is not None:
            pairs = self.kernel.pairs
            if isinstance(requested, WeightDraws):
                return requested(*pairs.convolution.draws)[pairs.entry]
            return requested.ravel()[pairs.entry]
        if not isinstance(requested, WeightDraws):
            return requested
        if not self.dense:
            return requested(self.pre, self.post)
        n_post, n_pre = self.weights.shape
        drawn = requested(*grid(n_pre, n_post))
        return np.ascontiguousarray(drawn.reshape(n_pre, n_post).T)


@dataclass(frozen=True)
class TaskCode:
    """A supervised task; times in steps. `anneal` as fractions of the training, `order_stream` shuffles.

    `data` names a data set of `DATA_SHAPES` or, with `file`, a file of the user's own samples.
    """

    data: str
    input: str
    readout: str
    present: int
    teach_after: int
    epochs: int
    anneal: tuple[float, ...]
    split: int
    order_stream: int
    file: DataFile | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Values of a sample, and classes."""
        return DATA_SHAPES[self.data] if self.file is None else (self.file.values, self.file.classes)


@dataclass(frozen=True)
class QuantisationLine:
    """One line of the quantisation report: what was asked, what is represented, the relative error.

    `origin` is where the value counts from: of a potential the resting potential.
    """

    where: str
    parameter: str
    unit: str
    requested: float
    represented: float
    integers: str
    origin: float = 0.0

    @property
    def relative_error(self) -> float:
        """|represented - requested| / |requested - origin|; 0 where both are the same."""
        if self.requested == self.represented:
            return 0.0
        # A distance, such as the jump of a threshold, counts from 0 whatever the origin is.
        whole = max(abs(self.requested - self.origin), abs(self.requested) if self.origin else 0.0)
        return abs(self.represented - self.requested) / whole if whole else float("inf")


@dataclass(frozen=True)
class Learned:
    """Where weights were learned: in `epoch` whole epochs of `epochs` and `samples` samples of the next.

    Of weights that were read from a deployment it is not known in how many: all three are 0.

    `artifact_sha256` is that of the program that learned them, on `backend`. `rounded` of them were rounded
    to the integers that a program can start with, and the tags of `tags` synapses were dropped.
    """

    artifact_sha256: str
    backend: str
    epoch: int
    epochs: int
    samples: int
    rounded: int
    tags: int

    @property
    def text(self) -> str:
        """One line for people."""
        notes = [f"trained weights of epoch {self.epoch}" if self.epochs else "weights of a deployment"]
        if self.epoch < self.epochs:
            more = f" and {self.samples:,} samples" if self.samples else ""
            notes = [f"{notes[0]}{more}, of a training that was interrupted before epoch {self.epochs}"]
        if self.rounded:
            notes.append(f"{self.rounded:,} weights rounded to what an artifact holds")
        if self.tags:
            notes.append(f"tags of {self.tags:,} synapses dropped")
        return "; ".join(notes)


@dataclass(frozen=True)
class ChipProgram:
    """Everything a backend needs. `host` says by name how the host's values become integers.

    `learned` is None where the weights are those that the network's file asks for, `protocol` where its file
    has none; the protocol's times are whole numbers of steps.
    """

    name: str
    step_ms: float
    seed: int
    target: str
    weight_form: str
    populations: tuple[PopulationCode, ...]
    projections: tuple[ProjectionCode, ...]
    probes: tuple[tuple[str, str], ...]
    task: TaskCode | None
    quantisation: tuple[QuantisationLine, ...]
    diagnostics: tuple[Diagnostic, ...] = field(default=())
    host: Mapping[str, HostInput] = field(default_factory=dict)
    learned: Learned | None = None
    protocol: Protocol | None = None

    def __repr__(self) -> str:
        neurons = sum(population.size for population in self.populations)
        synapses = sum(projection.weights.size for projection in self.projections)
        return f"<ChipProgram '{self.name}' for {self.target}: {neurons:,} neurons, {synapses:,} synapses>"

    @property
    def lead(self) -> int:
        """By how many steps sources run ahead of neurons: with a task they act in the neurons' own clock."""
        return 0 if self.task is None else 1

    @property
    def on_chip(self) -> bool:
        """Whether the program is one of a chip's integers, and not for `reference` alone."""
        return self.target != NO_CHIP

    @property
    def lead_in(self) -> int:
        """Steps before clock 0: with a task, the least common multiple of the chip form's learning epochs.

        In the last of them the sources, which run ahead, emit for clock 0; so epochs begin with clock 0.
        """
        if self.task is None:
            return 0
        learned = (p.learning for p in self.projections if p.learning is not None)
        return lcm(*(learning.every for learning in learned if learning.form == "chip"))

    def population(self, name: str) -> PopulationCode:
        """The population of this name."""
        return next(population for population in self.populations if population.name == name)

    def projection(self, name: str) -> ProjectionCode:
        """The projection of this name."""
        return next(projection for projection in self.projections if projection.name == name)
