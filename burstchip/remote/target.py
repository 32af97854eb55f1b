"""The reference target: any backend of this machine behind the messages of the protocol.

What a host sends is hostile until it fits: hashes are computed again, rows, values and states must have the
shapes and ranges that the program declares.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.available import REAL, require_backend
from burstchip.backends.host_values import Numbers
from burstchip.remote.arrays import packed, state_sha256, unpacked
from burstchip.remote.held_artifacts import HeldArtifacts, Refused
from burstchip.remote.messages import (
    MOST_FRAME,
    PROTOCOL,
    Adopt,
    Advance,
    Advanced,
    Array,
    Bye,
    Counts,
    Error,
    Hashed,
    Hello,
    Infer,
    Learn,
    Load,
    Message,
    Piece,
    Profile,
    Read,
    Ready,
    Reset,
    Restore,
    SetWeights,
    Shown,
    State,
    StateHash,
    StateIs,
    Time,
    Timestamp,
    Values,
    Weights,
    Write,
    name_of,
)
from burstchip.remote.readable import readable_state
from burstchip.remote.received_rows import ReceivedRows
from burstchip.running.run import Run, open_run
from burstchip.variables import Place, is_projection
from hw_models.diagnostics import BurstchipError


class Target:
    """A backend that answers requests, one run at a time. `open_` opens a run, for tests as well."""

    def __init__(
        self, backend: str = "sim", *, threads: int = 1, open_: Callable[..., Run] = open_run
    ) -> None:
        require_backend(backend)
        self.backend, self.threads, self._open = backend, threads, open_
        self.real = backend in REAL
        self._held = HeldArtifacts()
        self._run: Run | None = None
        self._rows: ReceivedRows | None = None
        self._record: tuple[Place, ...] = ()
        self._learning = True

    def answer(self, request: Message) -> Message:
        """The answer to a request, an error where it cannot be done."""
        try:
            found: Message = _ANSWERS[type(request)](self, request)
        except Refused as refused:
            return Error(refused.code, str(refused), id=request.id)
        except BurstchipError as error:
            first = error.diagnostics[0]
            details = [f"{name} {text}" for name, text in _details(first) if text is not None]
            message = "; ".join([first.message, *details])
            return Error(first.id, message[: 1 << 15], first.hint, id=request.id)
        except MemoryError:
            return Error("memory", "the memory of the target does not suffice", id=request.id)
        return found

    def end(self) -> None:
        """End the run, where there is one."""
        if self._run is not None:
            self._run.close()
        self._run, self._rows = None, None

    def _hello(self, request: Hello) -> Message:
        from importlib.metadata import version

        if request.protocol != PROTOCOL:
            raise Refused("version", f"this target speaks version {PROTOCOL}, not {request.protocol}")
        return Profile(
            protocol=PROTOCOL,
            target=f"burstchip {version('burstchip')}",
            backend=self.backend,
            real=self.real,
            frame_bytes=MOST_FRAME,
            id=request.id,
        )

    def _load(self, request: Load) -> Message:
        return self._held.load(request)

    def _piece(self, request: Piece) -> Message:
        return self._held.piece(request)

    def _reset(self, request: Reset) -> Message:
        self.end()
        code = self._held.program(request.artifact)
        for name in request.frozen:
            if not is_projection(code, name):
                raise Refused("name", f"no projection '{name}'")
        rows = ReceivedRows(code, real=self.real)
        self._run = self._open(
            code,
            self.backend,
            record=request.record,
            streams={name: partial(rows.rows, name) for name in rows.names},
            learning=request.learning,
            seed=request.seed,
            frozen=request.frozen,
            begin=request.begin,
            threads=self.threads,
        )
        self._rows, self._record, self._learning = rows, request.record, request.learning
        return Ready(self._run.clock, id=request.id)

    def _advance(self, request: Advance) -> Message:
        run = self._running(request)
        self._take_rows(request.rows)
        before, began = len(run.readout), time.monotonic_ns()
        values = run.advance(request.steps)
        ended = time.monotonic_ns()
        return Advanced(
            run.clock,
            self._counts(run),
            began,
            ended,
            tuple(packed(self._narrow(place, values[place])) for place in self._record),
            tuple(run.readout[before:]),
            id=request.id,
        )

    def _infer(self, request: Infer) -> Message:
        if self._learning:
            raise Refused("learning", "the run learns: 'infer' needs one that was reset without learning")
        return self._show(request, request.samples, request.warm_ups)

    def _learn(self, request: Learn) -> Message:
        if not self._learning:
            raise Refused("learning", "the run does not learn: 'learn' needs one that was reset with it")
        return self._show(request, request.samples, 0)

    def _show(self, request: Infer | Learn, samples: int, warm_ups: int) -> Message:
        run = self._running(request)
        if run.code.task is None or run.clock % run.code.task.present:
            raise Refused("task", "samples are shown to a network with a task, from the beginning of one")
        self._take_rows(request.rows)
        present = run.code.task.present
        for _ in range(warm_ups):
            run.advance(present)
        before, times = len(run.readout), [time.monotonic_ns()]
        for _ in range(samples):
            run.advance(present)
            times.append(time.monotonic_ns())
        return Shown(
            run.clock,
            self._counts(run),
            times[0],
            times[-1],
            tuple(run.readout[before:]),
            tuple(end - begin for begin, end in pairwise(times)),
            id=request.id,
        )

    def _read(self, request: Read) -> Message:
        values = self._running(request).read(request.place, request.variable)
        return Values(packed(self._narrow((request.place, request.variable), values)), id=request.id)

    def _write(self, request: Write) -> Message:
        run = self._running(request)
        run.write(request.name, Numbers(_numbers(request.value, request.name)))
        return Ready(run.clock, id=request.id)

    def _weights(self, request: Weights) -> Message:
        run = self._running(request)
        self._require_projection(run, request.projection)
        return Values(packed(run.weights(request.projection)), id=request.id)

    def _set_weights(self, request: SetWeights) -> Message:
        run = self._running(request)
        if self._learning:
            raise Refused("learning", "weights are set in a run that was reset without learning")
        given = {}
        for name, array in request.weights.items():
            self._require_projection(run, name)
            now, values = run.weights(name), _numbers(array, name)
            cast = values.astype(now.dtype)
            if values.shape != now.shape or not np.array_equal(cast, values):
                raise Refused("values", f"weights of '{name}' that do not fit {now.dtype} {list(now.shape)}")
            given[name] = cast
        run.set_weights(given)
        return Ready(run.clock, id=request.id)

    def _state(self, request: State) -> Message:
        run = self._running(request)
        state = run.state()
        kept = {name: packed(array) for name, array in state.items()}
        return StateIs(run.clock, kept, state_sha256(state), id=request.id)

    def _restore(self, request: Restore) -> Message:
        run = self._running(request)
        run.restore(self._fitting(run, request.state, whole=True), request.clock)
        return Hashed(run.clock, state_sha256(run.state()), id=request.id)

    def _adopt(self, request: Adopt) -> Message:
        run = self._running(request)
        run.adopt(self._fitting(run, request.state, whole=False))
        return Ready(run.clock, id=request.id)

    def _state_hash(self, request: StateHash) -> Message:
        run = self._running(request)
        return Hashed(run.clock, state_sha256(readable_state(run)), id=request.id)

    def _timestamp(self, request: Timestamp) -> Message:
        return Time(time.monotonic_ns(), id=request.id)

    def _bye(self, request: Bye) -> Message:
        self.end()
        return Ready(id=request.id)

    def _running(self, request: Message) -> Run:
        if self._run is None:
            raise Refused("order", f"'{name_of(request)}' needs a run: 'reset' begins one")
        return self._run

    def _take_rows(self, given: tuple[Any, ...]) -> None:
        assert self._rows is not None
        try:
            self._rows.take({it.stream: (it.first, _numbers(it.rows, it.stream)) for it in given})
        except ValueError as reason:
            raise Refused("rows", str(reason)) from None

    @staticmethod
    def _require_projection(run: Run, name: str) -> None:
        if not is_projection(run.code, name):
            raise Refused("name", f"no projection '{name}'")

    @staticmethod
    def _fitting(run: Run, given: Mapping[str, Array], *, whole: bool) -> dict[str, NDArray[Any]]:
        """A state with the names, types and shapes of the run's own: compiled code indexes memory with it."""
        own = run.state()
        if whole and given.keys() != own.keys():
            raise Refused("state", "a state with other arrays than those of the program")
        found = {}
        for name, array in given.items():
            values = _numbers(array, name)
            if name not in own or (values.dtype, values.shape) != (own[name].dtype, own[name].shape):
                raise Refused("state", f"an array '{name}' that is none of the program's state")
            found[name] = values
        return found

    def _narrow(self, place: Place, values: NDArray[Any]) -> NDArray[Any]:
        """The values in the narrowest integers that hold what the program declares."""
        assert self._run is not None
        code, (name, variable) = self._run.code, place
        if values.dtype.kind == "f":
            return values
        if is_projection(code, name):
            return values.astype(np.int16) if variable == "w" else values
        program = code.population(name).program
        width = program.outputs[variable] if variable in program.outputs else program.states[variable]
        bits = max(abs(width.low + 1), abs(width.high)).bit_length()
        return values.astype(np.int8 if bits < 8 else np.int16 if bits < 16 else np.int32)

    @staticmethod
    def _counts(run: Run) -> Counts:
        names = [it.name for it in run.code.populations]
        return Counts(
            tuple(run.events[name] for name in names),
            tuple(run.bursts.get(name, 0) for name in names),
            tuple(run.clipped[name] for name in names),
            getattr(run, "synaptic_events", None),
        )


_ANSWERS: Mapping[type[Message], Callable[[Target, Any], Message]] = {
    Hello: Target._hello,
    Load: Target._load,
    Piece: Target._piece,
    Reset: Target._reset,
    Advance: Target._advance,
    Infer: Target._infer,
    Learn: Target._learn,
    Read: Target._read,
    Write: Target._write,
    Weights: Target._weights,
    SetWeights: Target._set_weights,
    State: Target._state,
    Restore: Target._restore,
    Adopt: Target._adopt,
    StateHash: Target._state_hash,
    Timestamp: Target._timestamp,
    Bye: Target._bye,
}


def _details(diagnostic: Any) -> list[tuple[str, str | None]]:
    return [("required:", diagnostic.required), ("given:", diagnostic.given)]


def _numbers(array: Array, what: str) -> NDArray[Any]:
    try:
        return unpacked(array)
    except ValueError as reason:
        raise Refused("values", f"the numbers of '{what}' do not fit: {reason}") from None
