"""Times of work that is repeated: the median, and how far the repetitions lie apart."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter, process_time

#: Does some work and returns how many units of it were done.
Work = Callable[[], float]


@dataclass(frozen=True)
class Measured:
    """One repetition: units a second, and the share of that time in which this process had a core."""

    rate: float
    busy: float


@dataclass(frozen=True)
class Rate:
    """Units a second over several repetitions; `busy` is the median share of a core that the process had."""

    median: float
    lowest: float
    highest: float
    busy: float
    repeats: int

    @property
    def per_core_second(self) -> float:
        """The median, had this process had a core to itself."""
        return self.median / self.busy

    @property
    def spread(self) -> float:
        """The distance from the lowest to the highest, as a share of the median."""
        return (self.highest - self.lowest) / self.median

    def as_json(self) -> dict[str, float]:
        """Plain numbers."""
        return {
            "median": self.median,
            "lowest": self.lowest,
            "highest": self.highest,
            "spread": self.spread,
            "busy": self.busy,
            "per_core_second": self.per_core_second,
            "repeats": self.repeats,
        }


def summary(measured: Sequence[Measured]) -> Rate:
    """All repetitions of one work."""
    rates = [one.rate for one in measured]
    busy = statistics.median(one.busy for one in measured)
    return Rate(statistics.median(rates), min(rates), max(rates), busy, len(rates))


def measure(work: Work) -> Measured:
    """Time one call."""
    started, used = perf_counter(), process_time()
    units = work()
    elapsed = perf_counter() - started
    return Measured(units / elapsed, (process_time() - used) / elapsed)


def rates_in_turn(*works: Work, repeats: int) -> tuple[Rate, ...]:
    """The rate of each of several works, measured in turn.

    Whatever else the machine does meanwhile then meets all of them alike.
    """
    measured: list[list[Measured]] = [[] for _ in works]
    for _ in range(repeats):
        for repetitions, work in zip(measured, works, strict=True):
            repetitions.append(measure(work))
    return tuple(summary(repetitions) for repetitions in measured)
