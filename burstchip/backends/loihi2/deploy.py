"""Deployment of an artifact: a dry run writes what would be sent; sending is refused, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.integers import require_integers
from burstchip.backends.loihi2.folder import write_folder
from burstchip.backends.loihi2.images import build_images
from burstchip.backends.loihi2.stack import ACCESS, missing
from burstchip.chip_file import chip_of
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram
from compiler.ir.partitioned import LIMITS, Neurocore, Partition
from compiler.pipeline import partition_program
from compiler.placement.choosing import Partitioner
from hw_models.chips.chip import Chip, Fact
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC570": "a deployment that cannot be sent from here"})

#: Beside the facts of the chip file: what no public text says of any Loihi.
LAYOUT = "order of the fields inside a block of synaptic memory"


#: By population, messages of each neuron in any one time.
Rates = Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Fill:
    """A limit of a neurocore, and the neurocore that comes nearest to it; None where there is none."""

    fact: Fact
    core: Neurocore | None

    @property
    def used(self) -> int:
        """How much that neurocore uses."""
        return 0 if self.core is None else self.core.used[self.fact.name]

    @property
    def share(self) -> float:
        """The used part of the limit."""
        return self.used / self.fact.value


@dataclass(frozen=True)
class DryRun:
    """What a dry run wrote, and how full it makes the chip."""

    partition: Partition
    host: tuple[str, ...]
    artifact_sha256: str

    @property
    def chip(self) -> Chip:
        """The chip it is for."""
        return self.partition.chip

    @property
    def fills(self) -> tuple[Fill, ...]:
        """The worst fill of each limit."""
        cores = self.partition.cores
        return tuple(
            Fill(self.chip[name], max(cores, key=lambda core: core.used[name], default=None))
            for name in LIMITS
        )

    @property
    def chips(self) -> int:
        """How many chips have so many neurocores."""
        return -(-len(self.partition.cores) // self.chip["neurocores"].value)

    @property
    def assumed(self) -> tuple[str, ...]:
        """What is not public."""
        return (*self.chip.assumed, LAYOUT)


def plan(
    code: ChipProgram,
    chip: Chip | None = None,
    rates: Rates | None = None,
    partitioner: Partitioner = "own",
) -> DryRun:
    """How a program would lie on its target or on `chip`; `rates` weigh what each neuron sends.

    `partitioner` is as `partition` takes it. Raises `BurstchipError` BC350 to BC353, BC391, BC555.
    """
    require_integers(code)
    sources = tuple(p.name for p in code.populations if p.is_source)
    placed = partition_program(code, chip=chip, rates=rates, partitioner=partitioner)
    return DryRun(placed, sources, artifact_sha256(code))


def write_deployment(
    code: ChipProgram,
    folder: Path,
    *,
    overwrite: bool = False,
    chip: Chip | None = None,
    rates: Rates | None = None,
    partitioner: Partitioner = "own",
) -> DryRun:
    """Write into `folder` what would be sent to the program's target or another chip, whole or not at all.

    `rates` and `partitioner` are as `plan` takes them.

    Raises `BurstchipError` BC350 to BC353 where the chip cannot hold the program, and BC413 where `folder`
    holds anything else, or another deployment and not `overwrite`. Raises OSError.
    """
    planned = plan(code, chip, rates, partitioner)
    other: dict[str, object] = {}
    if planned.chip.own or planned.chip.name != code.target:
        other["target"] = code.target
    if planned.chip.own:
        # It is not known where the folder is read.
        other["compartments"] = planned.chip["compartments"].value
    manifest = {
        "name": code.name,
        "chip": planned.chip.name,
        "seed": code.seed,
        "artifact_sha256": planned.artifact_sha256,
        "populations": [population.name for population in code.populations],
        "projections": [projection.name for projection in code.projections],
        "assumed": list(planned.assumed),
        **other,
    }
    write_folder(build_images(planned.partition), manifest, folder, overwrite=overwrite)
    return planned


def deploy(
    code: ChipProgram,
    folder: Path,
    *,
    dry_run: bool = False,
    overwrite: bool = False,
    chip: str | None = None,
) -> DryRun:
    """Lay a program out over the neurocores of its target and, as a dry run, write what would be sent.

    `chip`, the name of a chip or of a chip file, takes the target's place. Raises `BurstchipError` BC570,
    which says what is missing to reach a board, unless `dry_run`; else as `chip_of` and `write_deployment`.
    """
    if not dry_run:
        raise refuse_sending()
    other = None if chip is None else chip_of(chip)
    return write_deployment(code, folder, overwrite=overwrite, chip=other)


def refuse_sending() -> BurstchipError:
    """BC570: what is missing here to send anything to a board."""
    return BurstchipError(
        Diagnostic(
            "BC570",
            "this machine cannot send to a Loihi 2",
            required="; ".join(missing()),
            given="deploy without --dry-run",
            hint=f"--dry-run writes what would be sent. {ACCESS}",
        )
    )
