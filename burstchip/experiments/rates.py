"""Rates of populations and means of what is watched, in bins of time, taken as a run goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from burstchip.running.physical import scale_of
from burstchip.running.run import Run, open_run
from burstchip.variables import Variable, is_projection, parse_variables
from compiler.ir.chip_program import ChipProgram

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Rates:
    """Rates in Hz a neuron, [bin]; `times` are the bins' middles in seconds.

    `means` are of watched variables at the ends of bins, over neurons or synapses, in their units; `ends` the
    values of each at the end, [neuron] or [synapse].
    """

    times: Reals
    events: Mapping[str, Reals]
    bursts: Mapping[str, Reals]
    means: Mapping[str, Reals] = field(default_factory=dict)
    ends: Mapping[str, Reals] = field(default_factory=dict)

    def between(self, start_s: float, stop_s: float) -> Rates:
        """The bins whose middle lies in an interval."""
        inside = (self.times >= start_s) & (self.times < stop_s)
        return Rates(
            self.times[inside],
            {name: rate[inside] for name, rate in self.events.items()},
            {name: rate[inside] for name, rate in self.bursts.items()},
            {name: mean[inside] for name, mean in self.means.items()},
            self.ends,
        )

    def second_halves(self, series: Reals, count: int) -> Reals:
        """The means of a series [bin] over the second half of each of the first seconds."""
        found = [np.mean(series[(self.times >= k + 0.5) & (self.times < k + 1)]) for k in range(count)]
        return np.asarray(found, dtype=np.float64)

    def burst_probability(self, name: str) -> Reals:
        """Bursts an event; not a number where no event came."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.bursts[name] / self.events[name])


def _seen(run: Run, variable: Variable) -> Reals:
    """The values of a variable in its unit; weights as events see them."""
    place, name = variable
    if is_projection(run.code, place):
        projection = run.code.projection(place)
        unit = projection.event_unit if name == "w" else 1.0
        return np.asarray(run.read(place, name) * unit, dtype=np.float64)
    scale = scale_of(run.code, variable)
    values = np.asarray(run.read(place, name), dtype=np.float64)
    return values if scale is None else np.asarray(scale.origin + scale.per_unit * values)


def count_rates(
    code: ChipProgram,
    backend: str,
    bins: int,
    steps_a_bin: int,
    told: Callable[[int], None] | None = None,
    watched: Sequence[str] = (),
    *,
    threads: int = 1,
) -> Rates:
    """Run a program from its start for so many bins; `told` is called with those that are done.

    Raises `BurstchipError` for a variable to watch that the program does not have.
    """
    variables = parse_variables(code, watched) if watched else ()
    run = open_run(code, backend, threads=threads)
    try:
        seconds = steps_a_bin * code.step_ms / 1000
        counted: dict[str, dict[str, list[int]]] = {"events": {}, "bursts": {}}
        means: dict[str, list[float]] = {name: [] for name in watched}
        ends: dict[str, Reals] = {}
        for done in range(bins):
            run.advance(steps_a_bin)
            for what, totals in (("events", run.events), ("bursts", run.bursts)):
                for name, total in totals.items():
                    counted[what].setdefault(name, [0]).append(total)
            for name, variable in zip(watched, variables, strict=True):
                ends[name] = _seen(run, variable)
                means[name].append(float(np.mean(ends[name])))
            if told is not None:
                told(done + 1)
    finally:
        run.close()

    def rates(what: str) -> dict[str, Reals]:
        return {
            name: np.diff(totals) / code.population(name).size / seconds
            for name, totals in counted[what].items()
        }

    times = np.asarray((np.arange(bins) + 0.5) * seconds, dtype=np.float64)
    seen = {name: np.asarray(values, dtype=np.float64) for name, values in means.items()}
    return Rates(times, rates("events"), rates("bursts"), seen, ends)
