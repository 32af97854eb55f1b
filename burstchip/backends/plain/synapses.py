"""The synapses of one projection: matrices [source, target], and the messages in flight."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import LearningCode, ProjectionCode
from hw_models.plasticity.carry import forward_weight

Integers = NDArray[np.int64]


@dataclass
class Synapses:
    """Weights `w`, tags `t` and learned delays `d`; extra steps `delays`; all 0 where not `connected`.

    Traces as they are kept between learning epochs: `x[k]` is trace x(k+1) of each source, `y[k]` trace
    y(k+1) of each target; `noted_x`, `noted_y` are the places, 1 to E, of the last events in the epoch, 0 for
    none. `learning` is None where nothing learns. `arriving[n]` is what is due in step n, [target].
    """

    code: ProjectionCode
    learning: LearningCode | None
    connected: NDArray[np.bool_]
    delays: Integers
    w: Integers
    t: Integers
    d: Integers
    x: Integers
    y: Integers
    noted_x: Integers
    noted_y: Integers
    arriving: dict[int, Integers] = field(default_factory=dict)

    @property
    def longest(self) -> int:
        """How many steps ahead a message may be under way."""
        return int(self.delays.max(initial=0)) + 2

    def learns(self, form: str) -> bool:
        """Whether the synapses learn in this form."""
        return self.learning is not None and self.learning.form == form

    def send(self, messages: Integers, first_arrival: int) -> None:
        """Put messages [source] on their way; those without an extra delay arrive in step `first_arrival`.

        To the right the shift floors what is emitted in one step and arrives in one step.
        """
        weights = forward_weight(self.w) if self.learns("carry") else self.w
        exponent = self.code.weight_exp
        for delay in np.unique(self.delays[self.connected]):
            total = messages @ np.where(self.connected & (self.delays == delay), weights, 0)
            shifted = total << exponent if exponent >= 0 else total >> -exponent
            due = first_arrival + int(delay)
            self.arriving[due] = self.arriving.get(due, 0) + shifted

    @property
    def listed(self) -> Integers:
        """The weights, [source, target] where dense, else in the order of the program."""
        return self.w if self.code.dense else self.w[self.code.pre, self.code.post]

    def variable(self, name: str) -> Integers:
        """A variable under the name that `burstchip verify` gives it, synapses in the program's order."""
        if name in ("w", "t", "d"):
            values: Integers = getattr(self, name)
            return values.ravel() if self.code.dense else values[self.code.pre, self.code.post]
        if name in ("tx", "ty"):
            return self.noted_x if name == "tx" else self.noted_y
        traces = self.x if name[0] == "x" else self.y
        return np.asarray(traces[int(name[1]) - 1])


@dataclass
class StaticSynapses(Synapses):
    """Listed synapses that do not learn: `w`, `delays` and `connected` hold one entry for each."""

    def send(self, messages: Integers, first_arrival: int) -> None:
        """As of `Synapses`, in time linear in the synapses of those that send."""
        targets, exponent = len(self.noted_y), self.code.weight_exp
        sent = np.flatnonzero(messages[self.code.pre])
        # Sums of integers below 2^53 are exact in float64.
        added = self.w[sent] * messages[self.code.pre[sent]].astype(np.float64)
        for delay in np.unique(self.delays[sent]):
            now = self.delays[sent] == delay
            total = np.bincount(self.code.post[sent][now], added[now], targets).astype(np.int64)
            shifted = total << exponent if exponent >= 0 else total >> -exponent
            due = first_arrival + int(delay)
            self.arriving[due] = self.arriving.get(due, 0) + shifted

    def variable(self, name: str) -> Integers:
        """As of `Synapses`."""
        return self.w if name == "w" else super().variable(name)

    @property
    def listed(self) -> Integers:
        """As of `Synapses`."""
        return self.w


def at_the_start(projection: ProjectionCode, sources: int, targets: int, learning: bool) -> Synapses:
    """The synapses before anything was learned, between so many sources and targets."""
    shape, code = (sources, targets), projection.learning
    static = not projection.dense and (code is None or not learning)
    if static:
        w, delays = projection.weights.astype(np.int64), projection.delays.astype(np.int64)
        connected = np.ones(w.shape, dtype=bool)
    else:
        w, delays = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        connected = np.zeros(shape, dtype=bool)
        place = ... if projection.dense else (projection.pre, projection.post)
        listed = (
            (projection.weights.T, projection.delays.reshape(shape))
            if projection.dense
            else (projection.weights, projection.delays)
        )
        w[place], delays[place], connected[place] = *listed, True
    if code is not None and code.form == "carry" and not learning:
        w = forward_weight(w)
    return (StaticSynapses if static else Synapses)(
        projection,
        code if learning else None,
        connected,
        delays,
        w,
        t=np.zeros_like(w),
        d=np.zeros_like(w),
        x=np.zeros((2, sources), dtype=np.int64),
        y=np.zeros((3, targets), dtype=np.int64),
        noted_x=np.zeros(sources, dtype=np.int64),
        noted_y=np.zeros(targets, dtype=np.int64),
    )
