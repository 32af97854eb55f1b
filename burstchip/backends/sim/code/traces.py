"""Traces of events: of the carry form (`decay_plain`, `bump`), and those of `hw_models.plasticity.traces`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.code.loop import loop
from burstchip.backends.sim.code.scratch import release, scratch

Numbers = NDArray[Any]


@loop
def decay_plain(x: Numbers, n: int, keep: int) -> None:
    """x <- x * keep / 4096, floored; x is never negative."""
    for i in range(n):
        x[i] = np.int32(np.int32(x[i] * keep) >> np.int32(12))


@loop
def decay_plain_real(x: Numbers, n: int, keep: float) -> None:
    """x <- x * keep."""
    for i in range(n):
        x[i] *= keep


@loop
def bump(x: Numbers, events: Numbers, count: int, impulse: int) -> None:
    """x <- min(x + impulse, 127) where an event arrived."""
    for k in range(count):
        x[events[k]] = min(x[events[k]] + impulse, 127)


@loop
def bump_real(x: Numbers, events: Numbers, count: int, impulse: float) -> None:
    """x <- x + impulse where an event arrived."""
    for k in range(count):
        x[events[k]] += impulse


@loop
def note(
    stored: Numbers, noted: Numbers, events: Numbers, count: int, place: int, impulses: Numbers, draw: int
) -> None:
    """Note the place of each event; a neuron that already emitted in this epoch adds its impulse at once."""
    for e in range(count):
        j = events[e]
        if noted[j] > 0:
            for k in range(stored.shape[0]):
                step = impulses[k, 0] + (1 if draw < impulses[k, 1] else 0)
                stored[k, j] = min(max(stored[k, j] + step, 0), 127)
        noted[j] = place


@loop
def note_real(
    stored: Numbers, noted: Numbers, events: Numbers, count: int, place: int, impulses: Numbers, draw: int
) -> None:
    """The same without rounding."""
    for e in range(count):
        j = events[e]
        if noted[j] > 0:
            for k in range(stored.shape[0]):
                stored[k, j] += impulses[k, 0]
        noted[j] = place


@loop
def take_factor(stored: Numbers, k: int, sent: Numbers) -> int:
    """Keep what neurons send as third factor `k`; whether any of it is not 0."""
    found = 0
    for j in range(stored.shape[1]):
        stored[k, j] = sent[j]
        found |= 1 if sent[j] != 0 else 0
    return found


@loop
def _copy(values: Numbers, k: int, history: Numbers, place: int) -> None:
    for j in range(values.shape[1]):
        history[place, k, j] = values[k, j]


@loop
def _move(values: Numbers, k: int, noted: Numbers, place: int, table: Numbers, low: int, step: int) -> None:
    for j in range(values.shape[1]):
        h = table[min(max(values[k, j] - low, 0), table.shape[0] - 1)]
        values[k, j] = min(max(h + step, 0), 127) if noted[j] == place else h


@loop
def _move_real(values: Numbers, k: int, noted: Numbers, place: int, kept: float, step: float) -> None:
    for j in range(values.shape[1]):
        values[k, j] = values[k, j] * kept + (step if noted[j] == place else 0.0)


@loop
def replay(
    stored: Numbers,
    noted: Numbers,
    floors: Numbers,
    thresholds: Numbers,
    low: int,
    impulses: Numbers,
    every: int,
    decay_draw: int,
    impulse_draw: int,
    keep: int,
    wanted: int,
    history: Numbers,
) -> None:
    """Rebuild an epoch's history: decay at each place, an impulse at the noted one.

    What the last place has is stored where `keep` is set; the history is written where it is `wanted`.
    """
    places = history.shape[0]
    size = floors.shape[1]
    table = scratch(0, size, np.int32)
    for k in range(stored.shape[0]):
        for v in range(size):
            table[v] = floors[k, v] + (1 if decay_draw < thresholds[k, v] else 0)
        step = impulses[k, 0] + (1 if impulse_draw < impulses[k, 1] else 0)
        if places == 1 and every > 1 and size <= stored.shape[1]:
            # Many neurons: what m steps of decay make of each value, then two look-ups a neuron.
            after = scratch(every + 1, size, np.int32)
            for v in range(size):
                after[0, v] = v + low
            for m in range(every):
                for v in range(size):
                    after[m + 1, v] = table[min(max(after[m, v] - low, 0), size - 1)]
            for j in range(stored.shape[1]):
                h = after[noted[j] if noted[j] > 0 else every, min(max(stored[k, j] - low, 0), size - 1)]
                if noted[j] > 0:
                    h = min(max(h + step, 0), 127)
                    h = after[every - noted[j], min(max(h - low, 0), size - 1)]
                history[0, k, j] = h
                if keep:
                    stored[k, j] = h
            release(after)
            continue
        values = stored if keep else history[places - 1]
        if not keep:
            _copy(stored, k, history, places - 1)
        if wanted and places > 1:
            _copy(stored, k, history, 0)
        for place in range(1, every + 1):
            _move(values, k, noted, place, table, low, step)
            if wanted and places > 1 and (keep or place < every):
                _copy(values, k, history, place)
        if wanted and places == 1 and keep:
            _copy(values, k, history, 0)
    release(table)


@loop
def replay_real(
    stored: Numbers,
    noted: Numbers,
    floors: Numbers,
    thresholds: Numbers,
    low: int,
    impulses: Numbers,
    every: int,
    decay_draw: int,
    impulse_draw: int,
    keep: int,
    wanted: int,
    history: Numbers,
) -> None:
    """The same without rounding; `floors` holds what one step keeps."""
    places = history.shape[0]
    for k in range(stored.shape[0]):
        values = stored if keep else history[places - 1]
        if not keep:
            _copy(stored, k, history, places - 1)
        if wanted and places > 1:
            _copy(stored, k, history, 0)
        for place in range(1, every + 1):
            _move_real(values, k, noted, place, floors[k, 0], impulses[k, 0])
            if wanted and places > 1 and (keep or place < every):
                _copy(values, k, history, place)
        if wanted and places == 1 and keep:
            _copy(values, k, history, 0)
