"""`burstchip report`: the page and the pictures of a training, or of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from burstchip.cli.console import output
from burstchip.cli.options import Json, Quiet, out_file
from burstchip.cli.progress import progress


def report(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="The folder that `burstchip train` wrote, or a recording of `burstchip run`."
        ),
    ],
    out_path: Annotated[Path | None, out_file("FILE.html")] = None,
    neuron: Annotated[
        str | None,
        typer.Option(metavar="NEURON", help="Of a recording: whose potentials to show, such as cells[3]."),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write a self-contained page of pictures: PATH/report.html, or of a recording FILE.html."""
    with output(json=json, quiet=quiet) as out:
        from burstchip.cli.checks import exclude

        is_recording = path.is_file()
        exclude(
            not is_recording and (out_path is not None or neuron is not None),
            "-o and --neuron are of a recording",
            "a recording of `burstchip run`",
            f"'{path}'",
        )
        with progress("drawing the pictures", quiet=quiet):
            if is_recording:
                from burstchip.report.watched_page import write_watched_page

                page = write_watched_page(path, out_path or path.with_suffix(".html"), neuron)
            else:
                from burstchip.report import write_report

                page = write_report(path)
        out.text(str(page))
        out.result({"ok": True, "page": str(page)})
