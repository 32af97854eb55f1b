"""A program and the neurocores that its neurons lie on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compiler.ir.chip_program import ChipProgram
from hw_models.chips.chip import Chip
from hw_models.synapses.memory import SynapseFormat

#: The limits of one neurocore that a partition keeps.
LIMITS = ("compartments", "synaptic_memory_bits", "input_axons", "output_axons", "synapse_formats")


@dataclass(frozen=True)
class Neurocore:
    """One neurocore: neurons first..last - 1 of a population, and how much of each limit they use.

    `formats` are those of the projections that end here, by name; static ones stand before plastic ones.
    """

    number: int
    population: str
    first: int
    last: int
    formats: Mapping[str, SynapseFormat]
    used: Mapping[str, int]


@dataclass(frozen=True)
class Partition:
    """A program, the chip it is for, and all neurocores in use, in order of their numbers."""

    code: ChipProgram
    chip: Chip
    cores: tuple[Neurocore, ...]

    def cores_of(self, population: str) -> tuple[Neurocore, ...]:
        """The neurocores of a population in order of its neurons; none for a source."""
        return tuple(core for core in self.cores if core.population == population)
