"""`burstchip export`: from a network file to a NIR file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from burstchip.cli.console import as_json, output
from burstchip.cli.options import (
    Integration,
    IntegrationChoice,
    Json,
    NetworkFile,
    Quiet,
    Seed,
    Settings,
    out_file,
)


def export(
    file: NetworkFile,
    nir: Annotated[Path | None, out_file("net.nir")] = None,
    set_: Settings = None,
    seed: Seed = None,
    integration: Integration = IntegrationChoice.euler,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write a network as a NIR file, for other platforms.

    What NIR cannot say of it is an error with its place; what the file leaves out is reported.
    """
    with output(json=json, quiet=quiet) as out:
        from burstchip.cli.checks import exclude, output_file, settings, writing
        from burstchip.frontend import load_network
        from burstchip.nir.exporting import export_nir

        if nir is None:
            exclude(True, "an output is missing", "-o net.nir", "none")
            return
        network = load_network(file, settings(set_), seed)
        output_file(nir, file)
        with writing(nir):
            found = export_nir(network, nir, integration.value)
        out.messages(found.notes)
        out.text(f"{nir}: {found.nodes} nodes, {found.edges} edges")
        out.result(
            {
                "ok": True,
                "file": str(nir),
                "nodes": found.nodes,
                "edges": found.edges,
                "diagnostics": as_json(found.notes),
            }
        )
