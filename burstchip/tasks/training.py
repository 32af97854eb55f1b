"""Trains a network online, sample by sample, tests it after each epoch; can stop and go on at any time."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from burstchip.files.json_file import write_json
from burstchip.files.provenance import note_session
from burstchip.frontend.resolved import yaml_text
from burstchip.running.recording import clipped_inputs
from burstchip.running.run import Run, open_run
from burstchip.tasks.answers import FILE as ANSWERS
from burstchip.tasks.answers import write_answers
from burstchip.tasks.checkpoint import (
    FILE,
    save_checkpoint,
    state_sha256,
)
from burstchip.tasks.datasets import task_dataset
from burstchip.tasks.epochs import Training, Watch, epoch_line, other_schedule, resume, train_epoch
from burstchip.tasks.presentation import Presentation, pictures_of
from burstchip.tasks.resuming import (
    as_values,
    started,
)
from burstchip.tasks.run_folder import (
    begun_run,
    confusion,
    describe,
    held_folder,
    write_quantisation,
    write_recording,
    write_results,
    write_weights,
)
from burstchip.tasks.showing import Classified, classify, show
from burstchip.tasks.start_weights import starting_program
from burstchip.tasks.train_options import (
    TrainOptions,
    command_of,
    extension_of,
    frozen_projections,
    load_and_compile,
    with_epochs_of_the_start,
)
from burstchip.tasks.trained import TRAINED, UNTRAINED, trained_program
from compiler.artifact import artifact_sha256, save_artifact
from compiler.ir.chip_program import ChipProgram
from compiler.whole_file import write_whole
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC562": "a folder holds another run",
        "BC564": "a backend that cannot train",
    }
)

#: How the file begins that holds the network with everything put in.
AS_RUN = """# The network as it was trained: parameters, choices, seed and epochs put in.
# Names of files are relative to the folder of the file that was given.
"""

TRAINING_BACKENDS = ("sim", "plain", "reference")


def _refuse_other_run(options: TrainOptions) -> None:
    taken = [name for name in (FILE, "summary.json") if (options.out / name).exists()]
    if taken and not options.resume and not options.overwrite:
        raise BurstchipError(
            Diagnostic(
                "BC562",
                f"folder '{options.out}' holds another run",
                required="an empty or new folder",
                given=f"one with {' and '.join(taken)}",
                hint="--resume continues it, --overwrite replaces it",
            )
        )


def train(options: TrainOptions, watch: Watch | None = None) -> dict[str, Any]:
    """Train, test and write the run folder; return the summary.

    The final state depends on network, data, seed, epochs and frozen projections alone: not on where the
    training was interrupted, nor on how many threads tested. Raises `BurstchipError` for unusable input,
    before anything is written.
    """
    if options.backend not in TRAINING_BACKENDS:
        raise BurstchipError(
            Diagnostic(
                "BC564",
                f"backend '{options.backend}' cannot train",
                required="sim, plain or reference",
                given=options.backend,
                hint="`burstchip verify --train SAMPLES` shows that lava learns the same integers as sim",
            )
        )
    options = with_epochs_of_the_start(options)
    network, code, warnings, ran = load_and_compile(options)
    code, notes = starting_program(code, options.start_from, options.out, resume=options.resume)
    if options.strict and notes:
        raise BurstchipError([replace(note, severity="error") for note in notes])
    frozen = frozen_projections(code, network, options.frozen)
    text = options.network_path.read_bytes()
    _refuse_other_run(options)
    with held_folder(options.out):
        return _train(
            options, code, frozen, (*warnings, *notes), text, (AS_RUN + yaml_text(ran)).encode(), watch
        )


def _train(
    options: TrainOptions,
    code: ChipProgram,
    frozen: tuple[str, ...],
    messages: tuple[Diagnostic, ...],
    text: bytes,
    as_run: bytes,
    watch: Watch | None,
) -> dict[str, Any]:
    """Train in a folder that is this process's own. `text` is the network's file, `as_run` what ran."""
    task = code.task
    assert task is not None
    dataset = task_dataset(task, data_dir=options.data_dir, download=True)
    train_pictures, test_pictures = pictures_of(dataset)

    def opened() -> Training:
        shown = Presentation(code, train_pictures, real=options.backend == "reference")
        return Training(open_run(code, options.backend, streams=shown.streams, frozen=frozen), shown)

    def tested(run: Run) -> Classified:
        weights = {p.name: run.weights(p.name) for p in code.projections if p.learning is not None}
        workers = options.workers or os.cpu_count() or 1
        return classify(code, weights, test_pictures, backend=options.backend, workers=workers)

    def error_of(test: Classified) -> float:
        return float(np.mean(test.predictions != test_pictures.labels))

    it, checkpoint = opened(), options.out / FILE
    sha256 = artifact_sha256(code)
    start = started(
        code, options.network_path, text, options.overrides, backend=options.backend, frozen=frozen
    )
    identity = {
        "backend": options.backend,
        "frozen": sorted(frozen),
        "artifact_sha256": sha256,
        "started": as_values(start),
    }

    def save(path: Path = checkpoint) -> None:
        save_checkpoint(path, it.run.state(), {**identity, **it.progress()})

    def leave(when: str, folder: Path = options.out) -> None:
        write_weights(folder / f"weights_{when}.safetensors", code, it.run)
        path = folder / f"recording_{when}.nc"
        write_recording(path, code, it.run, options.backend, test_pictures, sha256)

    def write_network(folder: Path) -> None:
        save_artifact(code, folder / UNTRAINED)
        write_whole(folder / "network.yaml", text)
        write_whole(folder / "network_as_run.yaml", as_run)

    command = command_of(options)
    if options.resume and checkpoint.exists():
        before = resume(it, checkpoint, start)
        changed = other_schedule(it, before.epochs, task.epochs, task.anneal)
        if options.strict and changed:
            raise BurstchipError([replace(note, severity="error") for note in changed])
        messages = (*messages, *changed)
        write_network(options.out)
        extended = before.epochs != task.epochs
        note_session(options.out, command, resumed=True, then=extension_of(options) if extended else None)
        if extended:
            # The artifact in the folder has the number of epochs in it.
            save()
    else:
        with begun_run(options.out) as folder:
            write_network(folder)
            note_session(folder, command, resumed=False)
            leave("before", folder)
            it.history.append(epoch_line(code, it, 0, error_of(tested(it.run))))
            save(folder / FILE)
    # Compile, or load, the loop before its time is taken; another run, since this one must not start twice.
    spare = opened()
    show(spare.run, spare.presentation, np.empty(0, dtype=np.int64))
    test: Classified | None = None
    while it.epoch < task.epochs:
        train_epoch(code, it, save, watch)
        it.train_error = it.wrong / it.shown
        test = tested(it.run)
        it.epoch += 1
        it.history.append(epoch_line(code, it, it.shown, error_of(test)))
        it.shown, it.wrong, it.epoch_seconds = 0, 0, 0.0
        save()
        write_json(options.out / "history.json", it.history)
    test = test or tested(it.run)
    leave("after")
    write_answers(options.out / ANSWERS, test_pictures, test.predictions, dataset.shape)
    learned = trained_program(
        code, it.run, sha256=sha256, backend=options.backend, frozen=frozen, epoch=it.epoch, samples=0
    )
    trained_sha256 = save_artifact(learned, options.out / TRAINED)
    write_quantisation(options.out / "quantisation.json", code)
    samples = task.epochs * len(train_pictures.images)
    # The network's own file was checked against its data, with a place.
    found = dataset.diagnostics if task.file is None else ()
    messages = (*messages, *found, *clipped_inputs(code, it.run.clipped))
    visited = getattr(it.run, "synaptic_events", None)
    summary = {
        "name": code.name,
        "task": task.data,
        "data": describe(dataset, task, options.data_dir),
        "split": task.split,
        "seed": code.seed,
        "epochs": task.epochs,
        "weight_form": code.weight_form,
        "backend": options.backend,
        "frozen": sorted(frozen),
        "overrides": dict(options.overrides),
        "started_with": None if code.learned is None else asdict(code.learned),
        "train_error": it.train_error,
        "test_error": it.history[-1]["test_error"],
        "samples_per_second": samples / it.seconds if it.seconds else 0.0,
        "synaptic_events_per_second": visited / it.seconds if it.seconds and visited is not None else 0.0,
        "training_seconds": it.seconds,
        "artifact_sha256": sha256,
        "trained_sha256": trained_sha256,
        "state_sha256": state_sha256(it.run.state()),
        "test_activity": {
            "samples": len(test_pictures.images),
            "events": dict(test.events),
            "bursts": dict(test.bursts),
            "synaptic_operations": test.synaptic_operations,
        },
        "confusion": confusion(test_pictures.labels, test.predictions, dataset.n_classes),
        "classes": [str(label) for label in range(dataset.n_classes)],
        "diagnostics": [str(diagnostic) for diagnostic in messages],
    }
    write_results(options.out, summary, it.history)
    return summary
