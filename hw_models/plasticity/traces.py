"""Lava's spike traces in integers: the executable specification.

A trace is an integer from 0 to 127. Once a learning epoch of E steps its history is rebuilt, place 1 to E:

    decay      f = exp(-1/tau) h[i-1];   h[i] = floor(f) + (r_decay < f mod 1);   tau = 0: h[i] = 0
    impulse    where the neuron's noted spike has place i:  h[i] = clip(h[i] + I + (r_impulse < F), 0, 127)
    I = floor(impulse),  F = round((impulse - I) * 256)

One r_decay, an integer below 2^53, and one r_impulse, 0 to 127, serve all neurons and places of the epoch.
That r_impulse has 7 bits where F counts 256ths is Lava's own: a fraction rounds up twice as often as it
should. A second spike of a neuron in the same epoch adds an impulse to the stored trace at once, and the
noted place becomes the later one.

Third factors y1 to y3 that a neuron sends ("three-factor rules") go through the same history with tau 65535
and impulse 0 (`third_factor`): they may be signed, leak towards zero by chance, and lose their sign from the
place of a spike that the neuron reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models.plasticity.draws import DECAY_BITS

Integers = NDArray[np.int64]

HIGHEST = 127
#: tau of a third factor in Lava; the value is not meant to decay, but does.
THIRD_FACTOR_TAU = 65535
#: Values of third factors beyond this are read as this. A factor saturates at [-128, 127] after a constant of
#: at most 128 was added, and loses at most one a step, so no rule with epochs of up to 255 steps can tell.
THIRD_FACTOR_LIMIT = 512


@dataclass(frozen=True)
class Trace:
    """One trace: what each stored value decays to in a step, and what a spike adds.

    A value v becomes `floors[v - lowest]`, and one more where the draw is below `thresholds[v - lowest]`.
    """

    lowest: int
    floors: Integers
    thresholds: Integers
    impulse: int
    fraction: int


def spike_trace(tau: float, impulse: float) -> Trace:
    """The trace of time constant `tau` (steps; 0: none) to which a spike adds `impulse`; neither negative."""
    whole = int(np.floor(impulse))
    floors, thresholds = _decay_table(tau, 0, HIGHEST)
    return Trace(0, floors, thresholds, whole, int(np.round((impulse - whole) * 256)))


def third_factor() -> Trace:
    """The history of a third factor between the step in which it was sent and the end of the epoch."""
    lowest = -THIRD_FACTOR_LIMIT
    floors, thresholds = _decay_table(THIRD_FACTOR_TAU, lowest, THIRD_FACTOR_LIMIT)
    return Trace(lowest, floors, thresholds, 0, 0)


def _decay_table(tau: float, lowest: int, highest: int) -> tuple[Integers, Integers]:
    values = np.arange(lowest, highest + 1)
    if tau == 0:
        return np.zeros_like(values), np.zeros_like(values)
    decayed = np.exp(np.array([-1 / tau])) * values
    # A draw k / 2^53 is below the fraction exactly where k is below the fraction's multiple, rounded up.
    thresholds = np.ceil(np.ldexp(decayed % 1, DECAY_BITS))
    return np.floor(decayed).astype(np.int64), thresholds.astype(np.int64)


def decay(values: Integers, trace: Trace, draw: int) -> Integers:
    """The values one step later."""
    index = np.clip(values, trace.lowest, trace.lowest + len(trace.floors) - 1) - trace.lowest
    return np.asarray(trace.floors[index] + (draw < trace.thresholds[index]))


def add_impulse(values: Integers, trace: Trace, draw: int) -> Integers:
    """The values after one spike of each neuron."""
    return np.clip(values + trace.impulse + (draw < trace.fraction), 0, HIGHEST)


def note_spikes(
    stored: Integers, noted: Integers, spikes: NDArray[np.bool_], trace: Trace, draw: int = 0
) -> Integers:
    """The stored trace after the spikes of one step: a neuron that fires again in its epoch adds at once.

    `draw` is 0 for presynaptic traces, as in Lava, and that step's `y_second` for postsynaptic ones. The
    caller then writes the step's place, 1 to E, into `noted` where `spikes` holds.
    """
    return np.where(spikes & (noted > 0), add_impulse(stored, trace, draw), stored)


def history(
    stored: Integers, noted: Integers, trace: Trace, epoch: int, decay_draw: int, impulse_draw: int
) -> Integers:
    """The trace after each place of an epoch of `epoch` steps: [place 0 to epoch, neuron].

    Place 0 is the stored value, the last place what is stored for the next epoch (not so for third factors,
    whose stored value is what the neuron sends next). `noted` is the place of each neuron's last spike, or 0.
    """
    places = np.empty((epoch + 1, len(stored)), dtype=np.int64)
    places[0] = np.clip(stored, trace.lowest, trace.lowest + len(trace.floors) - 1)
    for place in range(1, epoch + 1):
        decayed = decay(places[place - 1], trace, decay_draw)
        places[place] = np.where(noted == place, add_impulse(decayed, trace, impulse_draw), decayed)
    return places


def integer_trace(values: Any, events: Any, decay: int, increment: int) -> Integers:
    """The plain trace of the carry form, one step later: no table, no draw.

        x = (x (4096 - decay)) >> 12;   where an event arrives: x = min(x + increment, 127)

    Emulation only: no chip offers this trace. `decay` is 0 to 4096.
    """
    decayed = (np.asarray(values, dtype=np.int64) * (4096 - decay)) >> 12
    return np.where(np.asarray(events, dtype=bool), np.minimum(decayed + increment, HIGHEST), decayed)
