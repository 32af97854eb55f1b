"""`burstchip import`: from a NIR file to a network file."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from burstchip.cli.console import as_json, output
from burstchip.cli.options import Integration, IntegrationChoice, Json, Quiet, out_file


class ResetChoice(str, Enum):
    """What an event does to the potential; older files do not say it."""

    zero = "zero"
    subtract = "subtract"


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The .nir file.")],
    network: Annotated[Path | None, out_file("net.yaml")] = None,
    step: Annotated[
        str | None, typer.Option("--step", metavar="TIME", help="Length of a step, such as 1ms.")
    ] = None,
    integration: Integration = IntegrationChoice.euler,
    reset: Annotated[
        ResetChoice,
        typer.Option("--reset", help="An event sets v to v_reset (zero), or takes the threshold off it."),
    ] = ResetChoice.zero,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Make a network file of a NIR file, with the files of its weights beside it.

    What is assumed, rounded or left out is reported. What no network can say is an error with the node.
    """
    with output(json=json, quiet=quiet) as out:
        from burstchip.cli.checks import exclude, output_file, time_of, writing
        from burstchip.nir.importing import import_nir
        from burstchip.nir.neurons_in import Settings

        if network is None or step is None:
            missing = "an output is" if network is None else "the length of a step is"
            exclude(True, f"{missing} missing", "FILE --step 1ms -o net.yaml", "none")
            return
        settings = Settings(time_of(step, "--step"), integration.value, reset.value)
        output_file(network, file)
        with writing(network):
            found = import_nir(file, network, settings)
        out.messages(found.notes)
        beside = f" and {len(found.files) - 1} files of weights" if len(found.files) > 1 else ""
        out.text(f"{network}{beside}: {found.neurons:,} neurons, {found.synapses:,} synapses")
        out.result(
            {
                "ok": True,
                "files": [str(it) for it in found.files],
                "neurons": found.neurons,
                "synapses": found.synapses,
                "diagnostics": as_json(found.notes),
            }
        )
