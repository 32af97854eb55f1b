"""Trains a network online, sample by sample, tests it after each epoch; can stop and go on at any time."""

from __future__ import annotations

import hashlib
import os
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from burstchip.arguments import take
from burstchip.files.json_file import write_json
from burstchip.files.provenance import note_session
from burstchip.frontend import tree
from burstchip.frontend.resolved import with_values, yaml_text
from burstchip.running.recording import clipped_inputs
from burstchip.running.run import Run, open_run
from burstchip.tasks.answers import FILE as ANSWERS
from burstchip.tasks.answers import write_answers
from burstchip.tasks.checkpoint import (
    FILE,
    read_checkpoint,
    require_alike,
    require_progress,
    save_checkpoint,
    state_sha256,
    typed_progress,
)
from burstchip.tasks.datasets import task_dataset
from burstchip.tasks.presentation import Presentation, pictures_of
from burstchip.tasks.resuming import (
    Started,
    as_values,
    require_enough_epochs,
    require_same_start,
    start_of,
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
from burstchip.tasks.showing import Classified, classify, sample_order, show
from burstchip.tasks.start_weights import starting_program
from burstchip.tasks.trained import TRAINED, UNTRAINED, trained_program
from compiler.artifact import artifact_sha256, save_artifact
from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import Network
from compiler.ir.signals import HALVINGS
from compiler.pipeline import compile_network
from compiler.whole_file import write_whole
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes(
    {
        "BC560": "a network without a task cannot be trained",
        "BC561": "a name to freeze is not one of the network's plastic projections",
        "BC562": "a folder holds another run",
        "BC563": "a number of epochs below 1",
        "BC564": "a backend that cannot train",
    }
)

#: How the file begins that holds the network with everything put in.
AS_RUN = """# The network as it was trained: parameters, choices, seed and epochs put in.
# Names of files are relative to the folder of the file that was given.
"""

TRAINING_BACKENDS = ("sim", "plain", "reference")
#: Seconds between checkpoints, and of one call into the compiled loop.
CHECKPOINT_SECONDS = 10.0
CALL_SECONDS = 0.25


@dataclass(frozen=True)
class TrainOptions:
    """The options of `burstchip train`. `None` leaves the network file's own value.

    `start_from` is a run folder or a `trained.burst` whose weights the training starts with.
    """

    network_path: Path
    out: Path
    seed: int | None = None
    epochs: int | None = None
    resume: bool = False
    overwrite: bool = False
    backend: str = "sim"
    frozen: tuple[str, ...] = ()
    data_dir: Path | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    workers: int = 0
    start_from: Path | None = None

    def __post_init__(self) -> None:
        """Take arguments as people write them. Raises `BurstchipError` BC690 for one that cannot be."""
        for name, default in _DEFAULTS.items():
            if name == "seed" and type(self.seed) is int:
                continue  # One out of range is reported with the mistakes of the file.
            value = take("TrainOptions()", name, getattr(self, name), default=default)
            object.__setattr__(self, name, value)


#: The options, and what each is where it is not given.
_DEFAULTS = {it.name: it.default for it in fields(TrainOptions)}


@dataclass(frozen=True)
class TrainProgress:
    """How far a training is: epoch from 1, samples of all epochs, error of this epoch so far (a fraction)."""

    epoch: int
    epochs: int
    samples_done: int
    samples_total: int
    running_error: float


Watch = Callable[[TrainProgress], None]


@dataclass
class _Training:
    """A training under way, all of it in the checkpoint."""

    run: Run
    presentation: Presentation
    epoch: int = 0
    shown: int = 0
    wrong: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    totals: list[list[int]] = field(default_factory=list)
    train_error: float | None = None
    history: list[dict[str, Any]] = field(default_factory=list)

    def progress(self) -> dict[str, Any]:
        names = ("epoch", "shown", "wrong", "seconds", "epoch_seconds", "totals", "train_error", "history")
        return {"clock": self.run.clock, **{name: getattr(self, name) for name in names}}


def annealing(epoch: int, epochs: int, fractions: tuple[float, ...]) -> int:
    """How often the learning rates have halved in epoch `epoch` (from 0) of `epochs`."""
    # A fraction such as 0.55 of 40 epochs must not miss epoch 22 by a rounding of floats.
    return sum(epoch + 1e-9 >= fraction * epochs for fraction in fractions)


def frozen_projections(code: ChipProgram, network: Network, names: tuple[str, ...]) -> tuple[str, ...]:
    """The plastic projections that `names` stand for: projections, plasticities or target populations."""
    learned = {p.name: p for p in network.projections if p.learn is not None}
    frozen: list[str] = []
    for name in names:
        found = [p.name for p in learned.values() if name in (p.name, p.learn, p.target.population)]
        if not found:
            valid = sorted({n for p in learned.values() for n in (p.name, str(p.learn), p.target.population)})
            raise BurstchipError(
                Diagnostic(
                    "BC561",
                    f"'{name}' cannot be frozen: it is not plastic",
                    required=f"a plastic projection, a plasticity or a population: {', '.join(valid)}",
                    given=name,
                    hint=nearest(name, valid),
                )
            )
        frozen.extend(found)
    return tuple(dict.fromkeys(frozen))


def command_of(options: TrainOptions) -> str:
    """The command line that trains from the start as `options` say."""
    given = {
        "--seed": options.seed,
        "--epochs": options.epochs,
        "--backend": None if options.backend == "sim" else options.backend,
        "--data": options.data_dir,
        "--from": options.start_from,
    }
    words = ["burstchip", "train", str(options.network_path)]
    words += [text for name, value in given.items() if value is not None for text in (name, str(value))]
    words += [text for name, value in options.overrides.items() for text in ("--set", f"{name}={value}")]
    words += [text for name in options.frozen for text in ("--freeze", name)]
    words += [*(["--strict"] if options.strict else []), "--out", str(options.out)]
    return shlex.join(words)


def extension_of(options: TrainOptions) -> str:
    """The command line that goes on to another number of epochs."""
    return shlex.join(["burstchip", "train", str(options.out), "--resume", "--epochs", str(options.epochs)])


def options_of(folder: Path) -> TrainOptions:
    """The options that go on with the training in a run folder. Raises `BurstchipError` BC565."""
    start = start_of(folder / FILE, read_checkpoint(folder / FILE)[1])
    network = Path(start.network)
    # Beside the file itself lie others that it may name; the copy stays when it is changed.
    if not network.is_file() or hashlib.sha256(network.read_bytes()).hexdigest() != start.network_sha256:
        network = folder / "network.yaml"
    return TrainOptions(
        network,
        folder,
        seed=start.seed,
        resume=True,
        backend=start.backend,
        frozen=tuple(start.frozen),
        overrides=start.overrides,
    )


def load_and_compile(
    options: TrainOptions,
) -> tuple[Network, ChipProgram, tuple[Diagnostic, ...], tree.Mapping]:
    """(network, program, warnings, the file as it ran). Raises `BurstchipError` for what is wrong in it."""
    from burstchip.frontend import load

    if options.epochs is not None and options.epochs < 1:
        raise BurstchipError(
            Diagnostic(
                "BC563",
                "the number of epochs is below 1",
                required="at least 1 epoch",
                given=str(options.epochs),
            )
        )
    loaded = load(options.network_path, options.overrides, options.seed)
    network = loaded.network
    if network is None or (options.strict and loaded.diagnostics):
        found = loaded.diagnostics
        raise BurstchipError([replace(d, severity="error") for d in found] if options.strict else found)
    if network.task is None:
        raise BurstchipError(
            Diagnostic(
                "BC560",
                f"network '{network.name}' has no task",
                network.place,
                required="a section `task`",
                given="none",
                hint="`burstchip run` runs a network without a task",
            )
        )
    if options.epochs is not None:
        network = replace(network, task=replace(network.task, epochs=options.epochs))
    assert network.task is not None
    code = compile_network(network)
    if options.strict and code.diagnostics:
        raise BurstchipError([replace(diagnostic, severity="error") for diagnostic in code.diagnostics])
    assert loaded.resolved is not None
    ran = with_values(loaded.resolved, {"seed": str(code.seed), "task.epochs": str(network.task.epochs)})
    return network, code, (*loaded.diagnostics, *code.diagnostics), ran


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


def _epoch_line(code: ChipProgram, it: _Training, samples: int, test_error: float) -> dict[str, Any]:
    """One entry of the history: errors, and rates of the epoch just ended."""
    assert code.task is not None
    events, bursts = it.run.events, it.run.bursts
    totals = [[events[p.name], bursts.get(p.name, 0)] for p in code.populations]
    before = it.totals or [[0, 0]] * len(totals)
    seconds = samples * code.task.present * code.step_ms / 1000
    rates, probabilities = {}, {}
    for population, now, then in zip(code.populations, totals, before, strict=True):
        count, burst = (end - begin for end, begin in zip(now, then, strict=True))
        if seconds:
            rates[population.name] = count / population.size / seconds
        if population.name in bursts and count:
            probabilities[population.name] = burst / count
    it.totals = totals
    return {
        "epoch": it.epoch,
        "train_error": it.train_error,
        "test_error": test_error,
        "seconds": it.epoch_seconds,
        "event_rate": rates,
        "burst_probability": probabilities,
    }


def _train_epoch(code: ChipProgram, it: _Training, save: Callable[[], None], watch: Watch | None) -> None:
    """Show the rest of the current epoch's samples."""
    assert code.task is not None
    pictures = it.presentation.pictures
    epochs, count = code.task.epochs, len(pictures.images)
    order = sample_order(code, count, it.epoch)
    last = it.epoch + 1 == epochs
    following = -1 if last else int(sample_order(code, count, it.epoch + 1)[0])
    it.run.write(HALVINGS, annealing(it.epoch, epochs, code.task.anneal))
    part, saved = 32, time.monotonic()
    while it.shown < count:
        shown = order[it.shown : it.shown + part]
        end = it.shown + len(shown)
        started = time.perf_counter()
        predictions = show(it.run, it.presentation, shown, int(order[end]) if end < count else following)
        elapsed = time.perf_counter() - started
        it.seconds += elapsed
        it.epoch_seconds += elapsed
        it.shown = end
        it.wrong += int(np.count_nonzero(predictions != pictures.labels[shown]))
        part = int(np.clip(part * CALL_SECONDS / max(elapsed, 1e-6), max(1, part // 4), part * 4))
        if watch is not None:
            done = it.epoch * count + it.shown
            watch(TrainProgress(it.epoch + 1, epochs, done, epochs * count, it.wrong / it.shown))
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            save()
            saved = time.monotonic()


def _resume(it: _Training, checkpoint: Path, start: Started) -> Started:
    """Go on where a checkpoint of the same training stopped; how that one was started."""
    arrays, progress = read_checkpoint(checkpoint)
    before = start_of(checkpoint, progress)
    require_same_start(checkpoint, before, start)
    found = typed_progress(checkpoint, progress)
    require_enough_epochs(checkpoint, found.epoch, found.shown, start.epochs)
    require_alike(checkpoint, arrays, it.run.state())
    require_progress(checkpoint, progress, it.run.code, len(it.presentation.pictures.images))
    it.run.restore(arrays, progress["clock"])
    for name in it.progress():
        if name != "clock":
            setattr(it, name, progress[name])
    return before


def _other_schedule(it: _Training, before: int, now: int, fractions: tuple[float, ...]) -> list[Diagnostic]:
    """A warning where epochs that have begun would have learned at other rates, had `now` been known."""
    begun = range(it.epoch + (it.shown > 0))
    other = [e + 1 for e in begun if annealing(e, before, fractions) != annealing(e, now, fractions)]
    if not other:
        return []
    return [
        Diagnostic(
            "BC573",
            f"epoch {', '.join(map(str, other))}: learned at the rates of a training of {before} epochs",
            severity="warning",
            required=f"those of {now} epochs, to learn as a training that was started with so many",
            given=f"learning rates that halve at {', '.join(f'{it:g}' for it in fractions)} of the epochs",
        )
    ]


def _with_epochs_of_the_start(options: TrainOptions) -> TrainOptions:
    """The options of a training that goes on, with the number of epochs that it has where none is given."""
    checkpoint = options.out / FILE
    if not options.resume or options.epochs is not None or not checkpoint.exists():
        return options
    return replace(options, epochs=start_of(checkpoint, read_checkpoint(checkpoint)[1]).epochs)


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
    options = _with_epochs_of_the_start(options)
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

    def opened() -> _Training:
        shown = Presentation(code, train_pictures, real=options.backend == "reference")
        return _Training(open_run(code, options.backend, streams=shown.streams, frozen=frozen), shown)

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
        before = _resume(it, checkpoint, start)
        changed = _other_schedule(it, before.epochs, task.epochs, task.anneal)
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
            it.history.append(_epoch_line(code, it, 0, error_of(tested(it.run))))
            save(folder / FILE)
    # Compile, or load, the loop before its time is taken; another run, since this one must not start twice.
    spare = opened()
    show(spare.run, spare.presentation, np.empty(0, dtype=np.int64))
    test: Classified | None = None
    while it.epoch < task.epochs:
        _train_epoch(code, it, save, watch)
        it.train_error = it.wrong / it.shown
        test = tested(it.run)
        it.epoch += 1
        it.history.append(_epoch_line(code, it, it.shown, error_of(test)))
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
