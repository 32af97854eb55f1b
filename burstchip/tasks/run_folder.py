"""What a training writes into its folder, for the report and for later use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.files.json_file import write_json
from burstchip.files.recording import RecordingFile
from burstchip.interruption import uninterrupted
from burstchip.running.recording import Recording, Samples
from burstchip.running.run import Run, open_run
from burstchip.tasks.checkpoint import FILE
from burstchip.tasks.dataset import Dataset
from burstchip.tasks.own_data import data_path
from burstchip.tasks.presentation import Pictures, Presentation
from burstchip.variables import Selection, Variable
from compiler.ir.chip_program import ChipProgram, TaskCode
from compiler.whole_file import only_writer, under_way, write_whole
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC571": "a run folder in which another process trains"})

#: What a training writes in its course; none of an earlier run's must lie beside a later one's.
_WRITTEN = (
    "summary.json",
    "trained.burst",
    FILE,
    "history.json",
    "quantisation.json",
    "answers.safetensors",
    "weights_after.safetensors",
    "recording_after.nc",
)

#: How many test samples are recorded before and after learning, at most.
RECORDED_SAMPLES = 50
#: Samples of one call, which bounds the memory.
_SAMPLES_AT_ONCE = 5


@contextmanager
def held_folder(out: Path) -> Iterator[None]:
    """Keep other trainings out of the folder, which is made where missing, and removed if it stays empty.

    Raises `BurstchipError` BC571 where a live process trains in it. Raises OSError.
    """
    existed = out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        with only_writer(out) as held:
            if not held:
                raise BurstchipError(
                    Diagnostic(
                        "BC571",
                        f"another process trains in '{out}'",
                        required="a folder of its own for each training",
                        given=str(out),
                        hint="wait until it ends, or choose another folder",
                    )
                )
            yield
    finally:
        if not existed:
            with suppress(OSError):
                out.rmdir()


@contextmanager
def begun_run(out: Path) -> Iterator[Path]:
    """A folder for a training's first files, checkpoint included; at the end they replace an earlier run.

    If the block fails, the earlier run is as it was. Raises OSError.
    """
    with under_way(out / "run") as made:
        yield made
        with uninterrupted():
            for name in _WRITTEN:
                (out / name).unlink(missing_ok=True)
            # Last what --resume goes by.
            for entry in sorted(made.iterdir(), key=lambda entry: entry.name == FILE):
                entry.replace(out / entry.name)


def physical_weights(code: ChipProgram, run: Run) -> dict[str, NDArray[Any]]:
    """The weights that events see, in physical units: (post, pre) by the name of a dense projection.

    A sparse one has one value a synapse, and the ends of each under `pre:NAME` and `post:NAME`.
    """
    weights: dict[str, NDArray[Any]] = {}
    for projection in code.projections:
        physical = run.weights(projection.name).T.astype(np.float64) * projection.event_unit
        weights[projection.name] = np.ascontiguousarray(physical)
        if not projection.dense:
            weights[f"pre:{projection.name}"] = projection.pre
            weights[f"post:{projection.name}"] = projection.post
    return weights


def write_weights(path: Path, code: ChipProgram, run: Run) -> None:
    """Physical weights of every projection as safetensors, units and sizes of sparse ones in the metadata."""
    from safetensors.numpy import save

    metadata = {f"unit:{projection.name}": projection.weight_unit for projection in code.projections}
    sizes = {population.name: population.size for population in code.populations}
    for projection in code.projections:
        if not projection.dense:
            shape = [sizes[projection.target], sizes[projection.source]]
            metadata[f"shape:{projection.name}"] = json.dumps(shape)
    write_whole(path, save(physical_weights(code, run), metadata=metadata))


def write_quantisation(path: Path, code: ChipProgram) -> None:
    """The quantisation report as JSON."""
    write_json(
        path,
        [
            {
                "where": line.where,
                "parameter": line.parameter,
                "unit": line.unit,
                "requested": line.requested,
                "represented": line.represented,
                "relative_error": line.relative_error,
                "integers": line.integers,
            }
            for line in code.quantisation
        ],
    )


def recorded_variables(code: ChipProgram) -> tuple[Variable, ...]:
    """Events and, where there are any, bursts of every population."""
    return tuple(
        (population.name, output)
        for population in code.populations
        for output in ("events", "bursts")
        if output in population.program.outputs
    )


def recorded_samples(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The samples to record: the first of each class, then the second of each, and so on."""
    order = np.argsort(labels, kind="stable")
    _, starts = np.unique(labels[order], return_index=True)
    turn = np.empty(len(labels), dtype=np.int64)
    turn[order] = np.arange(len(labels)) - np.repeat(starts, np.diff([*starts, len(labels)]))
    chosen: NDArray[np.int64] = np.lexsort((labels, turn))[:RECORDED_SAMPLES].astype(np.int64)
    return chosen


def write_recording(
    path: Path, code: ChipProgram, trained: Run, backend: str, pictures: Pictures, artifact_sha256: str
) -> None:
    """Events and bursts of pictures of all classes, teacher and dendrites at work but all weights frozen.

    They begin with the neurons as the training left them and with no message under way.
    """
    assert code.task is not None
    shown = recorded_samples(pictures.labels)
    presentation = Presentation(code, pictures, shown, real=backend == "reference")
    plastic = [projection.name for projection in code.projections if projection.learning is not None]
    variables = recorded_variables(code)
    run = open_run(code, backend, record=variables, streams=presentation.streams, frozen=plastic)
    run.adopt(trained.state())
    steps = len(shown) * code.task.present
    selections = tuple(Selection(variable) for variable in variables)
    with RecordingFile(path, code, selections) as file:
        while run.clock < steps:
            begin = run.clock
            file.add(begin, run.advance(min(_SAMPLES_AT_ONCE * code.task.present, steps - begin)))
        samples = Samples(shown, pictures.labels[shown], np.array(run.readout, dtype=np.int64))
        found = Recording(code, backend, steps, {}, samples, run.events, run.bursts, ())
        file.finish(found, artifact_sha256)


def describe(dataset: Dataset, task: TaskCode, data_dir: Path | None) -> dict[str, Any]:
    """The data of a training for its summary; of a file also where it was and what it held."""
    found: dict[str, Any] = {
        "training_samples": len(dataset.train_images),
        "test_samples": len(dataset.test_images),
        "shape": list(dataset.shape),
        "range": [dataset.minimum, dataset.maximum],
    }
    if task.file is not None:
        path = data_path(task.data, task.file, data_dir).resolve()
        found |= {"file": str(path), "sha256": task.file.sha256, "test_share": task.file.test_share}
    return found


def confusion(labels: NDArray[np.int64], predictions: NDArray[np.int64], classes: int) -> list[list[int]]:
    """Counts [true class][class read out]."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return [[int(count) for count in row] for row in counts]


def write_results(out: Path, summary: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> None:
    """History first, then the summary, whose presence says that the run is complete."""
    write_json(out / "history.json", list(history))
    write_json(out / "summary.json", dict(summary))
