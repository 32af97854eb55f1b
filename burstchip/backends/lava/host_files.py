"""What the host gives a run in Lava, on its way through memory-mapped files.

Lava's models live in processes of their own. Ours writes the rows of the steps to come before it lets Lava
run, and the models read them; a value that the host writes is a file of one row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.lava.recorder import Track
from compiler.ir.signals import Host


@dataclass
class StreamFile:
    """Rows of a stream from a first one on: `head` is (first, count)."""

    head: Track
    rows: Track
    _open: list[NDArray[np.int32]] = field(default_factory=list)

    def make(self) -> None:
        """Make both files, without rows. Raises OSError where room is missing."""
        self._open = [self.head.make(), self.rows.make()]

    def write(self, first: int, rows: NDArray[Any]) -> None:
        """Put rows in place of those before, after `make`."""
        head, table = self._open
        head[0] = first, len(rows)
        table[: len(rows)] = rows

    def __call__(self, first: int, count: int) -> NDArray[Any]:
        """`count` rows from `first` on, 0 where there is none."""
        if not self._open:
            self._open = [self.head.open("r"), self.rows.open("r")]
        head, table = self._open
        found = np.zeros((count, table.shape[1]), dtype=np.int64)
        begin = first - int(head[0, 0])
        there = table[max(begin, 0) : min(begin + count, int(head[0, 1]))]
        found[max(-begin, 0) : max(-begin, 0) + len(there)] = there
        return found


@dataclass
class WrittenValues(MutableMapping[str, Any]):
    """The host's values by name: a number, or [neuron]; one that is set for all neurons is a number."""

    tracks: Mapping[str, Track]
    _open: dict[str, NDArray[np.int32]] = field(default_factory=dict)

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self._open:
            self._open[name] = self.tracks[name].make()
        self._open[name][0] = value

    def __getitem__(self, name: str) -> Any:
        if name not in self._open:
            self._open[name] = self.tracks[name].open("r")
        values = self._open[name][0].astype(np.int64)
        return int(values[0]) if values.size == 1 else values

    def __delitem__(self, name: str) -> None:
        raise TypeError("the values of the host cannot be taken back")

    def __iter__(self) -> Iterator[str]:
        return iter(self.tracks)

    def __len__(self) -> int:
        return len(self.tracks)


@dataclass(frozen=True)
class HostFiles:
    """All files of a run."""

    written: Mapping[str, Track]
    streams: Mapping[str, tuple[Track, Track]]

    def host(self) -> Host:
        """What signals are evaluated with, in Lava's processes."""
        streams = {name: StreamFile(*files) for name, files in self.streams.items()}
        return Host(streams, WrittenValues(self.written))
