"""`burstchip report`: the page and the pictures of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from burstchip.cli.console import output
from burstchip.cli.options import Json, Quiet
from burstchip.cli.progress import progress


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that `burstchip train` wrote.")],
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write DIR/report.html, a self-contained page, and its pictures as files."""
    with output(json=json, quiet=quiet) as out:
        from burstchip.report import write_report

        with progress("drawing the pictures", quiet=quiet):
            page = write_report(folder)
        out.text(str(page))
        out.result({"ok": True, "page": str(page)})
