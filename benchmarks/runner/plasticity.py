"""What learning does in a sample: counted from the values of each step, so the same way on every target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.runner.figures import counted
from benchmarks.runner.result import Number
from burstchip.variables import Place
from compiler.ir.chip_program import FACTORS, ChipProgram, ProjectionCode


@dataclass
class LearningCount:
    """Counts over the values of consecutive steps; `unit` is what the counts are given for, in steps."""

    code: ChipProgram
    unit: int
    steps: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    _before: dict[Place, NDArray[Any]] = field(default_factory=dict)

    def add(self, values: Mapping[Place, NDArray[Any]]) -> None:
        """Count some further steps, [step, index] by place."""
        first, count = self.steps, len(next(iter(values.values())))
        self.steps += count
        for projection in self._plastic():
            learning = projection.learning
            assert learning is not None
            for variable in ("w", "t", "d"):
                self._changes((projection.name, variable), values)
            # A learning epoch ends with each `every`-th step.
            epochs = np.arange(first + 1, first + count + 1) % learning.every == 0
            size = projection.weights.size
            self._count("synapses visited", int(epochs.sum()) * size)
            for factor in FACTORS:
                sent = values.get((projection.target, factor))
                if sent is not None and learning.third_factors:
                    self._count("third factors sent", int(np.count_nonzero(sent[epochs])))
            for name in ("x1", "x2"):
                trace = values.get((projection.name, name))
                if trace is not None and any(it.name == name for it in learning.traces):
                    self._count("traces above 0, summed over steps", int(np.count_nonzero(trace)))

    def _plastic(self) -> Iterator[ProjectionCode]:
        return (it for it in self.code.projections if it.learning is not None)

    def _changes(self, place: Place, values: Mapping[Place, NDArray[Any]]) -> None:
        now = values.get(place)
        if now is None:
            return
        before = self._before.get(place)
        changed = int(np.count_nonzero(now[1:] != now[:-1]))
        if before is not None:
            changed += int(np.count_nonzero(now[0] != before))
        self._before[place] = now[-1].copy()
        name = {"w": "weights changed", "t": "tags changed", "d": "delays changed"}[place[1]]
        self._count(name, changed)

    def _count(self, name: str, more: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + more

    def numbers(self, unit: str) -> dict[str, Number]:
        """Each count for a sample or step."""
        if not self.steps:
            return {}
        method = f"counted in the first {self.steps:,} steps; a learning epoch visits every plastic synapse"
        return {
            name.replace(" ", "_").replace(",", ""): counted(
                total * self.unit / self.steps, f"a {unit}", method
            )
            for name, total in self.counts.items()
        }
