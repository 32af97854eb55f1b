"""partition: populations to neurocores, within every limit of the chip. ChipProgram in, Partition out.

Neurons of one kind, which run one program and learn at one epoch, may share a neurocore. Synapses lie on
the neurocore of their target neuron: each source neuron of each projection that has any there takes one
input axon and one list of synapses. A source neuron takes one output axon for each such list. Sources stay
with the host, which injects their messages.

A neuron counts as many compartments as it has ports. Inside a piece of a population the compartments are
numbered port by port, so that a dense projection ends on consecutive ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import ChipProgram
from compiler.ir.partitioned import Neurocore, Partition
from compiler.passes.deployable import not_deployable
from compiler.placement.needs import Needs, needs
from compiler.placement.packing import pack, spread_output
from hw_models.chips.chip import Chip
from hw_models.chips.chip import chip as chip_of
from hw_models.diagnostics import BurstchipError

Indices = NDArray[np.int64]


def partition(code: ChipProgram, chip: Chip | None = None) -> Partition:
    """The neurocores of a program on its target, or on another chip.

    Raises `BurstchipError`: BC351 to BC353 for what the chip does not have, BC350 where a neuron alone
    exceeds a limit; each names the limit and its source.
    """
    chip = chip_of(code.target) if chip is None else chip
    problems = list(not_deployable(code, chip))
    if problems:
        raise BurstchipError(problems)
    counts = needs(code, chip)
    parts: list[Indices] = []
    for kind in range(int(counts.kinds.max(initial=-1)) + 1):
        parts += pack(counts, np.flatnonzero(counts.kinds == kind))
    parts, axons = spread_output(counts, parts)
    return Partition(code, chip, neurocores(counts, parts, axons))


def neurocores(counts: Needs, parts: list[Indices], output_axons: list[int]) -> tuple[Neurocore, ...]:
    """The neurocores that hold these neurons, and what they use."""
    cores = []
    for number, (part, sent) in enumerate(zip(parts, output_axons, strict=True)):
        pieces = counts.pieces(np.sort(part))
        used, formats, _ = counts.used(pieces)
        cores.append(Neurocore(number, pieces, formats, {**used, "output_axons": sent}))
    return tuple(cores)
