"""`burstchip train`: learn the network's task."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from burstchip.cli.console import Output, output
from burstchip.cli.options import (
    Backend,
    Data,
    Epochs,
    Json,
    Overwrite,
    Quiet,
    Resume,
    Seed,
    Settings,
    Strict,
    out_folder,
)
from burstchip.cli.progress import progress
from burstchip.cli.wording import weight_form

if TYPE_CHECKING:
    from burstchip.tasks.epochs import TrainProgress


def train(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The network's YAML file; with --resume also the folder itself."),
    ],
    out: Annotated[Path | None, out_folder()] = None,
    seed: Seed = None,
    epochs: Epochs = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    backend: Backend = "sim",
    freeze: Annotated[
        list[str] | None,
        typer.Option(metavar="PROJECTION", help="A projection that does not learn; may be repeated."),
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="RUN", help="Start with the weights that the training in RUN learned."
        ),
    ] = None,
    data: Data = None,
    set_: Settings = None,
    strict: Strict = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train a network online, sample by sample, and write the results, with checkpoints, into DIR.

    --resume goes on with the options of the start; --epochs, if given, is the new total number of epochs.
    """
    out = file if out is None and file.is_dir() else out
    before = None if resume or out is None else _checkpoint(out)

    def left() -> str:
        saved = out is not None and _checkpoint(out) not in (None, before)
        return f"the checkpoint is in '{out}', --resume continues from it" if saved else "nothing was written"

    with output(json=json, quiet=quiet, interrupted=left) as console:
        from burstchip.backends.available import require_backend
        from burstchip.cli.checks import exclude, exclude_each_other, output_folder, settings, writing
        from burstchip.tasks.train_options import TrainOptions, options_of
        from burstchip.tasks.training import train as train_

        exclude_each_other(resume=resume, overwrite=overwrite)
        exclude(out is None, "an output is missing", "--out DIR", "none")
        assert out is not None
        whole_folder = file.is_dir()
        exclude(
            whole_folder and not (resume and out.absolute() == file.absolute()),
            f"'{file}' is a folder",
            "a network's file, or the folder of a training with --resume",
            "a folder",
        )
        require_backend(backend)
        output_folder(out)
        start = options_of(file) if whole_folder else TrainOptions(file, out, backend=backend)
        options = replace(
            start,
            seed=start.seed if seed is None else seed,
            epochs=epochs,
            resume=resume,
            overwrite=overwrite,
            backend=start.backend if backend == "sim" else backend,
            frozen=tuple(freeze or start.frozen),
            data_dir=data,
            overrides={**start.overrides, **settings(set_)},
            strict=strict,
            start_from=start_from,
        )
        with progress("training", "preparing", quiet=quiet) as advance, writing(out):

            def watch(state: TrainProgress) -> None:
                error = f"epoch {state.epoch}/{state.epochs}, running error {100 * state.running_error:.2f} %"
                advance(state.samples_done, state.samples_total, error)

            summary = train_(options, watch)
        for note in summary["diagnostics"]:
            print(note, file=sys.stderr, flush=True)
        _tell(summary, out, console)
        console.result(summary)


def _checkpoint(out: Path) -> tuple[int, int] | None:
    """What tells the checkpoint in a folder from an earlier one; None where there is none."""
    from burstchip.tasks.checkpoint import FILE

    with suppress(OSError):
        found = (out / FILE).stat()
        return found.st_ino, found.st_mtime_ns
    return None


def _tell(summary: dict[str, Any], out: Path, console: Output) -> None:
    train_error = summary["train_error"]
    lines = {
        "task": f"{summary['task']}, {summary['epochs']} epochs, seed {summary['seed']}",
        "run with": f"{weight_form(summary['weight_form'])}, backend {summary['backend']}",
        "training error": "none" if train_error is None else f"{100 * train_error:.2f} %",
        "test error": f"{100 * summary['test_error']:.2f} %",
        "speed": f"{summary['samples_per_second']:,.0f} samples/s, "
        f"{summary['synaptic_events_per_second']:,.3g} synaptic events/s",
        "state": summary["state_sha256"],
    }
    started = summary.get("started_with")
    if started is not None:
        lines["started with"] = f"trained weights of epoch {started['epoch']}"
    for name, text in lines.items():
        console.text(f"{name:<14}  {text}")
    console.text(f"results in '{out}'; now: burstchip report {out}")
