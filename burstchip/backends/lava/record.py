"""Run a program in Lava and keep the requested variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.lava.session import LavaRun, LavaWorker, Place
from burstchip.backends.shown import Shown
from burstchip.variables import variables_of
from compiler.ir.chip_program import ChipProgram

#: Seconds that Lava should run between two reports of how far it is.
PART_SECONDS = 0.5


@dataclass(frozen=True)
class Recorded:
    """`values[place]` as [step, neuron]; events, bursts and clipped inputs of each population.

    `readout` has one entry for each sample shown, -1 where the run ended before its last step.
    """

    values: dict[Place, NDArray[np.int32]]
    events: dict[str, int]
    bursts: dict[str, int]
    clipped: NDArray[np.int64]
    readout: NDArray[np.int64]


def best_of(count: NDArray[Any], v: NDArray[Any]) -> int:
    """The neuron with most events, the potential v deciding between equal counts, the lowest index then."""
    return int(np.lexsort((-v.astype(np.int64), -count.astype(np.int64)))[0])


def record_in_lava(
    code: ChipProgram,
    steps: int,
    variables: Sequence[Place],
    shown: Shown | None,
    watch: Callable[[int], None],
) -> Recorded:
    """Run `steps` steps from the start, learning; `watch` receives the number of steps done."""
    task = code.task
    needed = dict.fromkeys(variables)
    for population in code.populations:
        emitted = ("events", "bursts", "clipped")
        known = (*variables_of(code, population.name), "clipped")
        needed |= dict.fromkeys((population.name, name) for name in emitted if name in known)
    if task is not None:
        roles = code.population(task.readout).roles
        needed |= {(task.readout, roles.count): None, (task.readout, roles.tie): None}
    sizes = {place: 1 if place[1] == "clipped" else code.population(place[0]).size for place in needed}
    values = {place: np.zeros((steps, code.population(place[0]).size), dtype=np.int32) for place in variables}
    totals = {place: 0 for place in needed if place[1] in ("events", "bursts")}
    clipped = np.zeros(len(code.populations), dtype=np.int64)
    readout = np.full(0 if shown is None else len(shown.labels), -1, dtype=np.int64)
    with LavaWorker() as worker:
        run = LavaRun(worker, code, shown, sizes)
        part = 1
        while run.clock < steps:
            begin, started = run.clock, perf_counter()
            count = min(part, steps - begin, run.rows)
            seen = run.advance(count)
            for place, array in values.items():
                array[begin : begin + count] = seen[place]
            for place in totals:
                totals[place] += int(np.count_nonzero(seen[place]))
            for number, population in enumerate(code.populations):
                clipped[number] = seen[population.name, "clipped"][-1, 0]
            if task is not None:
                ends = np.arange(begin, begin + count)
                for step in ends[ends % task.present == task.present - 1]:
                    at = step - begin
                    counted, v = seen[task.readout, roles.count][at], seen[task.readout, roles.tie][at]
                    readout[step // task.present] = best_of(counted, v)
            part = int(np.clip(count * PART_SECONDS / (perf_counter() - started), 1, 4 * count))
            watch(run.clock)
        run.close()
    return Recorded(
        values,
        {population.name: totals.get((population.name, "events"), 0) for population in code.populations},
        {name: total for (name, variable), total in totals.items() if variable == "bursts"},
        clipped,
        readout,
    )
