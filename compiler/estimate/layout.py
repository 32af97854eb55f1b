"""A partition as tables of counts: who lives on each neurocore, what arrives there, and how far it is.

Only this file knows how a partition says where neurons are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import ProjectionCode
from compiler.ir.partitioned import Partition
from hw_models.chips.chip import Chip
from hw_models.synapses.memory import SynapseFormat

Indices = NDArray[np.int64]

PLACEMENT = "the meshes of several chips lie side by side"


@dataclass(frozen=True)
class Resident:
    """Neurons of a population on a neurocore, in rising order."""

    core: int
    population: str
    neurons: Indices


@dataclass(frozen=True)
class Arrival:
    """What a projection brings to a neurocore: `lengths[i]` synapses of source neuron i end there."""

    core: int
    projection: str
    form: SynapseFormat
    lengths: Indices


@dataclass(frozen=True)
class Layout:
    """All neurocores in use, in order of their numbers; `places` are their tiles, (column, row)."""

    chip: Chip
    places: tuple[tuple[int, int], ...]
    residents: tuple[Resident, ...]
    arrivals: tuple[Arrival, ...]
    output_axons: tuple[int, ...]

    @property
    def cores(self) -> int:
        """How many neurocores are in use."""
        return len(self.places)

    def residents_of(self, population: str) -> list[Resident]:
        """Where the neurons of a population are; nowhere for a source."""
        return [it for it in self.residents if it.population == population]

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
        column, row = np.array(self.places, dtype=np.int64).reshape(-1, 2).T
        return column, row

    @property
    def used_tiles(self) -> int:
        """How many tiles have a neurocore in use."""
        column, row = self.tiles
        return len(np.unique(column * self.mesh[1] + row))


def _lengths(
    projection: ProjectionCode, size: int, homes: Mapping[int, Indices]
) -> Iterator[tuple[int, Indices]]:
    """(neurocore, synapses of each of `size` source neurons there), of the target's neurons on each."""
    if projection.dense:
        for core, neurons in homes.items():
            yield core, np.full(size, neurons.size, dtype=np.int64)
        return
    where = np.full(
        1 + max((int(it.max(initial=-1)) for it in homes.values()), default=0), -1, dtype=np.int64
    )
    for core, neurons in homes.items():
        where[neurons] = core
    reached = where[projection.post]
    order = np.argsort(reached, kind="stable")
    pre, reached = projection.pre[order], reached[order]
    for core in homes:
        start, stop = np.searchsorted(reached, (core, core + 1))
        yield core, np.bincount(pre[start:stop], minlength=size).astype(np.int64)


def layout(partition: Partition) -> Layout:
    """The tables of a partition."""
    code = partition.code
    residents = tuple(
        Resident(core.number, piece.population, piece.neurons)
        for core in partition.cores
        for piece in core.pieces
    )
    arrivals = []
    for projection in code.projections:
        homes = {it.core: it.neurons for it in residents if it.population == projection.target}
        for core, lengths in _lengths(projection, code.population(projection.source).size, homes):
            form = partition.cores[core].formats.get(projection.name)
            if form is not None:
                arrivals.append(Arrival(core, projection.name, form, lengths))
    axons = tuple(core.used["output_axons"] for core in partition.cores)
    places = tuple(core.tile for core in partition.cores)
    return Layout(partition.chip, places, residents, tuple(arrivals), axons)
