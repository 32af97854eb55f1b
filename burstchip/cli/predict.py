"""`burstchip predict`: what a trained network says of samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, as_json, output
from burstchip.cli.options import Backend, Json, Quiet, out_file
from burstchip.cli.progress import progress

if TYPE_CHECKING:
    from burstchip.tasks.prediction import Predictions

#: So many samples are shown one by one.
_FEW = 20


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder that `burstchip train` wrote.")],
    data: Annotated[
        Path,
        typer.Option(
            "--data", metavar="FILE", help="Samples: a .npz file with x, perhaps y, or a .npy file."
        ),
    ],
    target: Annotated[Path | None, out_file("out.csv|out.json")] = None,
    maximum: Annotated[
        float | None,
        typer.Option(metavar="VALUE", help="The value of full intensity, in place of the training data's."),
    ] = None,
    backend: Backend = "sim",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Classify samples of your own with the weights that a training learned; nothing learns."""
    with output(json=json, quiet=quiet, interrupted="nothing was written") as out:
        from burstchip.backends.available import require_backend
        from burstchip.cli.checks import output_file, writing
        from burstchip.files.predictions import as_values, check_kind, write_predictions
        from burstchip.tasks.prediction import predict as predict_
        from burstchip.tasks.samples_file import read_samples

        require_backend(backend)
        if target is not None:
            check_kind(target)
            output_file(target, data)
        samples = read_samples(data)
        with progress(f"showing {data.name}", "preparing", quiet=quiet) as advance:
            found = predict_(
                run,
                samples,
                maximum=maximum,
                backend=backend,
                watch=lambda done, total: advance(done, total, f"{done:,} samples"),
            )
        out.messages(found.diagnostics)
        if target is not None:
            with writing(target):
                write_predictions(target, found)
        out.text(f"{run}: {found.learned.text}")
        shape = " x ".join(map(str, samples.shape))
        low, high = found.values
        out.text(
            f"{data}: {len(found.predicted):,} samples of {shape} values from {low:g} to {high:g}; "
            f"{found.maximum:g} is shown at full intensity, backend {backend}"
        )
        _show(found, out)
        if target is not None:
            out.text(str(target))
        out.result(
            {
                "ok": True,
                "output": None if target is None else str(target),
                **as_values(found),
                "diagnostics": as_json(found.diagnostics),
            }
        )


def _show(found: Predictions, out: Output) -> None:
    """Each sample where there are few, else how often each class was read out; then the accuracy."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    labels = found.labels
    if len(found.predicted) <= _FEW:
        heads = ["sample", "predicted", *(["label"] if labels is not None else [])]
        columns = [range(len(found.predicted)), found.predicted, *([labels] if labels is not None else [])]
        rows = [list(row) for row in zip(*columns, strict=True)]
    else:
        heads = ["class", "predicted", *(["label", "correct"] if labels is not None else [])]
        rows = []
        for number in range(found.n_classes):
            chosen = found.predicted == number
            row = [number, int(chosen.sum())]
            if labels is not None:
                of = labels == number
                row += [int(of.sum()), int((chosen & of).sum())]
            rows.append(row)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for cells in rows:
        table.add_row(*map(str, cells))
    out.show(table)
    if found.accuracy is not None and found.interval is not None:
        low, high = (f"{100 * end:.2f} %" for end in found.interval)
        counts = f"{found.correct:,} of {len(found.predicted):,}"
        out.text(f"accuracy {100 * found.accuracy:.2f} % ({counts}), 95 % interval {low} to {high}")
