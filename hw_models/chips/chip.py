"""The limits of a chip, each with its source, read from `NAME.yaml` beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

import yaml

Status = Literal["verified", "second hand", "assumed"]

#: What is known of every chip; `docs/deployment.md` gives the meaning of each name.
FACTS = (
    "neurocores", "compartments", "synaptic_memory_bits", "input_axons", "output_axons", "synapse_formats",
    "word_bits", "format_bits", "count_bits", "weight_bits", "index_bits", "learning_weight_bits",
    "tag_bits", "delay_bits", "message_bits", "neuron_programs",
    "mesh_columns", "mesh_rows", "tile_neurocores",
)  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """One number of a chip, or the numbers to choose from in rising order, and where it is public."""

    name: str
    values: tuple[int, ...]
    unit: str
    source: str
    status: Status

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
class Chip:
    """A chip: its name in the language, its title, and its facts by name."""

    name: str
    title: str
    sources: Mapping[str, str]
    facts: Mapping[str, Fact]

    def __getitem__(self, name: str) -> Fact:
        return self.facts[name]

    def fit(self, name: str, bits: int) -> int | None:
        """The least width among those of `name` that is at least `bits`; None where there is none."""
        return next((value for value in self.facts[name].values if value >= bits), None)


def _fact(name: str, entry: Mapping[str, Any]) -> Fact:
    value = entry["value"]
    values = tuple(value) if isinstance(value, list) else (value,)
    assert all(type(number) is int for number in values) and list(values) == sorted(values), name
    status = entry["status"]
    assert status in ("verified", "second hand", "assumed"), f"{name}: status {status}"
    return Fact(name, values, entry["unit"], entry["source"], cast(Status, status))


@cache
def chip(name: str) -> Chip:
    """The chip of this name: `loihi1` or `loihi2`."""
    data = yaml.safe_load(files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
    facts = {fact: _fact(fact, entry) for fact, entry in data["facts"].items()}
    assert set(facts) == set(FACTS), f"facts of {name}: {set(facts) ^ set(FACTS)}"
    return Chip(name, data["title"], data["sources"], facts)
