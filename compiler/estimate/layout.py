"""A partition as tables of counts: who lives on each neurocore, what arrives there, and how far it is.

Only this file knows how a partition says where neurons are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from compiler.ir.partitioned import Partition
from compiler.passes.partition import ends
from hw_models.chips.chip import Chip
from hw_models.synapses.memory import SynapseFormat

Indices = NDArray[np.int64]

PLACEMENT = (
    "neurocores lie on the mesh in order of their numbers, tile by tile, row by row, chips side by side"
)


@dataclass(frozen=True)
class Resident:
    """The neurons first..last - 1 of a population, on a neurocore."""

    core: int
    population: str
    first: int
    last: int

    @property
    def neurons(self) -> int:
        """How many these are."""
        return self.last - self.first


@dataclass(frozen=True)
class Arrival:
    """What a projection brings to a neurocore: `lengths[i]` synapses of source neuron i end there."""

    core: int
    projection: str
    form: SynapseFormat
    lengths: Indices


@dataclass(frozen=True)
class Layout:
    """All neurocores in use, `cores` of them, in order of their numbers."""

    chip: Chip
    cores: int
    residents: tuple[Resident, ...]
    arrivals: tuple[Arrival, ...]
    output_axons: tuple[int, ...]

    def residents_of(self, population: str) -> list[Resident]:
        """Where the neurons of a population are, in their order; nowhere for a source."""
        found = [it for it in self.residents if it.population == population]
        return sorted(found, key=lambda it: it.first)

    @property
    def chips(self) -> int:
        """How many chips have so many neurocores."""
        return -(-self.cores // self.chip["neurocores"].value)

    @cached_property
    def mesh(self) -> tuple[int, int]:
        """(columns, rows) of tiles, of all chips side by side."""
        return self.chips * self.chip["mesh_columns"].value, self.chip["mesh_rows"].value

    @cached_property
    def tiles(self) -> tuple[Indices, Indices]:
        """(column, row) of the tile of each neurocore."""
        number, within = np.divmod(np.arange(self.cores), self.chip["neurocores"].value)
        columns = self.chip["mesh_columns"].value
        row, column = np.divmod(within // self.chip["tile_cores"].value, columns)
        return number * columns + column, row

    @property
    def used_tiles(self) -> int:
        """How many tiles have a neurocore in use."""
        column, row = self.tiles
        return len(np.unique(column * self.mesh[1] + row))


def layout(partition: Partition) -> Layout:
    """The tables of a partition."""
    code = partition.code
    sizes = {population.name: population.size for population in code.populations}
    pairs = {projection.name: (ends(projection), sizes[projection.source]) for projection in code.projections}
    residents, arrivals = [], []
    for core in partition.cores:
        residents.append(Resident(core.number, core.population, core.first, core.last))
        for name, form in core.formats.items():
            found, size = pairs[name]
            lengths = np.bincount(found.pre[found.onto(core.first, core.last)], minlength=size)
            arrivals.append(Arrival(core.number, name, form, lengths.astype(np.int64)))
    axons = tuple(core.used["output_axons"] for core in partition.cores)
    return Layout(partition.chip, len(partition.cores), tuple(residents), tuple(arrivals), axons)
