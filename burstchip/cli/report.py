"""`burstchip report`: the page and the pictures of a training, or of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, output
from burstchip.cli.options import Json, Quiet, out_file
from burstchip.cli.progress import progress

if TYPE_CHECKING:
    from burstchip.backends.loihi2.deploy import DryRun
    from hw_models.diagnostics import Diagnostic


def report(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="The folder that `burstchip train` wrote, a recording of `burstchip run`, or an artifact.",
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
    """Write a self-contained page of pictures: PATH/report.html, or of a file FILE.html.

    Of an artifact it shows the neurocores, what rounding did, the certificate and the rules.
    """
    with output(json=json, quiet=quiet) as out:
        from burstchip.cli.checks import exclude, output_file
        from compiler.artifact import is_like_artifact

        is_artifact = path.is_file() and is_like_artifact(path)
        exclude(
            not path.is_file() and out_path is not None,
            "-o is of a file",
            "a recording of `burstchip run`, or an artifact",
            f"'{path}'",
        )
        exclude(
            (is_artifact or not path.is_file()) and neuron is not None,
            "--neuron is of a recording",
            "a recording of `burstchip run`",
            f"'{path}'",
        )
        if out_path is not None:
            output_file(out_path, path)
        if is_artifact:
            page = _of_artifact(path, out_path or path.with_suffix(".html"), out, quiet=quiet)
            out.text(str(page))
            out.result({"ok": True, "page": str(page)})
            return
        with progress("drawing the pictures", quiet=quiet):
            if path.is_file():
                from burstchip.report.watched_page import write_watched_page

                page = write_watched_page(path, out_path or path.with_suffix(".html"), neuron)
            else:
                from burstchip.report import write_report

                page = write_report(path)
        out.text(str(page))
        out.result({"ok": True, "page": str(page)})


def _of_artifact(path: Path, page: Path, out: Output, *, quiet: bool) -> Path:
    from burstchip.backends.integers import require_integers
    from burstchip.backends.loihi2.deploy import plan
    from burstchip.cli.program import load
    from burstchip.report.deployment_page import Deployment, write_deployment_page
    from compiler.passes.certify import certify
    from hw_models.diagnostics import BurstchipError

    code, sha256 = load(path, out)
    require_integers(code)
    planned: DryRun | None = None
    left_out: tuple[Diagnostic, ...] = ()
    try:
        planned = plan(code)
    except BurstchipError as error:
        # The rest of the page is of use all the same.
        left_out = error.diagnostics
    with progress("proving", "preparing", quiet=quiet) as advance:
        proof = certify(code, "limits", advance)
    found = Deployment(code, sha256, planned, proof, left_out)
    return write_deployment_page(found, page, f"burstchip report {path} -o {page}")
