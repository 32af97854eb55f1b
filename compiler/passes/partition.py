"""partition: populations to neurocores, within every limit of the chip. ChipProgram in, Partition out.

Neurons of one kind, which run one program and learn at one epoch, may share a neurocore. Synapses lie on
the neurocore of their target neuron: each source neuron of each projection that has any there takes one
input axon and one list of synapses. A source neuron takes one output axon for each such list. Sources stay
with the host, which injects their messages.

A neuron counts as many compartments as it has ports. Inside a piece of a population the compartments are
numbered port by port, so that a dense projection ends on consecutive ones.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import ChipProgram
from compiler.ir.partitioned import Measures, Neurocore, Partition
from compiler.passes.deployable import not_deployable
from compiler.placement.bounds import lower_bounds
from compiler.placement.choosing import Packing, Partitioner, choose
from compiler.placement.needs import Needs, needs
from hw_models.chips.chip import Chip
from hw_models.chips.reading import chip as chip_of
from hw_models.diagnostics import BurstchipError

Indices = NDArray[np.int64]


def partition(
    code: ChipProgram,
    chip: Chip | None = None,
    *,
    rates: Mapping[str, Indices] | None = None,
    partitioner: Partitioner = "own",
) -> Partition:
    """The neurocores of a program on its target, or on another chip.

    `rates[population]` are messages of each neuron, in any one time; without them every neuron sends alike.
    `partitioner` is as `choose` takes it.

    Raises `BurstchipError`: BC351 to BC353 for what the chip does not have, BC350 where a neuron alone
    exceeds a limit, each with the limit and its source; and BC391 for a partitioner that is not installed.
    """
    chip = chip_of(code.target) if chip is None else chip
    problems = list(not_deployable(code, chip))
    if problems:
        raise BurstchipError(problems)
    counts = needs(code, chip, rates)
    packing = choose(counts, partitioner)
    return Partition(code, chip, neurocores(counts, packing), _measures(counts, packing))


def _measures(counts: Needs, packing: Packing) -> Measures:
    least = lower_bounds(counts)
    return Measures(
        packing.order,
        packing.read,
        packing.busiest,
        packing.traffic,
        packing.remote,
        least.neurocores,
        least.by_limit,
        least.remote,
    )


def neurocores(counts: Needs, packing: Packing) -> tuple[Neurocore, ...]:
    """The neurocores of a packing, and what they use."""
    cores = []
    for number, (part, sent) in enumerate(zip(packing.parts, packing.output_axons, strict=True)):
        pieces = counts.pieces(np.sort(part))
        used, formats, _ = counts.used(pieces)
        column, row = packing.tiles[number].tolist()
        cores.append(Neurocore(number, pieces, formats, {**used, "output_axons": sent}, (column, row)))
    return tuple(cores)
