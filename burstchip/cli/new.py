"""`burstchip new`: a network to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from burstchip.cli.console import output
from burstchip.cli.options import Json, Quiet


def new(
    name: Annotated[
        str | None, typer.Argument(metavar="TEMPLATE", help="One of those that --list names.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to write network.yaml; created if missing.")
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Name the templates, one a line.")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write a network to begin with: DIR/network.yaml. Nothing is ever overwritten."""
    with output(json=json, quiet=quiet) as out:
        from burstchip.cli.checks import exclude
        from burstchip.templates import all_templates, write_template

        exclude(
            list_them and name is not None,
            "--list cannot be combined with TEMPLATE and DIR",
            "--list, or TEMPLATE DIR",
            "both",
        )
        if list_them:
            known = all_templates()
            width = max(len(template.name) for template in known)
            for template in known:
                out.text(f"{template.name:<{width}}  {template.doc}")
            out.result({"ok": True, "templates": {template.name: template.doc for template in known}})
            return
        if name is None or folder is None:
            exclude(
                True,
                "a template and a folder are missing" if name is None else "a folder is missing",
                "TEMPLATE DIR, or --list",
                name or "neither",
            )
            return
        path = write_template(name, folder)
        out.text(f"{path} written; now: burstchip train {path} --out {folder / 'run'}")
        out.result({"ok": True, "network": str(path)})
