"""The steps that every target does, each of whose integers is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from numpy.typing import ArrayLike

from benchmarks.metrics.activity import Activity, ActivityCounter
from benchmarks.runner.plasticity import LearningCount
from benchmarks.runner.result import Same
from benchmarks.runner.target import Target
from benchmarks.runner.trajectory import Trajectory
from burstchip.running.run import Run
from burstchip.running.verification import PART_BYTES, compared_variables
from burstchip.tasks.protocol.plan import plan_of
from burstchip.tasks.protocol.steering import Steering
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Rows


def pieces(run: Run, steps: int, most: int) -> Iterator[int]:
    """How far to go on, `most` steps or fewer, until `steps` are done; a protocol writes before each."""
    code, steering = run.code, None
    if code.protocol is not None:
        steering = Steering(code, plan_of(code.protocol, code.step_ms, code.seed))
    while run.clock < steps:
        count = min(most, steps - run.clock)
        yield count if steering is None else min(count, steering.before(run) or count)


def common_part(
    target: Target,
    code: ChipProgram,
    steps: int,
    *,
    streams: Mapping[str, ArrayLike | Rows] | None = None,
    learned: LearningCount | None = None,
) -> tuple[Same, Activity]:
    """Run the first `steps` steps and hash all that `burstchip verify` compares; a protocol is followed.

    Also what was sent in them, from which NeuroBench's metrics follow.
    """
    variables = compared_variables(code)
    # Weights that are fixed are the artifact's, whose hash is known.
    places = target.places(code, [place for place, it in variables.items() if not it.fixed])
    most = max(1, PART_BYTES // (8 * sum(variables[place].size for place in places) + 1))
    seen, sent = Trajectory(places), ActivityCounter(code)
    run = target.open(code, record=tuple(places), streams=streams)
    try:
        for count in pieces(run, steps, most):
            values = run.advance(count)
            sent.add(seen.steps, values)
            seen.add(values)
            if learned is not None:
                learned.add(values)
    finally:
        run.close()
    return seen.result(), sent.activity()
