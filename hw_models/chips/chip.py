"""A chip: its limits and its costs, each with its source, and whatever other sources say of the same.

burstchip's own chips are `NAME.yaml` beside this file; a file of a user's own has the same form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, get_args

Status = Literal["verified", "second hand", "assumed"]
STATUSES: tuple[str, ...] = get_args(Status)

#: The chips that come with burstchip.
CHIPS = ("loihi1", "loihi2")

#: What is known of every chip; `docs/chips.md` gives the meaning of each name.
FACTS = (
    "neurocores", "compartments", "synaptic_memory_bits", "input_axons", "output_axons", "synapse_formats",
    "fan_in", "delay_slots", "learning_rules", "trace_configurations",
    "word_bits", "format_bits", "count_bits", "weight_bits", "index_bits", "axon_base",
    "learning_weight_bits", "tag_bits", "delay_bits", "message_bits", "neuron_programs",
    "mesh_columns", "mesh_rows", "tile_neurocores", "core_memory_bits",
)  # fmt: skip

#: What every chip's file says about energy, time and power, and in which unit.
COSTS: Mapping[str, str] = {
    "neuron_update_energy": "pJ",
    "neuron_update_time": "ns",
    "synaptic_operation_energy": "pJ",
    "synaptic_operation_time": "ns",
    "memory_read_time": "ns",
    "learning_update_energy": "pJ",
    "learning_update_time": "ns",
    "spike_energy": "pJ",
    "spike_time": "ns",
    "message_energy": "pJ",
    "message_time": "ns",
    "hop_energy": "pJ",
    "hop_time": "ns",
    "link_time": "ns",
    "barrier_energy": "pJ",
    "barrier_time": "ns",
    "barrier_doubling_time": "ns",
    "static_power": "mW",
}

Value = TypeVar("Value")


@dataclass(frozen=True)
class Statement(Generic[Value]):
    """What one source says: `note` tells how it is meant or reckoned."""

    value: Value
    source: str
    status: Status
    note: str = ""

    @property
    def origin(self) -> str:
        """The source and its status as one text."""
        return f"{self.status}: {self.source}"


@dataclass(frozen=True)
class Fact:
    """One number of a chip, or the numbers to choose from in rising order, and where it is public.

    `others` are what other public sources say of the same; they are shown and not used.
    """

    name: str
    values: tuple[int, ...]
    unit: str
    source: str
    status: Status
    note: str = ""
    others: tuple[Statement[tuple[int, ...]], ...] = ()

    @property
    def value(self) -> int:
        """The number; the greatest of several."""
        return self.values[-1]

    @property
    def origin(self) -> str:
        """The source and its status as one text."""
        return f"{self.status}: {self.source}"

    def __str__(self) -> str:
        return f"at most {self.value:,} {self.name.replace('_', ' ')} {self.unit} ({self.origin})"


@dataclass(frozen=True)
class Cost:
    """An energy, time or power in `unit`: the number to reckon with, and the range that it may lie in.

    Where no number is public, `assumption` names in words what is assumed in its place; else it is ''.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    source: str
    status: Status
    assumption: str = ""
    note: str = ""
    others: tuple[Statement[float], ...] = ()

    @property
    def origin(self) -> str:
        """The source and its status as one text."""
        return f"{self.status}: {self.source}"


@dataclass(frozen=True)
class Chip:
    """A chip: its name, its title, its facts and its costs by name.

    `own` is whether it is a user's own, and not one that comes with burstchip.
    """

    name: str
    title: str
    sources: Mapping[str, str]
    facts: Mapping[str, Fact]
    costs: Mapping[str, Cost]
    own: bool = False

    def __getitem__(self, name: str) -> Fact:
        return self.facts[name]

    def fit(self, name: str, bits: int) -> int | None:
        """The least width among those of `name` that is at least `bits`; None where there is none."""
        return next((value for value in self.facts[name].values if value >= bits), None)

    @property
    def assumed(self) -> tuple[str, ...]:
        """The names of the facts that are not public."""
        return tuple(fact.name for fact in self.facts.values() if fact.status == "assumed")
