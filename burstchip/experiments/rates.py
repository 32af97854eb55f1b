"""Event and burst rates of populations, in bins of time, counted as a run goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burstchip.running.run import open_run
from compiler.ir.chip_program import ChipProgram

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Rates:
    """Rates in Hz a neuron, [bin]; `times` are the bins' middles in seconds."""

    times: Reals
    events: Mapping[str, Reals]
    bursts: Mapping[str, Reals]

    def between(self, start_s: float, stop_s: float) -> Rates:
        """The bins whose middle lies in an interval."""
        inside = (self.times >= start_s) & (self.times < stop_s)
        return Rates(
            self.times[inside],
            {name: rate[inside] for name, rate in self.events.items()},
            {name: rate[inside] for name, rate in self.bursts.items()},
        )

    def burst_probability(self, name: str) -> Reals:
        """Bursts an event; not a number where no event came."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.bursts[name] / self.events[name])


def count_rates(
    code: ChipProgram, backend: str, bins: int, steps_a_bin: int, watch: Callable[[int], None] | None = None
) -> Rates:
    """Run a program from its start for so many bins; `watch` is called with those that are done."""
    run = open_run(code, backend)
    try:
        seconds = steps_a_bin * code.step_ms / 1000
        counted: dict[str, dict[str, list[int]]] = {"events": {}, "bursts": {}}
        for done in range(bins):
            run.advance(steps_a_bin)
            for what, totals in (("events", run.events), ("bursts", run.bursts)):
                for name, total in totals.items():
                    counted[what].setdefault(name, [0]).append(total)
            if watch is not None:
                watch(done + 1)
    finally:
        run.close()

    def rates(what: str) -> dict[str, Reals]:
        return {
            name: np.diff(totals) / code.population(name).size / seconds
            for name, totals in counted[what].items()
        }

    times = np.asarray((np.arange(bins) + 0.5) * seconds, dtype=np.float64)
    return Rates(times, rates("events"), rates("bursts"))
