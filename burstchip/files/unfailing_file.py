"""A file whose writer never meets a failure: HDF5 crashes the process where it does, long after the failure.

What HDF5 cannot flush stays in its caches, whose objects are then closed one by one, each failing on the
next. So the first failure of the file system is noted for the caller to ask for, and what comes from then
on is kept in memory, where HDF5 finds it again: no more than its caches hold, since nothing is added.
"""

from __future__ import annotations

import io
import os
from pathlib import Path


class UnfailingFile(io.RawIOBase):
    """A file to write and to read back. `failure` is what the file system refused first, if anything."""

    def __init__(self, path: Path) -> None:
        """Raises OSError where the file cannot be made."""
        super().__init__()
        self.failure: OSError | None = None
        self._file = path.open("w+b", buffering=0)
        self._place = 0
        self._kept: list[tuple[int, bytes]] = []

    def seekable(self) -> bool:
        """It is."""
        return True

    def readable(self) -> bool:
        """It is."""
        return True

    def writable(self) -> bool:
        """It is."""
        return True

    def _length(self) -> int:
        on_disk = self._file.seek(0, io.SEEK_END)
        return max([on_disk, *(begin + len(data) for begin, data in self._kept)])

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, as in any file."""
        before = (0, self._place, self._length() if whence == io.SEEK_END else 0)[whence]
        self._place = before + place
        return self._place

    def tell(self) -> int:
        """The place."""
        return self._place

    def write(self, data: object) -> int:
        """Write all of `data`, on the disk or, after a failure, in memory."""
        content = memoryview(data).cast("B")  # type: ignore[arg-type]
        written = 0
        if self.failure is None:
            try:
                self._file.seek(self._place)
                while written < len(content):
                    written += self._file.write(content[written:])
            except OSError as reason:
                self.failure = reason
        if written < len(content):
            self._kept.append((self._place + written, bytes(content[written:])))
        self._place += len(content)
        return len(content)

    def readinto(self, target: object) -> int:
        """Read what was written there; zeros where nothing was."""
        wanted = memoryview(target).cast("B")  # type: ignore[arg-type]
        begin, count = self._place, max(0, min(len(wanted), self._length() - self._place))
        wanted[:count] = bytes(count)
        try:
            self._file.seek(begin)
            found = self._file.read(count)
            wanted[: len(found)] = found
        except OSError as reason:
            self.failure = self.failure or reason
        for place, data in self._kept:
            first, last = max(begin, place), min(begin + count, place + len(data))
            if first < last:
                wanted[first - begin : last - begin] = data[first - place : last - place]
        self._place += count
        return count

    def truncate(self, size: int | None = None) -> int:
        """Cut the file, or lengthen it."""
        length = self._place if size is None else size
        if self.failure is None:
            try:
                return self._file.truncate(length)
            except OSError as reason:
                self.failure = reason
        return length

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Close the file; a failure stays noted."""
        if not self.closed:
            try:
                # Some file systems refuse no earlier.
                os.fsync(self._file.fileno())
                self._file.close()
            except OSError as reason:
                self.failure = self.failure or reason
        super().close()
