"""How synapses learn, in both forms: traces take up events, and an epoch's end changes weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.plain.synapses import Synapses
from compiler.ir.chip_program import FACTORS, LearningCode
from hw_models.plasticity.carry import carry_draws, learn_carry
from hw_models.plasticity.draws import TraceDraws, counter_draws
from hw_models.plasticity.engine_numpy import EpochTraces, SignMode, SynapticVariables, learn
from hw_models.plasticity.lava_draws import lava_draws
from hw_models.plasticity.traces import Trace, history, integer_trace, note_spikes, spike_trace, third_factor
from hw_models.program.random import at, key, row

Integers = NDArray[np.int64]
_SIGN_MODES: Mapping[str, SignMode] = {
    "MIXED": "mixed",
    "EXCITATORY": "excitatory",
    "INHIBITORY": "inhibitory",
}


def follow_arrivals(it: Synapses, events: Integers, anew: bool) -> None:
    """The carry form's trace takes up the events that arrive in this step; with `anew`, from 0."""
    assert it.learning is not None
    trace = it.learning.traces[0]
    before = np.zeros_like(it.x[0]) if anew else it.x[0]
    it.x[0] = integer_trace(before, events, trace.decay, trace.impulse)


def learn_by_carry(it: Synapses, gathered: Integers, n: int, seed: int, halvings: int) -> None:
    """The carry form at the end of a learning epoch, from what the targets `gathered` in it."""
    learning = it.learning
    assert learning is not None
    k, (sources, targets) = learning.shift + halvings, it.w.shape
    draws = carry_draws(
        int(key(learning.seed_in(seed), learning.stream, n)), learning.rounding, (sources, targets), k
    )
    it.w = np.where(it.connected, learn_carry(it.w, it.x[0], gathered, k, draws), it.w)


def note_and_learn(
    it: Synapses,
    events: Integers,
    sent: Mapping[str, Integers],
    n: int,
    lead_in: int,
    seed: int,
    frozen: bool = False,
) -> None:
    """The chip form in step n: note the sources' `events` and the targets', of all that they `sent`; learn
    where an epoch ends. Lava's step is n + 1 + lead_in."""
    learning = it.learning
    assert learning is not None
    place, seed = n % learning.every + 1, learning.seed_in(seed)
    x_traces, y_traces = _traces(learning)
    draws, rounding = _draws(learning, n, lead_in, seed)
    spikes = events != 0
    it.x = np.stack([note_spikes(it.x[k], it.noted_x, spikes, x_traces[k]) for k in range(2)])
    it.noted_x = np.where(spikes, place, it.noted_x)
    if learning.reads_events:
        spikes, second = sent[learning.postsynaptic] != 0, int(draws.y_second[0])
        it.y = np.stack([note_spikes(it.y[k], it.noted_y, spikes, y_traces[k], second) for k in range(3)])
        it.noted_y = np.where(spikes, place, it.noted_y)
    if place != learning.every:
        return
    if learning.third_factors:
        it.y = np.stack([sent.get(name, np.zeros_like(it.noted_y)) for name in FACTORS])
    x_draws = int(draws.x_decay[0]), int(draws.x_impulse[0])
    y_draws = int(draws.y_decay[0]), int(draws.y_impulse[0])
    x = [history(it.x[k], it.noted_x, x_traces[k], learning.every, *x_draws) for k in range(2)]
    y = [history(it.y[k], it.noted_y, y_traces[k], learning.every, *y_draws) for k in range(3)]
    traces = EpochTraces(np.stack(x, axis=1), np.stack(y, axis=1), it.noted_x, it.noted_y)
    if rounding is None:
        rows = row(key(seed, learning.stream, n), np.arange(it.w.shape[0]))[:, np.newaxis]
        rounding = at(rows, np.arange(it.w.shape[1])[np.newaxis, :]).astype(np.int64) >> 25
    epoch = (n + 1 + lead_in) // learning.every
    old, sign = SynapticVariables(it.w, it.t, it.d), _SIGN_MODES[it.code.sign_mode]
    if not frozen:
        new = learn(learning.rule, old, traces, epoch, rounding, sign)
        it.w, it.t, it.d = (np.where(it.connected, values, 0) for values in (new.w, new.t, new.d))
    it.x, it.noted_x, it.noted_y = traces.x[-1], np.zeros_like(it.noted_x), np.zeros_like(it.noted_y)
    if not learning.third_factors:
        it.y = traces.y[-1]


def _traces(learning: LearningCode) -> tuple[list[Trace], list[Trace]]:
    """x1, x2 and y1 to y3; one that no rule reads stays 0."""
    named = {trace.name: spike_trace(trace.tau, trace.impulse) for trace in learning.traces}
    none = spike_trace(0, 0)
    y = [third_factor() if learning.third_factors else named.get(name, none) for name in FACTORS]
    return [named.get(name, none) for name in ("x1", "x2")], y


def _draws(learning: LearningCode, n: int, lead_in: int, seed: int) -> tuple[TraceDraws, Any]:
    """Of step n alone: the traces' draws, and what rounds all synapses; None where each has a draw."""
    if learning.rounding == "lava":
        drawn = lava_draws(seed, n + lead_in, 1, learning.every)
        return drawn.traces, int(drawn.rounding[0]) if len(drawn.rounding) else None
    return counter_draws(seed, learning.trace_stream, n, 1, learning.every), None
