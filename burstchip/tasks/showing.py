"""Samples shown to a run: in which order, what is read out, and a whole set classified without learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burstchip.running.run import Run, open_run
from burstchip.tasks.presentation import Pictures, Presentation
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Periodic

#: A test draws its random numbers under the training's seed plus this.
TEST_SEED = 77777


def sample_order(code: ChipProgram, count: int, epoch: int) -> NDArray[np.int64]:
    """The order in which epoch `epoch` (from 0) shows `count` samples: a stable sort by random numbers."""
    from hw_models.program.random import at, key

    assert code.task is not None
    numbers = at(key(code.seed, code.task.order_stream, epoch), np.arange(count))
    return np.argsort(numbers, kind="stable").astype(np.int64)


def show(
    run: Run, presentation: Presentation, shown: NDArray[np.int64], following: int = -1
) -> NDArray[np.int64]:
    """Present the pictures `shown`, in this order; the class read out for each.

    `following` is the picture that comes after them, -1 where none does: the sources begin it one step
    before the neurons do.
    """
    task = run.code.task
    assert task is not None and run.clock % task.present == 0
    presentation.first, presentation.order = run.clock // task.present, np.append(shown, following)
    before = len(run.readout)
    run.advance(len(shown) * task.present)
    return np.array(run.readout[before:], dtype=np.int64)


@dataclass(frozen=True)
class Classified:
    """The class read out for each picture; events and bursts of each population over all pictures.

    `synaptic_operations`: how often a message went through a synapse; None for a backend that does not count.
    """

    predictions: NDArray[np.int64]
    events: Mapping[str, int]
    bursts: Mapping[str, int]
    synaptic_operations: int | None


def samples_are_independent(code: ChipProgram) -> bool:
    """Whether nothing of one sample reaches the next without learning: no state, no message under way."""
    assert code.task is not None
    present = code.task.present
    for population in code.populations:
        bound = {control: population.signals[name] for name, control in population.roles.controls.items()}
        if population.program.states and bound.get("reset") != Periodic(present, 0, 1):
            return False
        # What is emitted in a sample's last step acts in the next.
        if not population.is_source and bound.get("last") != Periodic(present, present - 1, present):
            return False
    return not any(np.any(projection.delays) for projection in code.projections)


def classify(
    code: ChipProgram,
    weights: Mapping[str, NDArray[np.int64]],
    pictures: Pictures,
    *,
    backend: str = "sim",
    workers: int = 1,
) -> Classified:
    """Show the pictures without learning, with these weights by projection (see `Run.weights`).

    They are shown in order from step 0 under the test seed, so the result does not depend on `workers`, the
    number of threads that share them; they do only where no sample touches the next.
    """
    count = len(pictures.images)
    threads = max(1, min(workers, count)) if samples_are_independent(code) else 1
    parts = [part for part in np.array_split(np.arange(count), threads) if len(part)]

    def one(part: NDArray[np.int64]) -> Classified:
        presentation = Presentation(code, pictures, real=backend == "reference")
        assert code.task is not None
        run = open_run(
            code,
            backend,
            streams=presentation.streams,
            learning=False,
            seed=code.seed + TEST_SEED,
            begin=int(part[0]) * code.task.present,
        )
        run.set_weights(weights)
        shown = show(run, presentation, part)
        return Classified(shown, run.events, run.bursts, getattr(run, "synaptic_events", None))

    with ThreadPoolExecutor(max_workers=len(parts)) as pool:
        results = list(pool.map(one, parts))
    return Classified(
        np.concatenate([result.predictions for result in results]),
        {name: sum(result.events[name] for result in results) for name in results[0].events},
        {name: sum(result.bursts[name] for result in results) for name in results[0].bursts},
        _sum([result.synaptic_operations for result in results]),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
