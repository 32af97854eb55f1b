"""Courses over time that a signal may have, in physical units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sine:
    """mean + amplitude sin(2 pi (frequency t + phase)), frequency in Hz, phase in cycles."""

    mean: float
    amplitude: float
    frequency: float
    phase: float


@dataclass(frozen=True)
class Ramp:
    """From one value to another, evenly over so many ms; the last one stays."""

    first: float
    last: float
    over: float


@dataclass(frozen=True)
class Pulses:
    """`value` for the first `width` ms of each `period`, else `base` (None: what holds without it)."""

    value: float
    width: float
    period: float
    base: float | None


@dataclass(frozen=True)
class Steps:
    """(time in ms since the start, value that holds from then on), in order."""

    rows: tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class Table:
    """Rows [row] or [row, neuron] of `every` ms each, over and over or until the last one, which stays."""

    rows: NDArray[np.float64]
    every: float
    repeats: bool


@dataclass(frozen=True)
class StreamedRows:
    """Rows of `every` ms each that the host gives, with values from `low` to `high`."""

    every: float
    low: float
    high: float


@dataclass(frozen=True)
class WrittenValue:
    """A value from `low` to `high` that the host writes; `start` until then (None: without the signal)."""

    low: float
    high: float
    start: float | None


SignalCourse = Sine | Ramp | Pulses | Steps | Table | StreamedRows | WrittenValue
