"""`burstchip precision`: what fewer bits of learned weights cost."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, output
from burstchip.cli.options import Data, Json, Quiet, out_file
from burstchip.cli.progress import progress

if TYPE_CHECKING:
    from burstchip.precision import Losses


def precision(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="The folder of a training, or of a seed that `burstchip follow` wrote."
        ),
    ],
    bits: Annotated[
        str,
        typer.Option("--bits", metavar="LIST", help="Bits of a weight, 1 to 8, between commas."),
    ] = "4,6,8",
    draws: Annotated[
        int, typer.Option("--draws", metavar="N", min=1, max=100, help="How often noise is drawn to predict.")
    ] = 5,
    target: Annotated[Path | None, out_file("precision.json")] = None,
    data: Data = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Tell what learned weights of fewer bits cost: predicted in real numbers, and actually, in integers.

    Predicted is the loss, in real numbers, of weights with noise as wide as a step of so many bits; actual is
    that of the integers. The loss is the test error of a task, the cost of the last round of a protocol.
    """
    with output(json=json, quiet=quiet, interrupted="nothing was written") as out:
        import os

        from burstchip.cli.checks import output_file, writing
        from burstchip.files.json_file import write_json
        from burstchip.precision import learned_program, losses, require_bits

        chosen = [int(it) if it.strip().isdecimal() else -1 for it in bits.split(",")]
        require_bits(chosen, bits)
        if target is not None:
            output_file(target, folder)
        code = learned_program(folder)
        with progress("precision", "preparing", quiet=quiet) as advance:
            workers = os.cpu_count() or 1
            found = losses(code, chosen, draws, data_dir=data, workers=workers, watch=advance)
        values = asdict(found)
        if target is not None:
            with writing(target):
                write_json(target, values)
        _show(found, out)
        if target is not None:
            out.text(str(target))
        out.result({"ok": True, "output": None if target is None else str(target), **values})


def _show(found: Losses, out: Output) -> None:
    share = found.what == "test error"

    def text(loss: float) -> str:
        return f"{100 * loss:.2f} %" if share else f"{loss:.4f}"

    rows = []
    for it in found.by_bits:
        spread = f"{text(min(it.predicted))} to {text(max(it.predicted))}"
        worst = max(it.lost.values(), default=0.0)
        rows.append(
            (
                f"{it.bits}",
                f"{100 * worst:.2g} %",
                text(statistics.fmean(it.predicted)),
                spread,
                text(it.actual),
            )
        )
    values = ("rounding", f"{found.what} predicted", "of the draws", "actual")
    out.table(
        f"Weights on fewer bits; {found.what} of exact ones {text(found.exact)}", ("bits",), values, "", rows
    )
