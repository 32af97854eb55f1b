"""Our own runs and a program of others, in turn, as seconds of the network in a second of the clock."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

AUTHORS = "the authors' program"


@dataclass(frozen=True)
class Speed:
    """Seconds of the network in one of the clock, in each repetition."""

    name: str
    rates: tuple[float, ...]

    @property
    def median(self) -> float:
        """Over the repetitions."""
        return statistics.median(self.rates)

    def cell(self) -> str:
        """For a table."""
        return f"{self.median:.2f}\n({min(self.rates):.2f} – {max(self.rates):.2f})"

    def times(self, other: Speed) -> str:
        """How much faster than another, for a table."""
        return f"{self.median / other.median:.1f}"


def in_turn(ways: Mapping[str, Callable[[], float]], seconds: float, repeats: int) -> list[Speed]:
    """All ways to run a network for so many seconds; each returns the seconds of the clock that it took."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            taken[name].append(way())
    return [Speed(name, tuple(seconds / it for it in found)) for name, found in taken.items()]


def program_seconds(command: Sequence[str | Path], begins: bytes) -> tuple[float, bytes]:
    """(seconds of a program from when it first says `begins` to its end, what it said)."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, bufsize=0) as process:
        assert process.stdout is not None
        said, started, began = b"", perf_counter(), False
        while chunk := process.stdout.read(4096):
            said += chunk
            if not began and begins in said:
                started, began = perf_counter(), True
    assert process.returncode == 0, f"{command[0]} ended with {process.returncode}"
    return perf_counter() - started, said
