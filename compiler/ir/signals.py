"""What reaches a program from outside its synapses: signals, functions of the clock and of the host.

A population binds inputs and parameters of its program, and its ports, to signals by name. `course` says what
a signal is in some steps; every backend asks it, so that a signal means the same on all of them. Clocks count
from 0; a source's is one step ahead of the neurons' where a task runs (`docs/time.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: `rows(first, count)` of a stream, [row, neuron].
Rows = Callable[[int, int], NDArray[Any]]
#: The value by which the driver of a task halves the learning rates.
HALVINGS = "halvings"


@dataclass(frozen=True)
class Constant:
    """One value throughout: a number, or the population's parameter of that name."""

    value: int | str


@dataclass(frozen=True)
class Clock:
    """The step's number."""


@dataclass(frozen=True)
class Periodic:
    """1 where first <= n mod period < last, else 0; with period 0 once."""

    period: int
    first: int
    last: int


@dataclass(frozen=True)
class Listed:
    """1, or its message, for each neuron that the population's `spikes` lists for the step, else 0."""


@dataclass(frozen=True, eq=False)
class Waveform:
    """Rows played from step `start` to `stop` (0: for ever), `pace` rows in every `per` steps.

    Step n plays row (n - start) pace // per; what `repeats` goes on from the first row, else the last one
    holds. Behind the rows that are played stands the one of before and after. `rows` is [row] or
    [row, neuron], `exact` the same before rounding, which `reference` plays: with `linear` it takes the way
    between two rows, and of a `sine` (mean, amplitude, cycles a step, cycles at the start) the exact value.
    """

    rows: NDArray[np.int64]
    exact: NDArray[np.float64]
    pace: int = 1
    per: int = 1
    start: int = 0
    stop: int = 0
    repeats: bool = False
    linear: bool = False
    sine: tuple[float, float, float, float] | None = None

    @property
    def played(self) -> int:
        """How many rows are played; behind them is the one that rests."""
        return len(self.rows) - 1


@dataclass(frozen=True)
class Streamed:
    """Row n // hold of the array that the run is given as `stream`; 0 after its last row."""

    stream: str
    hold: int


@dataclass(frozen=True, eq=False)
class Written:
    """`offset` plus what the host last wrote as `name`; before that, plus `start`, one or [neuron]."""

    name: str
    start: int | NDArray[np.int64] = 0
    offset: int = 0


Signal = Constant | Clock | Periodic | Listed | Waveform | Streamed | Written


@dataclass(frozen=True)
class HostInput:
    """How values of the host, from `least` to `greatest`, become integers: round(value / `unit`).

    `unit` is the physical value, in `unit_name`, that 1 stands for, `start` that until the host writes one:
    one number, or one a neuron. With `single` it writes one number for all neurons.
    """

    population: str
    input: str
    unit: float | NDArray[np.float64]
    unit_name: str
    least: float
    greatest: float
    start: float | NDArray[np.float64] = 0.0
    single: bool = False

    @property
    def largest(self) -> int:
        """The greatest magnitude of an integer."""
        ends = np.abs(np.rint([end / np.asarray(self.unit) for end in (self.least, self.greatest)]))
        return int(np.max(ends))


ALWAYS, NEVER = Constant(1), Constant(0)


@dataclass
class Host:
    """What a run is given from outside: values `written` by name, rows of each stream."""

    streams: Mapping[str, Rows] = field(default_factory=dict)
    written: MutableMapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Course:
    """A signal in some steps: `rows[index[k]]` in the k-th of them, a number or [neuron]."""

    rows: NDArray[Any]
    index: NDArray[np.int64]


def course(signal: Waveform | Streamed, first: int, count: int, host: Host, *, real: bool = False) -> Course:
    """What a waveform or a stream is in steps `first` to first + count - 1, at the population's own clock."""
    steps = np.arange(first, first + count, dtype=np.int64)
    if isinstance(signal, Streamed):
        rows = np.maximum(steps, 0) // signal.hold
        lowest = int(rows[0]) if count else 0
        wanted = int(rows[-1]) - lowest + 1 if count else 0
        return Course(host.streams[signal.stream](lowest, wanted), rows - lowest)
    if not real:
        return Course(signal.rows, _rows_played(signal, steps))
    return Course(_exact(signal, steps), np.arange(count, dtype=np.int64))


def _rows_played(signal: Waveform, steps: NDArray[np.int64]) -> NDArray[np.int64]:
    place = np.maximum(steps - signal.start, 0) * signal.pace // signal.per
    row = place % signal.played if signal.repeats else np.minimum(place, signal.played - 1)
    return np.where(_rests(signal, steps), signal.played, row)


def _rests(signal: Waveform, steps: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (steps < signal.start) | ((signal.stop > 0) & (steps >= signal.stop))


def _exact(signal: Waveform, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    rows = _rows_played(signal, steps)
    if signal.sine is not None:
        mean, amplitude, cycles, phase = signal.sine
        wave = mean + amplitude * np.sin(2 * np.pi * ((steps - signal.start) * cycles + phase))
        return np.where(rows == signal.played, signal.exact[-1], wave)
    values = np.asarray(signal.exact[rows], dtype=np.float64)
    if signal.linear:
        place = np.maximum(steps - signal.start, 0) * signal.pace / signal.per
        share = place - np.floor(place)
        following = signal.exact[np.minimum(rows + 1, signal.played - 1)]
        between = ((following - values).T * share).T
        resting = rows == signal.played
        values = values + np.where(resting if values.ndim == 1 else resting[:, np.newaxis], 0.0, between)
    return values


def value_at(
    signal: Signal,
    clock: int,
    host: Host,
    parameters: Mapping[str, Any],
    spikes: NDArray[np.int64] | None,
    size: int,
) -> Any:
    """The integers of a signal in one step: a number, or [neuron]."""
    if isinstance(signal, Constant):
        return parameters[signal.value] if isinstance(signal.value, str) else signal.value
    if isinstance(signal, Periodic):
        place = clock % signal.period if signal.period else clock
        return int(signal.first <= place < signal.last)
    if isinstance(signal, Written):
        return signal.offset + host.written.get(signal.name, signal.start)
    if isinstance(signal, Clock):
        return clock
    if isinstance(signal, Listed):
        value = np.zeros(size, dtype=np.int64)
        if spikes is not None:
            now = spikes[spikes[:, 0] == clock]
            value[now[:, 1]] = now[:, 2] if now.shape[1] > 2 else 1
        return value
    played = course(signal, clock, 1, host)
    return played.rows[played.index[0]]
