"""Workloads that learn: accuracy, what learning does in a sample, and how fast it goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics.algorithm import algorithm_metrics
from benchmarks.runner.common_part import common_part
from benchmarks.runner.figures import counted, reached, share_wrong
from benchmarks.runner.measured import Desk, Measured, Tell, answers_sha256
from benchmarks.runner.plasticity import LearningCount
from benchmarks.runner.programs import permuted
from benchmarks.runner.result import Number
from benchmarks.runner.speed import speed_of_samples
from benchmarks.runner.target import Target
from benchmarks.runner.workload import Workload
from burstchip.running.recording import first_epoch
from burstchip.running.run import Run
from burstchip.tasks.checkpoint import state_sha256
from burstchip.tasks.epochs import Training, train_epoch
from burstchip.tasks.presentation import Pictures, Presentation
from burstchip.tasks.showing import TEST_SEED, sample_order, show
from compiler.ir.chip_program import ChipProgram

#: Samples over which a running accuracy is taken.
WINDOW = 200
#: The share of the final accuracy that counts as learned.
LEARNED = 0.9


@dataclass
class Trained:
    """A training that is over: test errors as fractions by epoch, which training samples were `right`."""

    errors: list[float]
    wrong: int
    right: NDArray[np.bool_]
    #: The same for each epoch from the permutation on, of the labels before it.
    old_errors: list[float]
    answers: list[int]
    weights: dict[str, NDArray[Any]]
    state_sha256: str


def learning(desk: Desk, code: ChipProgram, workload: Workload, train: Pictures, test: Pictures) -> Measured:
    """Measure one target on a workload of kind `learn` or `adapt`."""
    target, tell = desk.target, desk.tell
    assert code.task is not None
    task, found = code.task, Measured()
    counts = LearningCount(code, task.present)
    steps = workload.same * task.present
    tell("the part that all targets do", 0.0)
    shown = first_epoch(code, steps, train, real=target.real)
    found.same, sent = common_part(target, code, steps, streams=shown.streams, learned=counts)
    found.neurobench = algorithm_metrics(code, sent).results
    found.numbers |= counts.numbers("sample")
    found.numbers |= speed_of_samples(desk, code, train, sample_order(code, len(train.labels), 0))
    if target.slow or "accuracy" not in desk.modes:
        return found
    adapts = workload.kind == "adapt"
    done = trained(target, code, train, test, tell, adapts=adapts)
    found.test_error = [100 * it for it in done.errors]
    found.numbers["test_error"] = share_wrong(done.wrong, len(test.labels))
    found.numbers |= _pace(code, done, len(train.labels), adapts=adapts)
    found.state_sha256, found.answers_sha256 = done.state_sha256, answers_sha256(done.answers)
    found.weights = done.weights
    found.neurobench = algorithm_metrics(code, sent, accuracy=1 - done.errors[-1]).results
    if workload.freeze:
        frozen = trained(target, code, train, test, tell, adapts=adapts, frozen=workload.freeze)
        number = share_wrong(frozen.wrong, len(test.labels))
        method = f"{number.method}; nothing learned in {', '.join(workload.freeze)}"
        found.numbers["test_error_frozen"] = msgspec.structs.replace(number, method=method)
    return found


def plastic(code: ChipProgram) -> list[str]:
    """The projections that learn."""
    return [it.name for it in code.projections if it.learning is not None]


def weights_of(run: Run) -> dict[str, NDArray[Any]]:
    """The plastic weights as events see them, by projection."""
    return {name: np.array(run.weights(name)) for name in plastic(run.code)}


def answers_in_test(
    target: Target, code: ChipProgram, weights: Mapping[str, NDArray[Any]], test: Pictures
) -> NDArray[np.int64]:
    """The class that the target reads out of each test sample with these weights."""
    shown = Presentation(code, test, real=target.real)
    run = target.open(code, streams=shown.streams, learning=False, seed=code.seed + TEST_SEED)
    try:
        run.set_weights(weights)
        return show(run, shown, np.arange(len(test.labels)))
    finally:
        run.close()


def trained(
    target: Target,
    code: ChipProgram,
    train: Pictures,
    test: Pictures,
    tell: Tell,
    *,
    adapts: bool,
    frozen: Collection[str] = (),
) -> Trained:
    """Train all epochs; where it adapts, with other labels from the middle on.

    It is tested before and after each epoch, on a target that holds one run at a time after the last alone.
    """
    assert code.task is not None
    shown = Presentation(code, train, real=target.real)
    run = target.open(code, streams=shown.streams, frozen=frozen)
    it, now, right = Training(run, shown), test, []
    errors: list[float] = []
    old_errors: list[float] = []
    epochs = code.task.epochs

    def tested(labels: NDArray[np.int64], weights: Mapping[str, NDArray[Any]]) -> float:
        return float(np.mean(answers_in_test(target, code, weights, test) != labels))

    try:
        if not target.single:
            errors.append(tested(now.labels, weights_of(run)))
        for epoch in range(epochs):
            if adapts and epoch == epochs // 2:
                classes = code.task.shape[1]
                shown.pictures, now = permuted(train, classes, code.seed), permuted(test, classes, code.seed)
            order = sample_order(code, len(train.labels), epoch)
            before = len(run.readout)
            tell(f"training, epoch {epoch + 1}/{epochs}", epoch / epochs)
            train_epoch(code, it, lambda: None, None)
            right.append(np.array(run.readout[before:]) == shown.pictures.labels[order])
            it.epoch, it.shown, it.wrong = it.epoch + 1, 0, 0
            if epoch + 1 == epochs or not target.single:
                weights, state, answers = weights_of(run), "", list(run.readout)
                if epoch + 1 == epochs:
                    state = state_sha256(run.state())
                errors.append(tested(now.labels, weights))
                if now is not test:
                    old_errors.append(tested(test.labels, weights))
    finally:
        run.close()
    wrong = round(errors[-1] * len(test.labels))
    return Trained(errors, wrong, np.concatenate(right), old_errors, answers, weights, state)


def _pace(code: ChipProgram, done: Trained, epoch: int, *, adapts: bool) -> dict[str, Number]:
    """How many samples it takes to learn, and after a permutation to learn again."""
    found: dict[str, Number] = {}
    epochs = len(done.right) // epoch
    half = epochs // 2 * epoch if adapts else len(done.right)
    # Without a test in the middle, the last samples before it say how good it was.
    tested = len(done.errors) > 1
    error = done.errors[epochs // 2 if adapts else -1] if tested or not adapts else np.nan
    if np.isnan(error):
        error = 1 - float(np.mean(done.right[half - min(WINDOW, half) : half]))
    goal = LEARNED * (1 - error)
    method = f"running accuracy over {WINDOW} training samples; goal {100 * goal:.1f} %"
    first = _reached(done.right[:half], goal)
    found["samples_to_learn"] = reached(first, half, method)
    if adapts:
        again = _reached(done.right[half:], goal)
        method = f"after the permutation, {method}"
        found["samples_to_recover"] = reached(again, len(done.right) - half, method)
        found["error_before"] = counted(100 * error, "%", "before the permutation")
        method = "test with the old labels, at the end"
        found["error_of_old"] = counted(100 * done.old_errors[-1], "%", method)
    return found


def _reached(right: NDArray[np.bool_], goal: float) -> int | None:
    """After how many samples the running accuracy reaches the goal for the first time."""
    window = min(WINDOW, len(right))
    if not window:
        return None
    sums = np.convolve(right, np.ones(window), "valid")
    there = np.flatnonzero(sums >= goal * window)
    return int(there[0]) + window if len(there) else None
