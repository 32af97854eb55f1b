"""Lava in a process of its own, seen from ours: a network goes out, recordings come back through files.

A model of Lava that fails, or that waits for a message that is never sent, does not end by itself. So Lava is
run in a child process that must answer within a set time and is otherwise ended, with all its workers.
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
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.available import require_backend
from burstchip.backends.host_values import check_ahead, written_value
from burstchip.backends.integers import require_integers
from burstchip.backends.lava.host_files import StreamFile, WrittenValues
from burstchip.backends.lava.recorder import COUNTED, COUNTS, Track
from burstchip.backends.lava.temporary import with_room
from burstchip.variables import Place, place_size
from compiler.artifact import save_artifact
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import HALVINGS, Host, Streamed, Written
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC553": "Lava failed, or did not answer in time"})

#: Seconds that Lava may take to start, to build a network, or for one call to `advance`.
ANSWER_SECONDS = 60.0
#: Seconds that ended processes have to release what they share.
END_SECONDS = 2.0
#: Bytes of recordings that one call to `advance` may fill.
RECORD_BYTES = 1 << 26


class LavaWorker:
    """A child process that holds Lava and runs networks one after another; starts again after a failure."""

    def __init__(self, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.answer_seconds = answer_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._log: Any = None
        #: How many children there were; what one holds is lost with it.
        self.generation = 0

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
            raise self._failure("the Lava process has ended") from None
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
        with with_room():
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
        self.generation += 1
        self._answer()

    @property
    def alive(self) -> bool:
        """Whether a child is there to be asked."""
        return self._child is not None

    def _answer(self) -> dict[str, Any]:
        assert self._child is not None and self._child.stdout is not None
        ready, _, _ = select.select([self._child.stdout], [], [], self.answer_seconds)
        if not ready:
            raise self._failure(f"Lava did not answer within {self.answer_seconds:g} s")
        line = self._child.stdout.readline()
        if not line:
            raise self._failure("the Lava process has ended")
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
    """A program under way in Lava, from its start: a `Run`.

    `record` are the places whose values `advance` returns. Unless `counting`, no event is counted and no
    class read out, so that nothing is written but what is recorded. `worker` lends a child process.
    """

    def __init__(
        self,
        worker: LavaWorker | None,
        code: ChipProgram,
        host: Host | None = None,
        record: Sequence[Place] = (),
        *,
        rows: int | None = None,
        counting: bool = True,
    ) -> None:
        require_integers(code)
        self.code, self.clock, self.readout = code, 0, list[int]()
        self.record, self.counting = tuple(record), counting
        self.host = Host() if host is None else host
        self._owned = LavaWorker() if worker is None else None
        self.worker = worker or self._owned or LavaWorker()
        self._counts = np.zeros((len(code.populations), len(COUNTED)), dtype=np.int64)
        sizes = {
            place: len(COUNTED) if place[1] == COUNTS else place_size(code, place)
            for place in self._tracked()
        }
        self.rows = rows or max(1, min(RECORD_BYTES // (4 * max(1, sum(sizes.values()))), 4096))
        self._open: dict[Place, NDArray[np.int32]] = {}
        with with_room():
            self._folder = tempfile.TemporaryDirectory(prefix="burstchip-lava-")
            try:
                records = self._make_files(sizes)
            except BaseException:
                self._folder.cleanup()
                raise
        answer = self.worker.ask(
            {
                "open": {
                    "artifact": str(Path(self._folder.name) / "network.burst"),
                    "records": records,
                    "written": {name: _entry(track) for name, track in self._written.tracks.items()},
                    "streams": {
                        name: (_entry(it.head), _entry(it.rows)) for name, (_, it) in self._streams.items()
                    },
                }
            }
        )
        self._generation = self.worker.generation
        #: Names of populations and projections that run as stock Lava.
        self.stock = tuple(answer["stock"])

    def __repr__(self) -> str:
        return f"<run of '{self.code.name}' on lava, {self.clock:,} steps done>"

    def advance(self, steps: int) -> dict[Place, NDArray[np.int32]]:
        """Run `steps` steps; what is recorded, as [step, index]."""
        check_ahead(steps)
        kept: dict[Place, list[NDArray[np.int32]]] = {
            place: [np.zeros((0, place_size(self.code, place)), dtype=np.int32)] for place in self.record
        }
        for begin in range(0, steps, self.rows):
            seen = self._part(min(self.rows, steps - begin))
            for place, values in kept.items():
                values.append(seen[place])
        return {place: np.concatenate(values) for place, values in kept.items()}

    def _part(self, steps: int) -> dict[Place, NDArray[np.int32]]:
        for name, (hold, it) in self._streams.items():
            first = max(self.clock, 0) // hold
            count = (self.clock + steps + self.code.lead) // hold - first + 1
            it.write(first, self.host.streams[name](first, count))
        self.worker.ask({"advance": steps})
        at = (self.clock + np.arange(steps)) % self.rows
        seen = {place: np.asarray(values[at]) for place, values in self._open.items()}
        self.clock += steps
        self._count(seen, steps)
        return seen

    def _count(self, seen: Mapping[Place, NDArray[np.int32]], steps: int) -> None:
        if self.counting:
            self._counts = np.array([seen[p.name, COUNTS][-1] for p in self.code.populations])
        task = self.code.task
        if task is None or not self.counting:
            return
        roles = self.code.population(task.readout).roles
        clocks = self.clock - steps + np.arange(steps)
        for row in np.flatnonzero(clocks % task.present == task.present - 1):
            count, tie = (seen[task.readout, name][row].astype(np.int64) for name in (roles.count, roles.tie))
            self.readout.append(int(np.lexsort((-tie, -count))[0]))

    def read(self, place: str, variable: str) -> NDArray[Any]:
        """A recorded variable as it is now. Raises `BurstchipError` BC567 for one that is not recorded."""
        if (place, variable) not in self._open:
            raise self._unable(f"read {place}.{variable}", "a variable that the run records")
        if self.clock == 0:
            from burstchip.backends.plain.run import PlainRun

            return PlainRun(self.code).read(place, variable)
        return np.array(self._open[place, variable][(self.clock - 1) % self.rows])

    def write(self, name: str, value: Any) -> None:
        """Set what the host writes as `name`, from the next step on."""
        self._written[name] = written_value(self.code, name, value, real=False)

    def weights(self, name: str) -> NDArray[Any]:
        """The weights that events see; of a projection whose w is recorded."""
        projection = self.code.projection(name)
        return projection.forward(self.read(name, "w")).reshape(projection.weights.T.shape)

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Raises `BurstchipError` BC567."""
        raise self._unable("take other weights", "backend sim, plain or reference")

    def state(self) -> Mapping[str, NDArray[Any]]:
        """Raises `BurstchipError` BC567."""
        raise self._unable("give its state", "backend sim, plain or reference")

    def restore(self, state: Mapping[str, NDArray[Any]], clock: int) -> None:
        """Raises `BurstchipError` BC567."""
        raise self._unable("go on from a state", "backend sim, plain or reference")

    @property
    def events(self) -> dict[str, int]:
        """How many events each population has emitted."""
        return self._counted("events")

    @property
    def bursts(self) -> dict[str, int]:
        """How many bursts each population that has any has emitted."""
        return self._counted("bursts")

    @property
    def clipped(self) -> dict[str, int]:
        """How many summed inputs of each population left their width."""
        return self._counted("clipped")

    def _counted(self, what: str) -> dict[str, int]:
        return {
            population.name: int(counts[COUNTED.index(what)])
            for population, counts in zip(self.code.populations, self._counts, strict=True)
            if what != "bursts" or what in population.program.outputs
        }

    def adopt(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Raises `BurstchipError` BC567."""
        raise self._unable("take states", "backend sim, plain or reference")

    def close(self) -> None:
        """Stop Lava's processes and remove the files."""
        try:
            if self.worker.alive and self.worker.generation == self._generation:
                self.worker.ask({"close": True})
        finally:
            self._open.clear()
            self._folder.cleanup()
            if self._owned is not None:
                self._owned.end()

    def _unable(self, what: str, required: str) -> BurstchipError:
        message = f"backend 'lava' cannot {what}"
        return BurstchipError(Diagnostic("BC567", message, required=required, given="lava"))

    def _track(self, name: str, size: int, rows: int) -> Track:
        return Track(Path(self._folder.name) / f"{name}.track", size, rows)

    def _tracked(self) -> list[Place]:
        counts = ((population.name, COUNTS) for population in self.code.populations)
        needed: dict[Place, None] = dict.fromkeys((*self.record, *(counts if self.counting else ())))
        if self.code.task is not None and self.counting:
            readout = self.code.task.readout
            roles = self.code.population(readout).roles
            needed |= {(readout, roles.count): None, (readout, roles.tie): None}
        return list(needed)

    def _make_files(self, sizes: Mapping[Place, int]) -> dict[str, dict[str, Any]]:
        """All files of the run; what the child receives about those that it records into. Raises OSError."""
        records: dict[str, dict[str, Any]] = {}
        for number, ((place, variable), size) in enumerate(sizes.items()):
            track = self._track(f"{number}", size, self.rows)
            self._open[place, variable] = track.make()
            records.setdefault(place, {})[variable] = _entry(track)
        self._make_host_files()
        save_artifact(self.code, Path(self._folder.name) / "network.burst")
        return records

    def _make_host_files(self) -> None:
        """Files for the host's values, as they are at the start, and for the rows of streams."""
        sizes = {
            name: 1 if it.single else self.code.population(it.population).size
            for name, it in self.code.host.items()
        }
        bound = [(p.size, it) for p in self.code.populations for it in p.signals.values()]
        names = dict.fromkeys([*(it.name for _, it in bound if isinstance(it, Written)), HALVINGS])
        self._written = WrittenValues(
            {name: self._track(f"written-{k}", sizes.get(name, 1), 1) for k, name in enumerate(names)}
        )
        for name in names:
            self._written[name] = self.host.written.get(name, 0)
        self._streams: dict[str, tuple[int, StreamFile]] = {}
        for k, (size, it) in enumerate(bound):
            if isinstance(it, Streamed):
                rows = self._track(f"rows-{k}", size, self.rows // it.hold + 3)
                file = StreamFile(self._track(f"head-{k}", 2, 1), rows)
                file.make()
                self._streams[it.stream] = (it.hold, file)


def _entry(track: Track) -> tuple[str, int, int]:
    return str(track.path), track.size, track.rows
