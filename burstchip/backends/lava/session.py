"""Lava in a process of its own, seen from ours: a network goes out, recordings come back through files.

A model of Lava that fails, or that waits for a message nobody sends, never ends by itself. So Lava runs in a
child process that must answer within a set time and is otherwise ended, with all its workers.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.available import require_backend
from burstchip.backends.integers import require_integers
from burstchip.backends.lava.recorder import Track
from burstchip.backends.shown import Shown
from compiler.artifact import save_artifact
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC553": "Lava failed, or did not answer in time"})

#: Seconds that Lava may take to start, to build a network, or for one call to `advance`.
ANSWER_SECONDS = 60.0
#: Seconds that ended processes have to release what they share.
END_SECONDS = 2.0
#: Bytes of recordings that one call to `advance` may fill.
RECORD_BYTES = 1 << 26
#: (population or projection, variable).
Place = tuple[str, str]


class LavaWorker:
    """A child process that holds Lava and runs networks one after another; starts anew after a failure."""

    def __init__(self, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.answer_seconds = answer_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._log: Any = None

    def __enter__(self) -> LavaWorker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The child's answer. Raises `BurstchipError` BC553 where it fails or takes too long."""
        if self._child is None:
            self._start()
        assert self._child is not None and self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(request).encode() + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise self._failure("the process with Lava has ended") from None
        return self._answer()

    def end(self) -> None:
        """End the child and Lava's workers."""
        if self._child is None:
            return
        child, self._child = self._child, None
        # Python's tracker of shared memory ignores this signal, outlives the others and cleans up after them.
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(child.pid, number)
            except ProcessLookupError:
                break
            try:
                child.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            if number == signal.SIGTERM and not _group_ends(child.pid):
                continue
            break
        for stream in (child.stdin, child.stdout, self._log):
            if stream is not None:
                stream.close()

    def _start(self) -> None:
        require_backend("lava")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the child)
        # More threads than cores only get into the way of Lava's many processes.
        single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._child = subprocess.Popen(
            [sys.executable, "-m", "burstchip.backends.lava.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
            env={**os.environ, **single},
        )
        self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._child is not None and self._child.stdout is not None
        ready, _, _ = select.select([self._child.stdout], [], [], self.answer_seconds)
        if not ready:
            raise self._failure(f"Lava did not answer within {self.answer_seconds:g} s")
        line = self._child.stdout.readline()
        if not line:
            raise self._failure("the process with Lava has ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise self._failure(answer["error"])
        return answer

    def _failure(self, what: str) -> BurstchipError:
        self._log.seek(0)
        text = self._log.read().decode(errors="replace")
        # What ended first; the other workers, and Python's tracker of shared memory, have their say after it.
        said = re.findall(r"^[\w.]*(?:Error|Exception)\b.*", text, re.M) or text.splitlines()[-1:]
        self.end()
        return BurstchipError(
            Diagnostic(
                "BC553",
                f"running the network in Lava failed: {what}",
                required="an answer from Lava",
                given=said[0].strip()[:300] if said else "nothing",
                hint="`burstchip run --backend sim` computes the same integers",
            )
        )


def _group_ends(group: int) -> bool:
    """Whether no process of the group is left but the tracker of shared memory, within END_SECONDS."""
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


class LavaRun:
    """A program under way in Lava, from its start. `tracked` says what is recorded in every step."""

    def __init__(
        self,
        worker: LavaWorker,
        code: ChipProgram,
        shown: Shown | None,
        tracked: Mapping[Place, int],
        rows: int | None = None,
    ) -> None:
        require_integers(code)
        self.worker, self.clock = worker, 0
        self._folder = tempfile.TemporaryDirectory(prefix="burstchip-lava-")
        folder = Path(self._folder.name)
        save_artifact(code, folder / "network.burst")
        if shown is not None:
            np.savez(folder / "shown.npz", images=shown.images, maximum=shown.maximum, labels=shown.labels)
        bytes_a_row = 4 * max(1, sum(tracked.values()))
        self.rows = rows or max(1, min(RECORD_BYTES // bytes_a_row, 4096))
        self._open: dict[Place, NDArray[np.int32]] = {}
        records: dict[str, dict[str, Any]] = {}
        for number, ((place, variable), size) in enumerate(tracked.items()):
            track = Track(folder / f"{number}.track", size, self.rows)
            self._open[place, variable] = track.open("w+")
            records.setdefault(place, {})[variable] = (str(track.path), size, self.rows)
        answer = worker.ask(
            {
                "open": {
                    "artifact": str(folder / "network.burst"),
                    "shown": None if shown is None else str(folder / "shown.npz"),
                    "records": records,
                }
            }
        )
        #: Names of populations and projections that run as stock Lava.
        self.stock = tuple(answer["stock"])

    def advance(self, steps: int) -> dict[Place, NDArray[np.int32]]:
        """Run 1 to `rows` steps; what was tracked, as [step, index]."""
        assert 1 <= steps <= self.rows
        self.worker.ask({"advance": steps})
        at = (self.clock + np.arange(steps)) % self.rows
        self.clock += steps
        return {place: np.asarray(values[at]) for place, values in self._open.items()}

    def close(self) -> None:
        """Stop Lava's processes and remove the files."""
        try:
            self.worker.ask({"close": True})
        finally:
            self._open.clear()
            self._folder.cleanup()
