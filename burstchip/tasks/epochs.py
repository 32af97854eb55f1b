"""A training under way: its epochs, sample by sample, and going on where a checkpoint stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from burstchip.running.run import Run
from burstchip.tasks.checkpoint import read_checkpoint, require_alike, require_progress, typed_progress
from burstchip.tasks.presentation import Presentation
from burstchip.tasks.resuming import Started, require_enough_epochs, require_same_start, start_of
from burstchip.tasks.showing import sample_order, show
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import HALVINGS
from hw_models.diagnostics import Diagnostic

#: Seconds between checkpoints, and of one call into the compiled loop.
CHECKPOINT_SECONDS = 10.0
CALL_SECONDS = 0.25


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
class Training:
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
        """What a checkpoint holds beside the state."""
        names = ("epoch", "shown", "wrong", "seconds", "epoch_seconds", "totals", "train_error", "history")
        return {"clock": self.run.clock, **{name: getattr(self, name) for name in names}}


def annealing(epoch: int, epochs: int, fractions: tuple[float, ...]) -> int:
    """How often the learning rates have halved in epoch `epoch` (from 0) of `epochs`."""
    # A fraction such as 0.55 of 40 epochs must not miss epoch 22 by a rounding of floats.
    return sum(epoch + 1e-9 >= fraction * epochs for fraction in fractions)


def epoch_line(code: ChipProgram, it: Training, samples: int, test_error: float) -> dict[str, Any]:
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


def train_epoch(code: ChipProgram, it: Training, save: Callable[[], None], watch: Watch | None) -> None:
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


def resume(it: Training, checkpoint: Path, start: Started) -> Started:
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


def other_schedule(it: Training, before: int, now: int, fractions: tuple[float, ...]) -> list[Diagnostic]:
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
