"""Workloads without a task: networks that run on their own, or follow a protocol."""

from __future__ import annotations

from benchmarks.metrics.algorithm import algorithm_metrics
from benchmarks.runner.common_part import common_part, pieces
from benchmarks.runner.figures import counted
from benchmarks.runner.measured import Desk, Measured
from benchmarks.runner.plasticity import LearningCount
from benchmarks.runner.speed import speed
from benchmarks.runner.workload import Workload
from burstchip.tasks.checkpoint import state_sha256
from burstchip.tasks.protocol.plan import plan_of
from compiler.ir.chip_program import ChipProgram


def free_running(desk: Desk, code: ChipProgram, workload: Workload) -> Measured:
    """Measure one target on a workload of kind `run` or `follow`."""
    target, tell = desk.target, desk.tell
    found = Measured()
    # A protocol begins with steps in which nothing is to be learned.
    counts = None if workload.kind == "follow" else LearningCount(code, 1)
    tell("the part that all targets do", 0.0)
    found.same, sent = common_part(target, code, workload.same, learned=counts)
    if counts is not None:
        found.numbers |= counts.numbers("step")
    found.neurobench = algorithm_metrics(code, sent).results
    tell("speed", 0.4)
    run = target.open(code)
    try:
        found.numbers |= speed(desk, run.advance, "step", most=200 if target.slow else 1_000_000)
    finally:
        run.close()
    if target.slow or "accuracy" not in desk.modes:
        return found
    tell("the whole run", 0.6)
    steps = workload.steps
    run = target.open(code)
    if code.protocol is not None:
        steps = plan_of(code.protocol, code.step_ms, code.seed).total
    try:
        for count in pieces(run, steps, steps):
            run.advance(count)
            tell("the whole run", 0.6 + 0.4 * run.clock / steps)
        found.state_sha256 = state_sha256(run.state())
        seconds = steps * code.step_ms / 1000
        for name, events in run.events.items():
            if "events" not in code.population(name).program.outputs:
                continue
            rate = events / code.population(name).size / seconds
            found.numbers[f"rate_of_{name}"] = counted(rate, "Hz", f"mean over {steps:,} steps")
    finally:
        run.close()
    return found
