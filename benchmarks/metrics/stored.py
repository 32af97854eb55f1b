"""The numbers that a program stores, each with its bits: what NeuroBench calls parameters and buffers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from compiler.ir.chip_program import ChipProgram, PopulationCode, ProjectionCode

#: An 8-bit weight in a chip's own grammar has 9 with its sign once it learns, and a tag of 8 beside it.
_PLASTIC_BITS, _TAG_BITS, _CARRY_BITS = 9, 8, 16


@dataclass(frozen=True)
class Stored:
    """`count` numbers of `bits` bits each; `what` of them are weights, and what else there is."""

    name: str
    what: Literal["weights", "tags", "delays", "indices", "states", "parameters", "tables"]
    count: int
    bits: int


def stored_numbers(code: ChipProgram) -> tuple[Stored, ...]:
    """Everything that a program stores, but for what connects neurocores.

    Weights, tags and delays of each synapse (of a kernel once), the target of a synapse where not all pairs
    have one; states of each neuron, parameters once or of each neuron, and tables of functions.
    """
    found = [it for projection in code.projections for it in _of_projection(code, projection)]
    found += [it for population in code.populations for it in _of_population(population)]
    return tuple(it for it in found if it.count and it.bits)


def _of_projection(code: ChipProgram, it: ProjectionCode) -> Iterator[Stored]:
    learning = it.learning
    bits = it.num_weight_bits
    if learning is not None:
        bits = _CARRY_BITS if learning.form == "carry" else _PLASTIC_BITS
    count = int(it.stored.size)
    yield Stored(it.name, "weights", count, bits)
    if learning is not None and "dt" in learning.rules:
        yield Stored(it.name, "tags", count, _TAG_BITS)
    yield Stored(it.name, "delays", int(it.delays.size), int(np.max(it.delays, initial=0)).bit_length())
    if not it.dense and it.kernel is None:
        yield Stored(it.name, "indices", count, (code.population(it.target).size - 1).bit_length())


def _of_population(it: PopulationCode) -> Iterator[Stored]:
    for name, width in it.program.states.items():
        yield Stored(f"{it.name}.{name}", "states", it.size, width.bits)
    for name, value in it.parameters.items():
        if name in it.program.parameters:
            count = it.size if np.ndim(value) else 1
            yield Stored(f"{it.name}.{name}", "parameters", count, it.program.parameters[name].bits)
    for number, table in enumerate(it.program.tables):
        low, high = min(table), max(table)
        bits = max(high, -low - 1).bit_length() + (low < 0)
        yield Stored(f"{it.name}.table{number}", "tables", len(table), bits)
