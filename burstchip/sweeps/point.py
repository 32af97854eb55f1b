"""One point of a sweep: done in a folder of its own, by any process that sees it, or gone on with there."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from burstchip.files.json_file import write_json
from burstchip.sweeps.description import Description, Point
from burstchip.sweeps.result import Kept, Result, read_kept, write_kept
from burstchip.sweeps.work import ChangedNetworkError, do, messages
from hw_models.diagnostics import BurstchipError

#: The folders of a sweep: of its points, and of word of those under way.
POINTS, WORKING = "points", "working"
#: What is raised where another process is at a point.
_HELD = "BC571"
_WAIT_SECONDS, _TELL_SECONDS = 1.0, 1.0


class OrphanedError(Exception):
    """The process that wanted a point is gone."""


class Word(msgspec.Struct, frozen=True):
    """How far a worker is with a point: the share that is done, and a note."""

    share: float
    note: str


@dataclass(frozen=True)
class PointFolder:
    """A point in a sweep's folder `out`. `parent` is the process without which a worker gives up."""

    out: Path
    sweep: Description
    point: Point
    parent: int | None = None

    @property
    def path(self) -> Path:
        """The point's own folder."""
        return self.out / POINTS / self.point.name

    @property
    def word(self) -> Path:
        """Where a worker leaves a `Word` while it is at the point."""
        return self.out / WORKING / f"{self.point.name}.json"

    @property
    def kept(self) -> Kept | None:
        """What came of the point."""
        return read_kept(self.path)

    @property
    def done(self) -> bool:
        """Whether nothing is left to do; a point that failed is tried again."""
        found = self.kept
        return found is not None and found.result.state == "done"

    def give_up(self, why: str) -> None:
        """Leave the point as failed, for a reason outside of the network. Raises OSError."""
        write_kept(self.path, Result(state="failed", diagnostics=[why]), 0.0)

    def work(self) -> None:
        """Do the point, or what is left of it; a mistake in the network is its result.

        Raises `BurstchipError` BC897 where the network's file is another than the sweep's, OSError.
        """
        began = told = time.perf_counter()
        self._tell(0.0, "")

        def watch(share: float, note: str) -> None:
            nonlocal told
            self._require_parent()
            if time.perf_counter() - told > _TELL_SECONDS:
                told = time.perf_counter()
                self._tell(share, note)

        while not self.done:
            self._require_parent()
            try:
                result = do(self.sweep, self.point, self.path, watch)
            except ChangedNetworkError:
                raise
            except BurstchipError as error:
                if any(it.id == _HELD for it in error.diagnostics):
                    # The worker of a sweep that was killed: it ends at its next look, or has the point done.
                    time.sleep(_WAIT_SECONDS)
                    continue
                result = Result(state="failed", diagnostics=messages(self.sweep, error.diagnostics))
            except MemoryError:
                result = Result(state="failed", diagnostics=["the memory does not suffice for this point"])
            write_kept(self.path, result, time.perf_counter() - began)
            break
        self.word.unlink(missing_ok=True)

    def _tell(self, share: float, note: str) -> None:
        write_json(self.word, msgspec.to_builtins(Word(share, note)))

    def _require_parent(self) -> None:
        if self.parent is not None and os.getppid() != self.parent:
            raise OrphanedError(self.point.text)
