"""`burstchip calibrate`: what a network's ports and states reach, and what its neurons send."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, as_json, output
from burstchip.cli.options import (
    Data,
    Duration,
    Json,
    NetworkFile,
    Quiet,
    Seed,
    Settings,
    Steps,
    Streams,
    out_file,
)

if TYPE_CHECKING:
    from compiler.ir.calibration import Calibration


def calibrate(
    file: NetworkFile,
    steps: Steps = None,
    duration: Duration = None,
    bounds: Annotated[
        bool,
        typer.Option("--bounds", help="In place of a run: every source at its worst, by interval analysis."),
    ] = False,
    target: Annotated[Path | None, out_file("calibration.json")] = None,
    set_: Settings = None,
    seed: Seed = None,
    stream: Streams = None,
    data: Data = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Find out what ports and states reach, for `burstchip compile --calibrate` to choose integers by.

    The network runs in real numbers, as `reference` runs it, learning as it goes; one with a task is shown
    its training samples.
    """
    with output(json=json, quiet=quiet, interrupted="nothing was written") as out:
        from burstchip.cli.calibrations import by_bounds, by_run
        from burstchip.cli.checks import exclude, output_file, settings, steps_of, streams, writing
        from burstchip.files.calibration import write_calibration
        from burstchip.frontend import load
        from hw_models.diagnostics import BurstchipError, Diagnostic

        if target is not None:
            output_file(target, file)
        timed = steps is not None or duration is not None
        exclude(bounds and timed, "bounds have no length", "--bounds, --steps N or --duration TIME", "both")
        given = streams(stream)
        loaded = load(file, settings(set_), seed)
        if loaded.network is None:
            raise BurstchipError(loaded.diagnostics)
        network, notes = loaded.network, list[Diagnostic]()
        if bounds:
            found = by_bounds(network, quiet=quiet)
        else:
            count = steps_of(steps, duration, network.step)
            found = by_run(network, count, quiet=quiet, notes=notes, data=data, streams=given)
        messages = (*loaded.diagnostics, *notes)
        out.messages(messages)
        if target is not None:
            with writing(target):
                write_calibration(target, found)
        _show(found, out)
        if target is not None:
            out.text(str(target))
        out.result(
            {
                "ok": True,
                "output": None if target is None else str(target),
                "origin": found.origin,
                "steps": found.steps,
                "reaches": [vars(it) for it in found.reaches],
                "rates": {
                    f"{it.population}.{it.output}": found.rate(it.population, it.output) for it in found.sent
                },
                "diagnostics": as_json(messages),
            }
        )


def _show(found: Calibration, out: Output) -> None:
    rows = [
        (
            f"{it.population}.{it.variable}",
            it.kind,
            f"{it.low:.4g}",
            f"{it.high:.4g}",
            "-" if it.rms is None else f"{it.rms:.4g}",
            it.unit,
        )
        for it in found.reaches
    ]
    over = "at the worst" if found.origin == "bounds" else f"in {found.steps:,} steps"
    out.table(f"Reached {over}", ("variable", "kind"), ("least", "greatest", "rms"), "unit", rows)
    rates = [
        (f"{it.population}.{it.output}", f"{found.rate(it.population, it.output):.4g}", "")
        for it in found.sent
    ]
    if rates:
        out.table("Sent, messages a second", ("output",), ("mean of a neuron",), "", rates)
