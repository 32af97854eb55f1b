"""Workloads that learn: accuracy, what learning does in a sample, and how fast it goes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

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

    run: Run
    errors: list[float]
    wrong: int
    right: NDArray[np.bool_]
    #: The same for each epoch from the permutation on, of the labels before it.
    old_errors: list[float]


def learning(desk: Desk, code: ChipProgram, workload: Workload, train: Pictures, test: Pictures) -> Measured:
    """Measure one target on a workload of kind `learn` or `adapt`."""
    target, tell = desk.target, desk.tell
    assert code.task is not None
    task, found = code.task, Measured()
    counts = LearningCount(code, task.present)
    steps = workload.same * task.present
    tell("the part that all targets do", 0.0)
    shown = first_epoch(code, steps, train, real=target.real)
    found.same = common_part(target, code, steps, streams=shown.streams, learned=counts)
    found.numbers |= counts.numbers("sample")
    found.numbers |= speed_of_samples(desk, code, train, sample_order(code, len(train.labels), 0))
    if target.slow or "accuracy" not in desk.modes:
        return found
    adapts = workload.kind == "adapt"
    done = trained(target, code, train, test, tell, adapts=adapts)
    found.test_error = [100 * it for it in done.errors]
    found.numbers["test_error"] = share_wrong(done.wrong, len(test.labels))
    found.numbers |= _pace(code, done, len(train.labels), adapts=adapts)
    found.state_sha256 = state_sha256(done.run.state())
    found.answers_sha256 = answers_sha256(done.run.readout)
    found.weights = {name: np.array(done.run.weights(name)) for name in plastic(code)}
    done.run.close()
    if workload.freeze:
        frozen = trained(target, code, train, test, tell, adapts=adapts, frozen=workload.freeze)
        number = share_wrong(frozen.wrong, len(test.labels))
        method = f"{number.method}; nothing learned in {', '.join(workload.freeze)}"
        found.numbers["test_error_frozen"] = msgspec.structs.replace(number, method=method)
        frozen.run.close()
    return found


def plastic(code: ChipProgram) -> list[str]:
    """The projections that learn."""
    return [it.name for it in code.projections if it.learning is not None]


def answers_in_test(target: Target, code: ChipProgram, run: Run, test: Pictures) -> NDArray[np.int64]:
    """The class that the target reads out of each test sample with the weights of a run."""
    shown = Presentation(code, test, real=target.real)
    other = target.open(code, streams=shown.streams, learning=False, seed=code.seed + TEST_SEED)
    try:
        other.set_weights({name: np.array(run.weights(name)) for name in plastic(code)})
        return show(other, shown, np.arange(len(test.labels)))
    finally:
        other.close()


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
    """Train all epochs; where it adapts, with other labels from the middle on."""
    assert code.task is not None
    shown = Presentation(code, train, real=target.real)
    run = target.open(code, streams=shown.streams, frozen=frozen)
    it, errors, old_errors = Training(run, shown), [], []
    right: list[NDArray[np.bool_]] = []

    def tested(labels: NDArray[np.int64]) -> tuple[int, float]:
        wrong = int(np.count_nonzero(answers_in_test(target, code, run, test) != labels))
        return wrong, wrong / len(labels)

    now = test
    errors.append(tested(now.labels)[1])
    epochs, wrong = code.task.epochs, 0
    for epoch in range(epochs):
        if adapts and epoch == epochs // 2:
            classes = code.task.shape[1]
            shown.pictures, now = permuted(train, classes, code.seed), permuted(test, classes, code.seed)
            old_errors.append(errors[-1])
        order = sample_order(code, len(train.labels), epoch)
        before = len(run.readout)
        tell(f"training, epoch {epoch + 1}/{epochs}", epoch / epochs)
        train_epoch(code, it, lambda: None, None)
        right.append(np.array(run.readout[before:]) == shown.pictures.labels[order])
        wrong, error = tested(now.labels)
        errors.append(error)
        if old_errors:
            old_errors.append(tested(test.labels)[1])
        it.epoch, it.shown, it.wrong = it.epoch + 1, 0, 0
    return Trained(run, errors, wrong, np.concatenate(right), old_errors)


def _pace(code: ChipProgram, done: Trained, epoch: int, *, adapts: bool) -> dict[str, Number]:
    """How many samples it takes to learn, and after a permutation to learn again."""
    found: dict[str, Number] = {}
    # Of n epochs, the errors of which are those of 0 to n, the labels change after n // 2.
    middle = (len(done.errors) - 1) // 2
    half = middle * epoch if adapts else len(done.right)
    goal = LEARNED * (1 - done.errors[middle if adapts else -1])
    method = f"running accuracy over {WINDOW} training samples; goal {100 * goal:.1f} %"
    first = _reached(done.right[:half], goal)
    found["samples_to_learn"] = reached(first, half, method)
    if adapts:
        again = _reached(done.right[half:], goal)
        method = f"after the permutation, {method}"
        found["samples_to_recover"] = reached(again, len(done.right) - half, method)
        found["error_before"] = counted(100 * done.errors[middle], "%", "test, before the permutation")
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
