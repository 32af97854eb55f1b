"""A program and the neurocores that its neurons lie on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import ChipProgram
from hw_models.chips.chip import Chip
from hw_models.synapses.memory import SynapseFormat

Indices = NDArray[np.int64]

#: The limits of one neurocore that a partition keeps.
LIMITS = (
    "compartments", "synaptic_memory_bits", "input_axons", "output_axons", "synapse_formats",
    "fan_in", "delay_slots", "learning_rules", "trace_configurations",
)  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """Neurons of one population on a neurocore, in rising order.

    Their compartments are numbered port by port from `base` on: of n neurons, neuron k has the compartment
    base + p n + k for its port p.
    """

    population: str
    neurons: Indices
    base: int

    def local(self, neurons: Indices) -> Indices:
        """The places of some neurons of this piece among all of it."""
        return np.searchsorted(self.neurons, neurons).astype(np.int64)

    @property
    def text(self) -> str:
        """`0..9`, or the first and last neuron and how many of those between are here."""
        first, last = int(self.neurons[0]), int(self.neurons[-1])
        whole = last - first + 1 == self.neurons.size
        return f"{first}..{last}" if whole else f"{self.neurons.size} of {first}..{last}"


@dataclass(frozen=True)
class Neurocore:
    """One neurocore: pieces of populations, how much of each limit they use, and its tile of the mesh.

    The pieces stand in order of the populations, and their compartments follow each other. `formats` are
    those of the projections that end here, by name; static ones stand before plastic ones. `tile` is
    (column, row).
    """

    number: int
    pieces: tuple[Piece, ...]
    formats: Mapping[str, SynapseFormat]
    used: Mapping[str, int]
    tile: tuple[int, int] = (0, 0)

    def piece(self, population: str) -> Piece | None:
        """The neurons of a population that lie here, None where there are none."""
        return next((piece for piece in self.pieces if piece.population == population), None)

    @property
    def names(self) -> str:
        """The populations that have neurons here."""
        return ", ".join(piece.population for piece in self.pieces)


@dataclass(frozen=True)
class Measures:
    """How good a placement is, beside what no placement can be better than.

    `order` is how the neurons were taken: `written`, `joined` (what is connected, together) or `interleaved`.
    In a step the busiest neurocore reads `words_read` words of synaptic memory, the busiest link carries
    `busiest_link` messages and all links `traffic`; neurons send `remote` messages to other neurocores, and
    `least_remote` at least. `least_neurocores` are needed, `least_by_limit` of them for each limit alone.
    """

    order: str
    words_read: int
    busiest_link: int
    traffic: int
    remote: int
    least_neurocores: int
    least_by_limit: Mapping[str, int]
    least_remote: int


@dataclass(frozen=True)
class Partition:
    """A program, the chip it is for, and all neurocores in use, in order of their numbers."""

    code: ChipProgram
    chip: Chip
    cores: tuple[Neurocore, ...]
    measures: Measures

    @property
    def gap(self) -> float:
        """By which part the neurocores exceed the lower bound."""
        return len(self.cores) / self.measures.least_neurocores - 1 if self.cores else 0.0

    def pieces_of(self, population: str) -> Iterator[tuple[Neurocore, Piece]]:
        """The neurocores of a population, each with its piece; none for a source."""
        for core in self.cores:
            piece = core.piece(population)
            if piece is not None:
                yield core, piece
