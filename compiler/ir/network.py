"""The first intermediate representation: a network in physical units that knows nothing of chips.

The frontend makes it from YAML; the passes turn it into a `ChipProgram`. Times are in ms, voltages in
mV, currents in pA, capacitances in pF, rates in Hz; fractions and plain numbers carry no unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from compiler.ir.connectivity import Connectivity
from compiler.ir.courses import SignalCourse
from compiler.ir.protocol import Protocol
from compiler.ir.values import Distribution, Value
from hw_models.diagnostics import Place
from hw_models.neurons.model import NeuronModel

#: The target of a network that no chip is to hold: only `reference` runs it.
NO_CHIP = "none"


@dataclass(frozen=True, eq=False)
class ListedEvents:
    """What a source sends, in arrays of one entry each: the neuron, the time in ms, and what is not 1."""

    neurons: NDArray[np.int64]
    times: NDArray[np.float64]
    messages: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, events: Iterable[tuple[int, float]], messages: Iterable[int] | None = None) -> ListedEvents:
        """The same from (neuron, time), and the messages."""
        listed = list(events)
        neurons = np.array([neuron for neuron, _ in listed], dtype=np.int64)
        sent = None if messages is None else np.array(list(messages), dtype=np.int64)
        return cls(neurons, np.array([time for _, time in listed], dtype=np.float64), sent)

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True)
class Population:
    """`size` neurons of one registered model; `parameters` hold only what the user wrote, in base units.

    `initial` are the values of states at the start. `drawn` names what `elaborate` drew, as in
    `parameter_places`: all that is written by its key, states as `initial.NAME`.
    """

    name: str
    model: str
    size: int
    parameters: Mapping[str, Value]
    #: `spike_list` only: (neuron, time in ms) of every event, or the same in arrays, as of `message_list`.
    spikes: tuple[tuple[int, float], ...] | ListedEvents = ()
    place: Place | None = None
    parameter_places: Mapping[str, Place] = field(default_factory=dict)
    initial: Mapping[str, Value] = field(default_factory=dict)
    drawn: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Endpoint:
    """`population.port`: an output such as `hidden.events`, or an input such as `hidden.dendrite`."""

    population: str
    port: str

    def __str__(self) -> str:
        return f"{self.population}.{self.port}"


#: Bits of a weight on the chip.
WEIGHT_BITS = 8


@dataclass(frozen=True)
class Projection:
    """Synapses from an output to an input port.

    `weight` is in the target port's weight unit and None where the connectivity carries the weights;
    `limit` is the greatest magnitude a weight may ever take (None: the greatest drawn weight);
    `sign_mode` is the sign that weights have and keep while they learn (None: mixed where they learn, else
    that of the weights); `delay` is in ms, at least one step, and not read where the connectivity carries the
    delays. Without `autapses` no neuron is connected to itself. With `weight_exp` the
    weights are the chip's integers at 2^weight_exp, whole numbers without a unit. `in_leaks`: weights and
    limit are multiples of the target's leak, in place of nS.
    """

    name: str
    source: Endpoint
    target: Endpoint
    connectivity: Connectivity
    weight: Distribution | None
    delay: Distribution
    limit: float | None = None
    weight_bits: int = 8
    learn: str | None = None
    autapses: bool = True
    sign_mode: Literal["mixed", "excitatory", "inhibitory"] | None = None
    place: Place | None = None
    places: Mapping[str, Place] = field(default_factory=dict)
    weight_exp: int | None = None
    in_leaks: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of its projections on the chip: two where weights have more bits than one holds."""
        return (self.name,) if self.weight_bits <= WEIGHT_BITS else (self.name, f"{self.name}.low")


@dataclass(frozen=True)
class TraceSpec:
    """An exponential trace of spikes: time constant in ms and increment per spike (trace units, 0..127)."""

    name: str
    tau: float
    increment: float


@dataclass(frozen=True)
class Plasticity:
    """How the weights of a projection learn.

    `form` is `chip` (a sum of products in the chip's own grammar) or `carry` (8-bit weight, 8-bit tag
    with carry; emulation only). A burst rule is given by `learning_rate` and, in the chip form,
    `consolidation_rate` and `consolidate_every`; any other rule of the chip form by its text in `rules`
    (keys dw, dt, dd). `seed` takes the place of the network's in its draws. `postsynaptic` is the output of
    the target that y0 and the traces y1 to y3 follow.
    """

    name: str
    form: Literal["chip", "carry"]
    rounding: Literal["lava", "per_synapse"]
    every: float
    traces: tuple[TraceSpec, ...]
    rules: Mapping[str, str] = field(default_factory=dict)
    learning_rate: float | None = None
    consolidation_rate: float | None = None
    consolidate_every: int | None = None
    seed: int | None = None
    postsynaptic: str = "events"
    place: Place | None = None
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """A variable of a population or projection to record: `hidden.v`, `readout.events`, `first.w`."""

    owner: str
    variable: str
    place: Place | None = None


@dataclass(frozen=True)
class Signal:
    """A variable of a population set, or a port added to, over time; values in base units, times in ms.

    Before `start` and from `stop` on (None: never) what holds without the signal.
    """

    name: str
    population: str
    variable: str
    course: SignalCourse
    start: float = 0.0
    stop: float | None = None
    place: Place | None = None
    places: Mapping[str, Place] = field(default_factory=dict)


#: Values of a sample and classes of each data set.
DATA_SHAPES: Mapping[str, tuple[int, int]] = {"digits": (64, 10), "mnist": (784, 10)}


@dataclass(frozen=True)
class DataFile:
    """A user's own labelled samples: a file, what it held when the network was read, and how it is read.

    `sha256` is of the file's bytes; a sample has `values` numbers and one of `classes` labels. Values from
    `low` to `high` become rates from 0 to the input's greatest. `test_share` is the fraction of the samples
    that the test set gets, None where the file has a test set of its own. `folder` is where the file's name
    starts from; it is of this machine, and no part of what the program is.
    """

    sha256: str
    values: int
    classes: int
    low: float
    high: float
    test_share: float | None
    folder: str = field(default="", compare=False)


@dataclass(frozen=True)
class Task:
    """A supervised classification task presented sample by sample; times in ms.

    `data` names a data set of `DATA_SHAPES` or, with `file`, the file of one's own samples as it was written.
    `anneal` lists the fractions of the training after which every learning rate halves once more.
    `split` seeds the stratified split of a data set that has no test set of its own.
    """

    data: str
    input: str
    readout: str
    present: float
    teach_after: float
    epochs: int
    anneal: tuple[float, ...] = ()
    split: int = 0
    by: Literal["event_count"] = "event_count"
    place: Place | None = None
    places: Mapping[str, Place] = field(default_factory=dict)
    file: DataFile | None = None


@dataclass(frozen=True)
class Network:
    """Everything a YAML file says, checked and in base units, and the neuron models that it may name."""

    name: str
    step: float
    seed: int
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    plasticity: tuple[Plasticity, ...]
    probes: tuple[Probe, ...]
    task: Task | None
    target: str
    parameters: Mapping[str, object]
    models: Mapping[str, NeuronModel]
    place: Place | None = None
    signals: tuple[Signal, ...] = ()
    protocol: Protocol | None = None

    def __repr__(self) -> str:
        neurons = sum(population.size for population in self.populations)
        return f"<Network '{self.name}': {neurons:,} neurons, {len(self.projections)} projections>"

    def model_of(self, population: str) -> NeuronModel:
        """The model of the population of this name, with the options that are given."""
        found = next(it for it in self.populations if it.name == population)
        return self.models[found.model].with_options(found.parameters)
