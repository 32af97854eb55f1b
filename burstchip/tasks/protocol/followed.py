"""What following a protocol left: events in bins, running rates, costs, mean weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burstchip.tasks.protocol.plan import Plan
from burstchip.tasks.protocol.teaching import cost

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Followed:
    """`stretches` of the plan are done.

    `events` and `bursts` [bin, population] count those of `populations`, of the sizes `sizes`; `reached`
    [stretch, teacher] is the mean running rate of each teacher's neurons at a stretch's end in Hz; `weights`
    [round, projection] the mean weight of each of `projections`, which learn, before the first round and
    after each, in their unit. Behind what is done there are zeros.
    """

    plan: Plan
    populations: tuple[str, ...]
    sizes: tuple[int, ...]
    projections: tuple[str, ...]
    events: Integers
    bursts: Integers
    reached: Reals
    weights: Reals
    stretches: int

    @classmethod
    def empty(cls, plan: Plan, populations: Mapping[str, int], projections: tuple[str, ...]) -> Followed:
        """Before the first stretch; `populations` are sizes by name."""
        bins, teachers = plan.bin_stretch.size, len(plan.protocol.teachers)
        return cls(
            plan,
            tuple(populations),
            tuple(populations.values()),
            projections,
            np.zeros((bins, len(populations)), dtype=np.int64),
            np.zeros((bins, len(populations)), dtype=np.int64),
            np.zeros((plan.count, teachers)),
            np.zeros((1 + int(plan.rounds.sum()), len(projections))),
            0,
        )

    @property
    def arrays(self) -> dict[str, NDArray[np.int64] | NDArray[np.float64]]:
        """What a checkpoint keeps."""
        return {name: getattr(self, name) for name in ("events", "bursts", "reached", "weights")}

    def costs(self, part: str) -> Reals:
        """What each round of a part cost, [round], the sum over examples and teachers; NaN where not done."""
        return np.asarray(self.example_costs(part).sum(axis=1))

    def _judged(self, part: str) -> tuple[Integers, Integers]:
        """The stretches of a part that are judged, [round, example], by the number of the example."""
        plan = self.plan
        stretches = np.flatnonzero(plan.judged & (plan.part == plan.part_number(part)))
        order = np.lexsort((plan.example[stretches], plan.round[stretches]))
        shape = (-1, len(plan.protocol.examples))
        return stretches[order].reshape(shape), plan.example[stretches[order]].reshape(shape)

    def example_costs(self, part: str) -> Reals:
        """The same of each example, [round, example]."""
        stretches, examples = self._judged(part)
        total = np.zeros(stretches.shape)
        for number, teacher in enumerate(self.plan.protocol.teachers):
            targets = np.array([example.targets[number] for example in self.plan.protocol.examples])
            total += cost(teacher, targets[examples], self.reached[stretches, number])
        total[stretches >= self.stretches] = np.nan
        return total

    def judged_rates(self, part: str) -> Reals:
        """Mean rates in Hz where examples are judged, [round, example, teacher]; NaN where not done."""
        stretches, _ = self._judged(part)
        found = self.reached[stretches]
        found[stretches >= self.stretches] = np.nan
        return found

    def round_weights(self, part: str) -> Reals:
        """Mean weights after each round of a part, [round, projection]."""
        ends = np.flatnonzero(self.plan.rounds)
        inside = np.flatnonzero(self.plan.part[ends] == self.plan.part_number(part))
        return np.asarray(self.weights[1 + inside])

    def _bins(self, part: str, round_: int, example: int) -> Integers:
        """The bins of an example in a round, all phases; a negative round counts from the last."""
        plan, number = self.plan, self.plan.part_number(part)
        wanted = round_ % plan.protocol.parts[number].rounds
        stretches = np.flatnonzero((plan.part == number) & (plan.round == wanted) & (plan.example == example))
        return np.flatnonzero(np.isin(plan.bin_stretch, stretches))

    def rates(self, what: str, part: str, round_: int, example: int) -> tuple[Reals, dict[str, Reals]]:
        """(ends of bins in s from the example's beginning, rate in Hz a neuron by population), of an example.

        `what` is "events" or "bursts".
        """
        bins = self._bins(part, round_, example)
        lasts = self.plan.bin_lasts[bins]
        counts = getattr(self, what)[bins]
        found = {
            name: np.asarray(counts[:, k] / self.sizes[k] / lasts) for k, name in enumerate(self.populations)
        }
        return np.asarray(np.cumsum(lasts)), found

    def mean_rate(
        self,
        what: str,
        population: str,
        part: str,
        example: int,
        start_s: float,
        stop_s: float,
        round_: int = -1,
    ) -> float:
        """The rate of a population in Hz a neuron while an example is shown, from `start_s` to `stop_s`."""
        ends, rates = self.rates(what, part, round_, example)
        inside = (ends > start_s + 1e-9) & (ends <= stop_s + 1e-9)
        lasts = np.diff(np.append(0.0, ends))
        return float(np.average(rates[population][inside], weights=lasts[inside]))
