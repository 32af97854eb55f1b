"""`burstchip deploy`: what would be sent to a chip."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, output
from burstchip.cli.options import ChipName, Json, Overwrite, ProgramOrNetwork, Quiet, out_folder

if TYPE_CHECKING:
    from burstchip.backends.loihi2.deploy import DryRun


class PartitionerChoice(str, Enum):
    """Who finds the neurons that belong together."""

    own = "own"
    mtkahypar = "mtkahypar"


def deploy(
    artifact: ProgramOrNetwork,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write what would be sent into a folder, and send nothing.")
    ] = False,
    folder: Annotated[Path | None, out_folder()] = None,
    rates: Annotated[
        Path | None,
        typer.Option(
            "--rates",
            metavar="RECORDING",
            help="Weight connections with how often neurons send in this recording.",
        ),
    ] = None,
    partitioner: Annotated[
        PartitionerChoice,
        typer.Option(
            "--partitioner", help="Who joins neurons: burstchip alone, or beside it mtkahypar, if installed."
        ),
    ] = PartitionerChoice.own,
    overwrite: Overwrite = False,
    chip: ChipName = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Lay an artifact out over the neurocores of its target, and write what would be sent there.

    Without --dry-run it says what is missing to reach a board.
    """
    with output(json=json, quiet=quiet, interrupted="nothing was written") as out:
        from burstchip.backends.loihi2.deploy import refuse_sending, write_deployment
        from burstchip.backends.loihi2.folder import refuse_taken
        from burstchip.chip_file import chip_of
        from burstchip.cli.checks import exclude, output_folder, writing
        from burstchip.cli.program import load_or_compile
        from compiler.places import locating

        if not dry_run:
            raise refuse_sending()
        exclude(folder is None, "an output is missing", "-o DIR", "none")
        assert folder is not None
        output_folder(folder)
        refuse_taken(folder, overwrite=overwrite)
        other = None if chip is None else chip_of(chip)
        code, sha256, network = load_or_compile(artifact, out)
        counts = None
        if rates is not None:
            from burstchip.files.event_counts import read_event_counts

            counts = read_event_counts(rates, code)
        with writing(folder), locating(network):
            written = write_deployment(
                code, folder, overwrite=overwrite, chip=other, rates=counts, partitioner=partitioner.value
            )
        measures = written.partition.measures
        _tell(written, out, "if every neuron sends in a step" if rates is None else f"in all of {rates}")
        if counts is not None:
            silent = [it.name for it in code.populations if it.name not in counts]
            if silent:
                out.text(f"assumed to send once, since not recorded: {', '.join(silent)}")
        out.text(f"{folder}: sha256 of the artifact {sha256}; nothing was sent")
        out.result(
            {
                "ok": True,
                "deployment": str(folder),
                "artifact_sha256": sha256,
                "chip": written.chip.name,
                "neurocores": len(written.partition.cores),
                "chips": written.chips,
                "least_neurocores": measures.least_neurocores,
                "least_by_limit": dict(measures.least_by_limit),
                "order": measures.order,
                "words_read": measures.words_read,
                "busiest_link": measures.busiest_link,
                "traffic": measures.traffic,
                "remote": measures.remote,
                "least_remote": measures.least_remote,
                "host": list(written.host),
                "fill": {
                    fill.fact.name: {
                        "core": None if fill.core is None else fill.core.number,
                        "used": fill.used,
                        "limit": fill.fact.value,
                        "source": fill.fact.source,
                        "status": fill.fact.status,
                    }
                    for fill in written.fills
                },
                "assumed": list(written.assumed),
            }
        )


def _tell(written: DryRun, out: Output, when: str) -> None:
    cores = len(written.partition.cores)
    per_chip = written.chip["neurocores"]
    chips = "one chip" if written.chips == 1 else f"{written.chips} chips"
    out.text(f"{written.chip.title}: {cores} of {per_chip.value * written.chips} neurocores of {chips}")
    if written.host:
        out.text(f"the host sends the events of {', '.join(written.host)}")
    out.text("the fullest neurocores:")
    rows = [("limit", "used", "of", "fill", "where", "source of the limit")]
    for fill in written.fills:
        where = "-" if fill.core is None else f"core {fill.core.number} ({fill.core.names})"
        share = f"{100 * fill.share:.1f} %"
        name = fill.fact.name.replace("_", " ")
        rows.append((name, f"{fill.used:,}", f"{fill.fact.value:,}", share, where, fill.fact.origin))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [
            cell.rjust(width) if column in (1, 2, 3) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        out.text(f"  {'  '.join([*cells, row[5]])}")
    measures = written.partition.measures
    gap = f", {100 * written.partition.gap:.1f} % more than needed" if written.partition.gap else ""
    out.text(f"lower bound: {measures.least_neurocores} neurocores{gap}")
    out.text(
        f"{when}: {measures.remote:,} messages to other neurocores, "
        f"at least {measures.least_remote:,}; {measures.busiest_link:,} on the busiest link, "
        f"{measures.traffic:,} on all"
    )
    out.text(f"assumed, since not public: {', '.join(a.replace('_', ' ') for a in written.assumed)}")
