"""A sweep from its options to its results; begun, or gone on with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from burstchip.backends.available import require_backend
from burstchip.files.json_file import write_json
from burstchip.machine import version_of
from burstchip.sweeps.description import (
    FILE,
    MOST_POINTS,
    Description,
    read_description,
    require_same_sweep,
)
from burstchip.sweeps.grid import axes, checked_network
from burstchip.sweeps.point import POINTS, PointFolder
from burstchip.sweeps.results import PICTURE, PICTURE_SVG, WRITTEN, SweepResults, collect, write_results
from burstchip.sweeps.spreading import Tell, spread
from burstchip.sweeps.work import file_sha256, require_network
from burstchip.tasks.run_folder import held_folder
from burstchip.tasks.training import TRAINING_BACKENDS
from burstchip.workers import Workers, open_cluster
from compiler.ir.network import Network
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC893": "a sweep without points, or with too many",
        "BC896": "an option that does not go with what a sweep does",
    }
)

#: Without a chip's integers, but with a state that can be compared.
_RUNNING_BACKENDS = (*TRAINING_BACKENDS, "reference32")


@dataclass(frozen=True)
class SweepOptions:
    """What to sweep, where to, and how.

    `grid` are texts NAME=VALUE,VALUE,...; of its points `draw` are drawn, None: all are taken. `seeds` of
    None is the file's own seed. `network` of None goes on with the sweep in `out`, whatever else is given.
    """

    network: Path | None
    out: Path
    grid: Sequence[str] = ()
    draw: int | None = None
    seeds: Sequence[int] | None = None
    epochs: int | None = None
    steps: int | None = None
    backend: str = "sim"
    overrides: Mapping[str, str] = field(default_factory=dict)
    data_dir: Path | None = None
    strict: bool = False
    resume: bool = False
    overwrite: bool = False
    workers: Workers = field(default_factory=Workers)


def describe(options: SweepOptions) -> Description:
    """What the options stand for, checked with the network's file.

    Raises `BurstchipError`: BC890 to BC893, BC896, and what is wrong in the file.
    """
    assert options.network is not None
    grid = axes(options.grid, options.overrides, draws=options.draw is not None)
    network = checked_network(options.network, grid, options.overrides)
    work = _work_of(network)
    _require_length(options, work)
    found = Description(
        burstchip=version_of("burstchip"),
        network=str(options.network.resolve()),
        network_sha256=file_sha256(options.network),
        work=work,
        grid=grid,
        draw=options.draw,
        seeds=[network.seed] if options.seeds is None else list(options.seeds),
        overrides=dict(options.overrides),
        epochs=options.epochs,
        steps=options.steps,
        backend=options.backend,
        data=None if options.data_dir is None else str(options.data_dir.resolve()),
        strict=options.strict,
    )
    _require_points(found, [str(name) for name in network.parameters])
    return found


def _work_of(network: Network) -> Literal["train", "follow", "run"]:
    if network.task is not None:
        return "train"
    return "run" if network.protocol is None else "follow"


def _require_length(options: SweepOptions, work: str) -> None:
    """Raise BC896 where epochs, steps or the backend do not go with what is done at a point."""
    does = {
        "train": "trains the network's task",
        "follow": "follows the network's protocol",
        "run": "runs a network without a task",
    }[work]
    backends = _RUNNING_BACKENDS if work == "run" else TRAINING_BACKENDS
    problems = []
    for option, value, wanted in (
        ("--epochs", options.epochs, None if work == "train" else False),
        ("--steps", options.steps, work == "run"),
    ):
        given = value is not None
        if wanted is not None and given != wanted:
            required = f"{option} N" if wanted else f"no {option}"
            problems.append(
                Diagnostic(
                    "BC896",
                    f"the sweep {does}: {option} {'is missing' if wanted else 'means nothing there'}",
                    required=required,
                    given=f"{option} {value}" if given else "none",
                )
            )
    if options.backend not in backends:
        problems.append(
            Diagnostic(
                "BC896",
                f"the sweep {does}: backend '{options.backend}' keeps no state that could go on",
                required=", ".join(backends),
                given=options.backend,
            )
        )
    if problems:
        raise BurstchipError(problems)


def _require_points(found: Description, parameters: Sequence[str]) -> None:
    """Raise BC893 where there is nothing to vary, or too much."""
    has = f"parameters of the file are: {', '.join(parameters)}" if parameters else None
    if not found.grid and (len(found.seeds) == 1 or found.draw is not None):
        raise BurstchipError(
            Diagnostic(
                "BC893",
                "the sweep has nothing to vary",
                required="--grid NAME=VALUE,..., or --seeds N",
                given="neither",
                hint=has,
            )
        )
    if found.count <= MOST_POINTS and found.draw is not None:
        there = len(found.points) // len(found.seeds)
        if there < found.draw:
            raise BurstchipError(
                Diagnostic(
                    "BC893",
                    f"the grid does not have {found.draw:,} different points",
                    required=f"--draw {there}, or a larger grid",
                    given=f"--draw {found.draw}",
                )
            )
    if found.count > MOST_POINTS:
        sizes = " x ".join(str(len(axis.values)) for axis in found.grid) or "1"
        sizes = sizes if found.draw is None else f"{found.draw:,} drawn"
        raise BurstchipError(
            Diagnostic(
                "BC893",
                f"the sweep has {found.count:,} points",
                required=f"up to {MOST_POINTS:,}",
                given=f"{sizes} x {len(found.seeds)} seeds",
            )
        )


def sweep(options: SweepOptions, tell: Tell | None = None) -> SweepResults:
    """Do all points of a sweep that are not done yet, and write what came of it into its folder.

    Points that are done stay when anything ends the sweep, and results are written then too. Raises
    `BurstchipError`: what `describe` does, BC894 and BC895 for a folder that does not fit, and what `spread`
    does. Raises OSError.
    """
    there = _sweep_is_there(options)
    if options.network is None:
        now = read_description(options.out)
        require_backend(now.backend)
        require_network(now)
    else:
        require_backend(options.backend)
        now = describe(options)
        if there and options.resume:
            require_same_sweep(options.out, read_description(options.out), now)
    if options.workers.dask is not None:
        # Before anything is removed or written.
        open_cluster(options.workers.dask).close()
    with held_folder(options.out):
        if there and options.overwrite:
            _clear(options.out)
        if not there or options.overwrite:
            write_json(options.out / FILE, now.plain)
        folders = [PointFolder(options.out.resolve(), now, point) for point in now.points]
        with _collected(options.out, folders):
            spread([it for it in folders if not it.done], options.workers, tell)
        return collect(folders)


def _sweep_is_there(options: SweepOptions) -> bool:
    """Whether the folder holds a sweep. Raises BC895 where it must not be used."""
    out = options.out
    # What interrupted writers left is hidden.
    there = [it for it in out.iterdir() if not it.name.startswith(".")] if out.is_dir() else []
    ours = (out / FILE).is_file()
    if there and not (ours and (options.resume or options.overwrite)):
        raise BurstchipError(
            Diagnostic(
                "BC895",
                f"'{out}' holds {'a sweep' if ours else 'something else'}",
                required="an empty or new folder",
                given="the folder of a sweep" if ours else "another folder",
                hint="--resume goes on with it, --overwrite replaces it" if ours else "name another folder",
            )
        )
    return ours


def _clear(out: Path) -> None:
    """Remove an earlier sweep, its description last, so that what is left is still known as one."""
    shutil.rmtree(out / POINTS, ignore_errors=True)
    for name in (*WRITTEN, FILE):
        (out / name).unlink(missing_ok=True)


@contextmanager
def _collected(out: Path, folders: Sequence[PointFolder]) -> Iterator[None]:
    """Write the results of what is done, however the block ends. Raises OSError."""
    try:
        yield
    finally:
        from burstchip.sweeps.picture import draw

        found = collect(folders)
        drawn = draw(found)
        pictures = {} if drawn is None else {PICTURE: drawn.png, PICTURE_SVG: drawn.svg}
        write_results(out, found, pictures)
