"""Workloads that only answer: a network that learned before, its weights fixed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics.algorithm import algorithm_metrics
from benchmarks.runner.common_part import common_part
from benchmarks.runner.figures import share_wrong
from benchmarks.runner.learning import trained
from benchmarks.runner.measured import Desk, Measured, Tell, answers_sha256
from benchmarks.runner.programs import frozen_program
from benchmarks.runner.speed import speed_of_samples
from benchmarks.runner.target import LocalTarget, Target
from benchmarks.runner.workload import Workload
from burstchip.tasks.presentation import Pictures, Presentation
from burstchip.tasks.showing import show
from compiler.ir.chip_program import ChipProgram


def learned_program(code: ChipProgram, train: Pictures, test: Pictures, tell: Tell) -> ChipProgram:
    """The program with the weights that it learns on `sim`, which then stay."""
    done = trained(LocalTarget("sim"), code, train, test, tell, adapts=False)
    return frozen_program(code, done.weights)


def inference(desk: Desk, code: ChipProgram, workload: Workload, test: Pictures) -> Measured:
    """Measure one target on a workload of kind `infer`; `code` is of `learned_program`."""
    target, tell = desk.target, desk.tell
    assert code.task is not None
    present, found = code.task.present, Measured()
    shown = Presentation(code, test, np.arange(len(test.labels)), real=target.real)
    tell("the part that all targets do", 0.0)
    found.same, sent = common_part(target, code, workload.same * present, streams=shown.streams)
    found.neurobench = algorithm_metrics(code, sent).results
    tell("speed", 0.3)
    found.numbers |= speed_of_samples(desk, code, test, np.arange(len(test.labels)))
    if target.slow or "accuracy" not in desk.modes:
        return found
    tell("test", 0.6)
    answers = _answers(target, code, test)
    found.numbers["test_error"] = share_wrong(int(np.count_nonzero(answers != test.labels)), len(answers))
    accuracy = float(np.mean(answers == test.labels))
    found.neurobench = algorithm_metrics(code, sent, accuracy=accuracy).results
    found.answers_sha256 = answers_sha256(answers.tolist())
    return found


def _answers(target: Target, code: ChipProgram, test: Pictures) -> NDArray[np.int64]:
    shown = Presentation(code, test, real=target.real)
    run = target.open(code, streams=shown.streams)
    try:
        return show(run, shown, np.arange(len(test.labels)))
    finally:
        run.close()
