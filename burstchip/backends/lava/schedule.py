"""What a neuron program receives in each step besides its inputs: where in the run, sample and epoch it is.

Lava's step t = 1, 2, ... is the clock n = t - 1 - lead_in. Before clock 0 neurons are idle; sources of a
task run one step ahead of them (`docs/time.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.shown import Shown
from compiler.ir.chip_program import ChipProgram, TaskCode
from hw_models.neurons.sources import ENCODER_SHIFT


@dataclass(frozen=True)
class Schedule:
    """The order of a run. Without arguments: a free run that starts with Lava's first step."""

    lead_in: int = 0
    task: TaskCode | None = None
    shown: Shown | None = None
    #: Steps, with a task samples, between two consolidations; 0 for none.
    consolidate_every: int = 0

    def clock(self, time_step: int) -> int:
        """The neurons' clock in Lava's step `time_step`; negative in the lead-in."""
        return time_step - 1 - self.lead_in

    def source_clock(self, time_step: int) -> int:
        """The sources' clock, one ahead with a task."""
        return self.clock(time_step) + (1 if self.task is not None else 0)

    def controls(self, clock: int, gather_every: int) -> dict[str, int]:
        """The flags of every program at this clock; `gather_every` is the population's learning epoch."""
        flags = {
            "learning": 1,
            "anneal": 0,
            "clock": clock,
            "gather": int(gather_every > 0 and clock % gather_every == 0),
            "report": int(gather_every > 0 and (clock + 1) % gather_every == 0),
        }
        every = self.consolidate_every
        if self.task is None:
            ends = every > 0 and (clock + 1) % every == 0
            return {**flags, "reset": int(clock == 0), "last": 0, "plastic": 1, "consolidate": int(ends)}
        within, sample = clock % self.task.present, clock // self.task.present
        last = within == self.task.present - 1
        return {
            **flags,
            "reset": int(within == 0),
            "last": int(last),
            "plastic": int(within >= self.task.teach_after),
            "consolidate": int(last and every > 0 and (sample + 1) % every == 0),
        }

    def label(self, clock: int, size: int) -> NDArray[np.int64]:
        """1 for the readout neuron of the sample's label."""
        assert self.task is not None and self.shown is not None
        label = np.zeros(size, dtype=np.int64)
        label[self.shown.labels[clock // self.task.present]] = 1
        return label

    def picture(self, clock: int, most: Any) -> NDArray[np.int64]:
        """The sample's pixels in 2^-16 events a step, a full one being `most` 2^-10; dark after the last."""
        assert self.task is not None and self.shown is not None
        sample = clock // self.task.present
        if sample >= len(self.shown.images):
            return np.zeros(self.shown.images.shape[1], dtype=np.int64)
        scaled = self.shown.images[sample].astype(np.int64) * most + self.shown.maximum // 2
        return np.asarray(scaled // self.shown.maximum, dtype=np.int64) << ENCODER_SHIFT


def schedule_of(code: ChipProgram, shown: Shown | None) -> Schedule:
    """The schedule of a program that shows these samples, from clock 0."""
    every = max((p.learning.consolidate_every for p in code.projections if p.learning), default=0)
    if code.task is None:
        every *= max((population.gather_every for population in code.populations), default=0)
    return Schedule(code.lead_in, code.task, shown, every)
