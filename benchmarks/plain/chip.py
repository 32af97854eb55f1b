"""Plastic synapses that learn by sums of products of the chip, in plain numpy.

The sums are those of `hw_models.plasticity.engine_numpy`, in 32 bits, and reckoned only where they can be
other than zero: for products whose third factor is not zero everywhere, in the rows in which one of them has
its trace or its condition. The traces are `hw_models.plasticity.traces`, as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.plain.carry import Events
from benchmarks.plain.integers import Integers, at, bounded, draws, index_bits, key, row_bits, shifted
from compiler.ir.chip_program import ProjectionCode
from hw_models.plasticity.draws import DECAY_BITS
from hw_models.plasticity.engine_numpy import ACCUMULATOR, TAG_RANGE, WEIGHT_RANGES
from hw_models.plasticity.grammar import learning_rule
from hw_models.plasticity.rule import FRACTION_BITS, MANTISSA_BITS, Factor, Product
from hw_models.plasticity.traces import history, note_spikes, spike_trace, third_factor


class ChipSynapses:
    """A dense projection; weight `w` and tag `t` are [source, target].

    Its rule reads the trace x1, third factors, weight and tag; under the condition x0 the last two alone.
    """

    def __init__(self, seed: int, projection: ProjectionCode) -> None:
        learning = projection.learning
        assert projection.dense and learning is not None and learning.rounding == "per_synapse"
        self.rule = learning_rule(
            learning.rules.get("dw"), learning.rules.get("dt"), learning.rules.get("dd")
        )
        for product in self.rule.products:
            assert product.condition in ("u0", "x0") and _bits(product) <= 32
            read = {factor.variable for factor in product.factors}
            assert read <= ({"x1", "y1", "y2", "w", "t"} if product.condition == "u0" else {"w", "t"})
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
        fired = self.noted > 0
        self.stored, self.noted = x, np.zeros_like(self.noted)
        silent = np.zeros(self.w.shape[1], dtype=np.int64)

        def arrived(sent: Integers) -> NDArray[np.int32]:
            last = history(sent, silent, self.factor, self.every, *y_draws)[-1]
            return bounded(last, -128, 127).astype(np.int32)

        sent = {"y1": silent if y1 is None else y1, "y2": silent + y2}
        y = {name: arrived(value) for name, value in sent.items()}
        self._learn(x.astype(np.int32), fired, y, n)

    def _learn(
        self, x: NDArray[np.int32], fired: NDArray[np.bool_], y: dict[str, NDArray[np.int32]], n: int
    ) -> None:
        dead = {name for name, value in y.items() if not np.any(value)}
        live = [p for p in self.rule.products if dead.isdisjoint(f.variable for f in p.factors)]
        # The accumulator ends above the lowest tag, so that such a tag moves by chance.
        moving = self.t.min(axis=1) == TAG_RANGE[0]
        for product in live:
            if product.condition == "x0":
                moving |= fired
            else:
                moving |= (x != 0) | all(factor.variable != "x1" for factor in product.factors)
        rows = np.flatnonzero(moving)
        if not len(rows):
            return
        k = key(self.seed, self.learning.stream, n)
        draw = (draws(k, self.places.take(rows, axis=0)) >> np.uint32(25)).view(np.int32)
        w, t = self.w.take(rows, axis=0), self.t.take(rows, axis=0)
        values = {"x1": x[rows][:, np.newaxis], "x0": fired[rows][:, np.newaxis], "w": w, "t": t, **y}
        for change in self.rule.sums:
            products = [product for product in change.products if product in live]
            if change.target == "dw" and products:
                self.w[rows] = _rounded(_sum(w, products, values), draw, *WEIGHT_RANGES["mixed"])
            elif change.target == "dt":
                self.t[rows] = _rounded(_sum(t, products, values), draw, *TAG_RANGE)

    def learned(self) -> dict[str, NDArray[np.int32]]:
        """What learning has changed, under the simulator's name for each."""
        return {"w": self.w, "t": self.t}


def _bits(product: Product) -> int:
    """Bits, with the sign, that a product needs once it is scaled."""
    factors = sum(factor.width for factor in product.factors) + MANTISSA_BITS
    return max(factors, factors - product.shift + product.exponent + FRACTION_BITS) + 1


def _sum(
    old: NDArray[np.int32], products: list[Product], values: dict[str, NDArray[Any]]
) -> NDArray[np.int32]:
    """The accumulator of the variable `old` after the products."""
    accumulator = bounded(old << FRACTION_BITS, *ACCUMULATOR)
    for product in products:
        value: NDArray[np.int32] | int = product.mantissa
        for factor in product.factors:
            value = value * _factor(factor, values[factor.variable])
        if product.condition == "x0":
            value = value * values["x0"]
        assert not isinstance(value, int)
        scaled = (value >> product.shift) << (product.exponent + FRACTION_BITS)
        accumulator = bounded(accumulator + bounded(scaled, *ACCUMULATOR), *ACCUMULATOR)
    return accumulator


def _factor(factor: Factor, value: NDArray[np.int32]) -> NDArray[np.int32]:
    value = value + factor.constant if factor.constant else value
    if factor.kind.startswith("sgn"):
        return np.sign(value)
    # Traces and third factors are within their widths as they are.
    if factor.constant or factor.variable in "wt":
        return bounded(value, -(1 << factor.width), (1 << factor.width) - 1)
    return value


def _rounded(sums: NDArray[np.int32], draw: NDArray[np.int32], low: int, high: int) -> NDArray[np.int32]:
    return bounded((sums >> FRACTION_BITS) + (draw < (sums & ((1 << FRACTION_BITS) - 1))), low, high)
