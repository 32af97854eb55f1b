"""`burstchip sweep`: a network at every point of a grid of its parameters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, output
from burstchip.cli.options import (
    Backend,
    Dask,
    Data,
    Epochs,
    Jobs,
    Json,
    Overwrite,
    Quiet,
    Resume,
    Seeds,
    Settings,
    Steps,
    Strict,
    out_folder,
)
from burstchip.cli.progress import progress

if TYPE_CHECKING:
    from burstchip.sweeps.results import Group, SweepResults

#: What a sweep ends with of which a point failed.
FAILED = 1
#: Rows of the table on the screen, and points whose messages are shown; files have all.
_MOST_ROWS, _MOST_FAILED = 40, 5


def sweep(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The network's YAML file; with --resume also the sweep's folder."
        ),
    ],
    grid: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE,...",
            help="Values of a parameter of the file; repeated, every combination is a point.",
        ),
    ] = None,
    draw: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Draw N points at random; a grid may then be a range, NAME=LOW..HIGH or NAME=log:LOW..HIGH.",
        ),
    ] = None,
    seeds: Seeds = None,
    out: Annotated[Path | None, out_folder()] = None,
    epochs: Epochs = None,
    steps: Steps = None,
    backend: Backend = "sim",
    jobs: Jobs = 1,
    dask: Dask = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    set_: Settings = None,
    data: Data = None,
    strict: Strict = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train, follow or run a network at every point of a grid, each with every seed, and compare.

    Whatever ends it, points that are done are kept; --resume does the rest, with the same results. Exit code
    1 where a point failed.
    """
    out = file if out is None and file.is_dir() else out

    def left() -> str:
        from burstchip.sweeps.description import FILE

        begun = out is not None and (out / FILE).is_file()
        kept = f"points that are done are in '{out}', --resume does the rest"
        return kept if begun else "nothing was written"

    with output(json=json, quiet=quiet, interrupted=left) as console:
        from burstchip.cli.checks import exclude, exclude_each_other, output_folder, settings, writing
        from burstchip.sweeps.sweeping import SweepOptions
        from burstchip.sweeps.sweeping import sweep as sweep_
        from burstchip.workers import Workers

        exclude_each_other(resume=resume, overwrite=overwrite)
        exclude_each_other(jobs=jobs > 1, dask=dask is not None)
        exclude(out is None, "an output is missing", "--out DIR", "none")
        assert out is not None
        if file.is_dir():
            given = {
                "--grid": grid,
                "--draw": draw,
                "--seeds": seeds,
                "--epochs": epochs,
                "--steps": steps,
                "--set": set_,
                "--data": data,
            }
            named = " ".join(option for option, value in given.items() if value is not None)
            alone = resume and out.absolute() == file.absolute()
            exclude(
                not alone or bool(named),
                f"'{file}' is a folder",
                "a network's file, or the folder of a sweep with --resume, alone",
                named or "a folder",
            )
        output_folder(out)
        options = SweepOptions(
            None if file.is_dir() else file,
            out,
            tuple(grid or ()),
            draw,
            seeds=None if seeds is None else range(1, seeds + 1),
            epochs=epochs,
            steps=steps,
            backend=backend,
            overrides=settings(set_),
            data_dir=data,
            strict=strict,
            resume=resume,
            overwrite=overwrite,
            workers=Workers(jobs, dask),
        )
        with progress("sweep", "preparing", quiet=quiet) as advance, writing(out):
            found = sweep_(options, lambda note, done, total: advance(done, total, note))
        _tell(found, out, console)
        failed = found.count("failed")
        console.result({"ok": not failed, "folder": str(out), **found.plain})
        if failed:
            raise typer.Exit(FAILED)


def _tell(found: SweepResults, out: Path, console: Output) -> None:
    from burstchip.sweeps.results import RESULTS, TABLE

    console.table(
        f"{Path(found.sweep.network).name}, backend {found.sweep.backend}",
        ["parameters"],
        ["points", "error"],
        "event rates",
        [_row(it) for it in found.groups[:_MOST_ROWS]],
    )
    for point, kept in found.failed[:_MOST_FAILED]:
        console.text(f"{point.text} failed: {kept.result.diagnostics[0]}")
    done, failed = found.count("done"), found.count("failed")
    best = found.best
    least = "" if best is None or len(found.groups) < 2 else f"; least error at {_named(best)}"
    console.text(f"{done} of {len(found.points)} points done, {failed} failed{least}")
    console.text(f"results in '{out}': {RESULTS}, {TABLE}, and a folder for each point")


def _named(it: Group) -> str:
    return ", ".join(f"{name}={value}" for name, value in it.parameters.items()) or "the file's own"


def _row(it: Group) -> tuple[str, str, str, str]:
    from burstchip.sweeps.results import spread

    rates = ", ".join(f"{name} {spread(values, 'Hz')}" for name, values in it.event_rates.items())
    points = f"{it.done}" + (f", {it.failed} failed" if it.failed else "")
    return _named(it), points, spread(it.errors, "%", 100.0), rates
