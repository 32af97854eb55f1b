"""What the controls of a program are at a clock: where it is in the run, its sample and its epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.shown import Shown
from compiler.ir.chip_program import ChipProgram, PopulationCode
from hw_models.neurons.roles import LEARNING_CONTROLS
from hw_models.neurons.sources import ENCODER_SHIFT


@dataclass(frozen=True)
class Signals:
    """The signals of a run that shows `shown`, if its program has a task."""

    code: ChipProgram
    shown: Shown | None
    learning: bool

    def inputs(self, population: PopulationCode, n: int, anneal: int) -> dict[str, NDArray[np.int64]]:
        """The value [neuron] of each input that is bound to a control, at the population's clock `n`."""
        flags = self._flags(population, n, anneal)
        values = {
            name: self._emission(population, n) if control in ("rate", "listed") else flags[control]
            for name, control in population.roles.controls.items()
        }
        return {name: np.broadcast_to(value, (population.size,)) for name, value in values.items()}

    def _flags(self, population: PopulationCode, n: int, anneal: int) -> dict[str, Any]:
        task, every = self.code.task, population.gather_every
        learned = [p.learning for p in self.code.projections if p.learning]
        period = max((learning.consolidate_every for learning in learned), default=0)
        flags: dict[str, Any] = {
            "clock": n,
            "learning": 1,
            "anneal": anneal,
            "gather": int(every > 0 and n % every == 0),
            "report": int(every > 0 and (n + 1) % every == 0),
        }
        if task is None:
            longest = period * max(p.gather_every for p in self.code.populations)
            consolidate = int(longest > 0 and (n + 1) % longest == 0)
            flags |= {"reset": int(n == 0), "last": 0, "plastic": 1, "label": 0, "consolidate": consolidate}
        else:
            sample, t = divmod(n, task.present)
            last = t == task.present - 1
            flags |= {
                "reset": int(t == 0),
                "last": int(last),
                "plastic": int(t >= task.teach_after),
                "label": self._label(population, sample),
                "consolidate": int(last and period > 0 and (sample + 1) % period == 0),
            }
        return flags if self.learning else {**flags, **dict.fromkeys(LEARNING_CONTROLS, 0)}

    def _label(self, population: PopulationCode, sample: int) -> Any:
        """1 for the readout neuron of the sample's label."""
        assert self.code.task is not None and self.shown is not None
        if population.name != self.code.task.readout:
            return 0
        label = self.shown.labels[sample] if sample < len(self.shown.labels) else 0
        return np.eye(population.size, dtype=np.int64)[label]

    def _emission(self, population: PopulationCode, n: int) -> Any:
        """What a source is to emit: the events of its list, its pixels (dark after the last), or its rate."""
        task = self.code.task
        if population.spikes is not None:
            now = population.spikes[population.spikes[:, 0] == n, 1]
            return np.bincount(now, minlength=population.size)
        if task is None or population.name != task.input:
            return population.parameters[population.roles.rate]
        assert self.shown is not None
        sample = n // task.present
        if sample >= len(self.shown.images):
            return 0
        image, most = (
            self.shown.images[sample].astype(np.int64),
            population.parameters[population.roles.full_rate],
        )
        return (image * most + self.shown.maximum // 2) // self.shown.maximum << ENCODER_SHIFT
