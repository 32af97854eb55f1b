"""What Lava's processes leave behind: rows of integers in memory-mapped files, one row a step.

Reading a Var costs Lava one message for each number; a model that writes into a mapped file costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

#: What a population counts, and the name under which it is recorded: no name of a program's variable.
COUNTED = ("events", "bursts", "clipped")
COUNTS = "events, bursts, clipped"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Track:
    """One variable's file: `rows` rows of `size` integers, written over again after the last."""

    path: Path
    size: int
    rows: int

    def make(self) -> NDArray[np.int32]:
        """Make the file, of zeros, with all the room that it takes. Raises OSError where there is less."""
        with self.path.open("wb") as file:
            _reserve(file, 4 * self.rows * self.size)
        return self.open("r+")

    def open(self, mode: Literal["r", "r+"]) -> NDArray[np.int32]:
        """The file as an array [row, index]."""
        if self.size == 0:
            # A file of no bytes cannot be mapped.
            return np.zeros((self.rows, 0), dtype=np.int32)
        return np.memmap(self.path, dtype=np.int32, mode=mode, shape=(self.rows, self.size))  # type: ignore[call-overload,no-any-return]


def _reserve(file: IO[bytes], size: int) -> None:
    # A write into a mapped file that has no room is no error, but the end of the process (SIGBUS).
    if size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    # A system without this call.
    for _ in range(0, size, _CHUNK):
        file.write(bytes(_CHUNK))
    file.truncate(size)


@dataclass
class Recorder:
    """Writes the variables that have a track; step `first` is row 0, what comes before is left out."""

    tracks: Mapping[str, Track]
    first: int
    #: (pre, post) of each synapse of a sparse connection.
    pairs: tuple[NDArray[Any], NDArray[Any]] | None = None
    _open: dict[str, NDArray[np.int32]] = field(default_factory=dict)

    def write(self, time_step: int, values: Mapping[str, Any]) -> None:
        """Write the row of a step; a second call for the same step writes over it."""
        if time_step < self.first:
            return
        for name, track in self.tracks.items():
            if name in values:
                if name not in self._open:
                    self._open[name] = track.open("r+")
                self._open[name][(time_step - self.first) % track.rows] = values[name]

    def synapses(self, matrix: Any) -> NDArray[Any]:
        """The synapses of a matrix [post, pre] in the program's order: by source, then by target."""
        by_source = matrix.toarray().T if hasattr(matrix, "toarray") else np.asarray(matrix).T
        return by_source.ravel() if self.pairs is None else by_source[self.pairs]
