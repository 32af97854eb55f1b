"""Plastic synapses in the carry form, in plain numpy: rows of the events, trace, learning step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.plain.integers import Integers, bounded, draws, index_bits, key, row_bits, shared, shifted
from compiler.ir.chip_program import CARRY_HIGH, CARRY_LOW, ProjectionCode

Events = NDArray[np.intp]


class CarrySynapses:
    """A dense projection; `stored` is [source, target], weight and tag in one number."""

    def __init__(self, seed: int, projection: ProjectionCode) -> None:
        assert projection.dense and projection.learning is not None and projection.learning.form == "carry"
        self.seed, self.learning, self.exponent = seed, projection.learning, projection.weight_exp
        self.stored = np.ascontiguousarray(projection.weights.T).astype(np.int32)
        sources, targets = self.stored.shape
        self.places = row_bits(sources)[:, np.newaxis] + index_bits(targets)
        self.begin_sample()

    @property
    def every(self) -> int:
        """The learning epoch in steps."""
        return self.learning.every

    def begin_sample(self) -> None:
        """Reset the trace."""
        self.trace = np.zeros(len(self.stored), dtype=np.int64)

    def arrive(self, events: Events) -> Integers:
        """What the events add to the targets; the trace takes note of them."""
        (kind,) = self.learning.traces
        self.trace = self.trace * (4096 - kind.decay) >> 12
        self.trace[events] = np.minimum(self.trace[events] + kind.impulse, 127)
        weights = (self.stored.take(events, axis=0) + 128) >> 8
        return shifted(weights.sum(axis=0, dtype=np.int64), self.exponent)

    def end_step(self, n: int, emitted: Events, y1: Integers | None, y2: int) -> None:
        """Learn, where there are burst errors `y1`, with the synapses whose trace is not zero."""
        if y1 is None:
            return
        rows = np.flatnonzero(self.trace)
        shift = self.learning.shift
        mask, k = (1 << shift) - 1, key(self.seed, self.learning.stream, n)
        noise: NDArray[np.int32] | int
        if self.learning.rounding == "lava":
            noise = shared(k) & mask
        else:
            noise = (draws(k, self.places.take(rows, axis=0)) & np.uint32(mask)).view(np.int32)
        product: NDArray[np.int32] = np.multiply.outer(self.trace[rows].astype(np.int32), y1.astype(np.int32))
        changed = self.stored.take(rows, axis=0) + ((product + noise) >> shift)
        self.stored[rows] = bounded(changed, CARRY_LOW, CARRY_HIGH)

    def learned(self) -> dict[str, NDArray[np.int32]]:
        """What learning has changed, under the simulator's name for each."""
        return {"w": self.stored}
