"""Plastic synapses that learn by the burst rule in the chip's grammar, in plain numpy.

    dt = u0*2^-K*x1*y1 - u0*t*y2          dw = u0*2^-S*t*y2

The sums are those of `hw_models.plasticity.engine_numpy`, written out for these three products and reckoned
only where they can be other than zero. The traces are `hw_models.plasticity.traces`, as they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.plain.carry import Events
from benchmarks.plain.integers import Integers, at, bounded, draws, index_bits, key, row_bits, shifted
from compiler.ir.chip_program import ProjectionCode
from hw_models.plasticity.draws import DECAY_BITS
from hw_models.plasticity.engine_numpy import ACCUMULATOR, TAG_RANGE, WEIGHT_RANGES
from hw_models.plasticity.grammar import learning_rule
from hw_models.plasticity.traces import history, note_spikes, spike_trace, third_factor

#: The accumulator's fraction bits, and by how much products of two and of a trace and a tag are shifted down.
_FRACTION, _TRACES_SHIFT, _TAG_SHIFT = 7, 3, 5


class ChipSynapses:
    """A dense projection; weight `w` and tag `t` are [source, target]."""

    def __init__(self, seed: int, projection: ProjectionCode) -> None:
        learning = projection.learning
        assert projection.dense and learning is not None and learning.rounding == "per_synapse"
        rule = learning_rule(learning.rules.get("dw"), learning.rules.get("dt"), None)
        assert rule.dw is not None and rule.dt is not None
        self.rate, self.consolidation = rule.dt.products[0].exponent, rule.dw.products[0].exponent
        texts = (f"u0*2^{self.rate}*x1*y1 - u0*t*y2", f"u0*2^{self.consolidation}*t*y2")
        assert (str(rule.dt), str(rule.dw)) == texts, "not the burst rule"
        self.seed, self.learning, self.exponent = seed, learning, projection.weight_exp
        self.w = np.ascontiguousarray(projection.weights.T).astype(np.int32)
        self.t = np.zeros_like(self.w)
        sources, targets = self.w.shape
        self.places = row_bits(sources)[:, np.newaxis] + index_bits(targets)
        self.x_trace = spike_trace(learning.traces[0].tau, learning.traces[0].impulse)
        self.factor = third_factor()
        self.stored = np.zeros(sources, dtype=np.int64)
        self.noted = np.zeros(sources, dtype=np.int64)
        self.ahead: Integers | None = None

    @property
    def every(self) -> int:
        """The learning epoch in steps."""
        return self.learning.every

    def begin_sample(self) -> None:
        """The chip's traces run on."""

    def _sum(self, events: Events) -> Integers:
        return shifted(self.w.take(events, axis=0).sum(axis=0, dtype=np.int64), self.exponent)

    def arrive(self, events: Events) -> Integers:
        """What the events add to the targets, with the weights from when they were emitted."""
        summed = self._sum(events) if self.ahead is None else self.ahead
        self.ahead = None
        return summed

    def end_step(self, n: int, emitted: Events, y1: Integers | None, y2: int) -> None:
        """Note the events of step n; at the end of an epoch learn from the third factors."""
        if np.any(self.noted):
            spikes = np.zeros(len(self.noted), dtype=np.bool_)
            spikes[emitted] = True
            self.stored = note_spikes(self.stored, self.noted, spikes, self.x_trace)
        self.noted[emitted] = n % self.every + 1
        if (n + 1) % self.every:
            return
        self.ahead = self._sum(emitted)
        k = key(self.seed, self.learning.trace_stream, n)
        x_draws, y_draws = ((at(k, i) << (DECAY_BITS - 32), at(k, i + 1) >> 25) for i in (0, 2))
        x = history(self.stored, self.noted, self.x_trace, self.every, *x_draws)[-1]
        self.stored, self.noted = x, np.zeros_like(self.noted)
        silent = np.zeros(self.w.shape[1], dtype=np.int64)

        def arrived(sent: Integers) -> NDArray[np.int32]:
            last = history(sent, silent, self.factor, self.every, *y_draws)[-1]
            return bounded(last, -128, 127).astype(np.int32)

        first = arrived(silent if y1 is None else y1)
        self._learn(x.astype(np.int32), first, arrived(silent + y2) if y2 else None, n)

    def _learn(
        self, x: NDArray[np.int32], y1: NDArray[np.int32], y2: NDArray[np.int32] | None, n: int
    ) -> None:
        moving = np.full(len(x), y2 is not None)
        if np.any(y1):
            moving |= x != 0
        # The accumulator ends above the lowest tag, so that such a tag moves by chance.
        rows = np.flatnonzero(moving | (self.t.min(axis=1) == TAG_RANGE[0]))
        if not len(rows):
            return
        k = key(self.seed, self.learning.stream, n)
        draw = (draws(k, self.places.take(rows, axis=0)) >> np.uint32(25)).view(np.int32)
        t = self.t.take(rows, axis=0)
        product = (np.multiply.outer(x[rows], y1) >> _TRACES_SHIFT) << (self.rate + _FRACTION)
        sums = bounded((t << _FRACTION) + bounded(product, *ACCUMULATOR), *ACCUMULATOR)
        if y2 is not None:
            sums += bounded((-t * y2 >> _TAG_SHIFT) << _FRACTION, *ACCUMULATOR)
            moved = (t * y2 >> _TAG_SHIFT) << (self.consolidation + _FRACTION)
            w = self.w.take(rows, axis=0) << _FRACTION
            w = bounded(w + bounded(moved, *ACCUMULATOR), *ACCUMULATOR)
            self.w[rows] = _rounded(w, draw, *WEIGHT_RANGES["mixed"])
        self.t[rows] = _rounded(bounded(sums, *ACCUMULATOR), draw, *TAG_RANGE)

    def learned(self) -> dict[str, NDArray[np.int32]]:
        """What learning has changed, under the simulator's name for each."""
        return {"w": self.w, "t": self.t}


def _rounded(sums: NDArray[np.int32], draw: NDArray[np.int32], low: int, high: int) -> NDArray[np.int32]:
    return bounded((sums >> _FRACTION) + (draw < (sums & ((1 << _FRACTION) - 1))), low, high)
