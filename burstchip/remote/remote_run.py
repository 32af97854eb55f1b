"""A run on a target: what every backend offers, by messages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.host_values import check_ahead, written_value
from burstchip.remote.arrays import packed, state_sha256
from burstchip.remote.checks import Checks
from burstchip.remote.messages import (
    MOST_FRAME,
    Adopt,
    Advance,
    Advanced,
    Counts,
    Hashed,
    Infer,
    Learn,
    Message,
    Read,
    Ready,
    Restore,
    SetWeights,
    Shown,
    State,
    StateHash,
    StateIs,
    Values,
    Weights,
    Write,
)
from burstchip.remote.rows import needed, spans
from burstchip.variables import Place, check_place, place_size
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Host
from hw_models.diagnostics import BurstchipError, Diagnostic

if TYPE_CHECKING:
    from burstchip.remote.asking import Asking

#: Steps of the first message; then as many as take a target about so many seconds.
_FIRST_STEPS, _PART_SECONDS = 64, 1.0


A = TypeVar("A", bound=Message)


class RemoteRun:
    """A program under way on a target: a `Run`. `clock`, `readout` and counts are as of the last answer.

    `target_ns` is the time that all steps so far took by the target's own clock.
    """

    def __init__(
        self,
        connection: Asking,
        code: ChipProgram,
        host: Host,
        record: tuple[Place, ...],
        *,
        learning: bool,
        begin: int,
    ) -> None:
        self.connection, self.code, self.host, self.record = connection, code, host, record
        self.learning, self.clock, self.readout = learning, begin, list[int]()
        self.owns_connection, self.target_ns = False, 0
        none = (0,) * len(code.populations)
        self._counts = Counts(none, none, none)
        self._led_in, self._part = False, _FIRST_STEPS
        self._sizes = [place_size(code, place) for place in record]
        self._checks = Checks(connection, code)

    def __repr__(self) -> str:
        return f"<run of '{self.code.name}' on {self.connection.address}, {self.clock:,} steps done>"

    def advance(self, steps: int) -> dict[Place, NDArray[Any]]:
        """Take `steps` steps; what is recorded at the end of each, [step, index]."""
        check_ahead(steps)
        kept: list[tuple[NDArray[Any], ...]] = []
        left, most = int(steps), self._steps_of_a_frame()
        while left or not kept:
            count = min(left, self._part, most)
            started = time.perf_counter()
            kept.append(self._advance(count))
            elapsed = max(time.perf_counter() - started, 1e-6)
            if count == self._part or elapsed > _PART_SECONDS:
                self._part = max(1, int(count * min(16.0, _PART_SECONDS / elapsed)))
            left -= count
        if len(kept) == 1:
            return dict(zip(self.record, kept[0], strict=True))
        return {place: np.concatenate([it[k] for it in kept]) for k, place in enumerate(self.record)}

    def infer(self, samples: int, warm_ups: int = 0) -> Shown:
        """Show so many samples of the task, after `warm_ups` that are not measured, in one exchange.

        The run does not learn. The rows are those of the run's streams from its clock on.
        """
        steps = (samples + warm_ups) * self._present()
        request = Infer(id=self._id(), samples=samples, warm_ups=warm_ups, rows=self._rows(steps))
        return self._shown(request, samples, warm_ups)

    def learn(self, samples: int) -> Shown:
        """Show so many samples of the task to a run that learns, in one exchange."""
        rows = self._rows(samples * self._present())
        return self._shown(Learn(id=self._id(), samples=samples, rows=rows), samples, 0)

    def read(self, place: str, variable: str) -> NDArray[Any]:
        """A population's state or output, [neuron], or what a projection's synapses hold, flat."""
        check_place(self.code, (place, variable))
        values = self._ask(Read(place, variable, id=self._id()), Values).values
        return self._checks.shaped(values, (place_size(self.code, (place, variable)),), f"{place}.{variable}")

    def write(self, name: str, value: Any) -> None:
        """Set what the host writes as `name`, from the next step on."""
        numbers = written_value(self.code, name, value, real=self.connection.profile.real)
        self.host.written[name] = numbers
        self._ask(Write(name, packed(numbers), id=self._id()), Ready)

    def weights(self, name: str) -> NDArray[Any]:
        """A projection's weights as events see them, [source, target] where dense."""
        projection = self.code.projection(name)
        shape = projection.weights.T.shape if projection.dense else projection.weights.shape
        return self._checks.shaped(
            self._ask(Weights(name, id=self._id()), Values).values, shape, f"weights of {name}"
        )

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Take these for the weights that events see, by projection; in a run without learning alone."""
        given = {name: packed(values) for name, values in weights.items()}
        self._ask(SetWeights(given, id=self._id()), Ready)

    def state(self) -> Mapping[str, NDArray[Any]]:
        """Everything that the run goes on from, beside its clock and what the host wrote."""
        answer = self._ask(State(id=self._id()), StateIs)
        self._checks.clock(answer.clock, self.clock)
        state = {name: self._checks.numbers(array, name) for name, array in answer.state.items()}
        self._checks.sha256(answer.sha256, state_sha256(state))
        return state

    def restore(self, state: Mapping[str, NDArray[Any]], clock: int) -> None:
        """Go on from the state that another run of the program had after `clock` steps."""
        given = {name: packed(array) for name, array in state.items()}
        answer = self._ask(Restore(given, clock, id=self._id()), Hashed)
        self._checks.clock(answer.clock, clock)
        self._checks.sha256(answer.sha256, state_sha256(state))
        self.clock, self._led_in = clock, clock > 0

    def adopt(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take neurons and weights from the state of another run, but no messages, traces and tags."""
        self._ask(Adopt({name: packed(array) for name, array in state.items()}, id=self._id()), Ready)

    def state_hash(self) -> str:
        """The hash over neurons and weights that every backend has in the same step, see `readable_state`."""
        answer = self._ask(StateHash(id=self._id()), Hashed)
        self._checks.clock(answer.clock, self.clock)
        return answer.sha256

    @property
    def events(self) -> dict[str, int]:
        """How many events each population has emitted."""
        return self._counted(self._counts.events)

    @property
    def bursts(self) -> dict[str, int]:
        """How many bursts each population that has any has emitted."""
        bursting = {it.name for it in self.code.populations if "bursts" in it.program.outputs}
        return {name: n for name, n in self._counted(self._counts.bursts).items() if name in bursting}

    @property
    def clipped(self) -> dict[str, int]:
        """How many summed inputs of each population left their width."""
        return self._counted(self._counts.clipped)

    @property
    def synaptic_events(self) -> int | None:
        """How many events have gone through synapses; None where the target does not count them."""
        return self._counts.synaptic_events

    def close(self) -> None:
        """End the run, and the connection where it was opened for this run."""
        if self.owns_connection:
            self.connection.close()

    def _advance(self, steps: int) -> tuple[NDArray[Any], ...]:
        started = time.perf_counter_ns()
        request = Advance(steps, self._rows(steps), id=self._id())
        answer = self._ask(request, Advanced)
        self._checks.clock(answer.clock, self.clock + steps)
        self.target_ns += self._checks.time(
            answer.began_ns, answer.ended_ns, time.perf_counter_ns() - started
        )
        ended = self._samples_over(steps)
        self._checks.classes(answer.readout, ended)
        if len(answer.recorded) != len(self.record):
            raise self._checks.wrong_values(f"{len(self.record)} arrays", f"{len(answer.recorded)}")
        recorded = tuple(
            self._checks.shaped(array, (steps, size), ".".join(place))
            for array, size, place in zip(answer.recorded, self._sizes, self.record, strict=True)
        )
        self._take(answer.counts, answer.clock)
        self.readout += answer.readout
        return recorded

    def _shown(self, request: Message, samples: int, warm_ups: int) -> Shown:
        steps, started = (samples + warm_ups) * self._present(), time.perf_counter_ns()
        answer = self._ask(request, Shown)
        self._checks.clock(answer.clock, self.clock + steps)
        self.target_ns += self._checks.time(
            answer.began_ns, answer.ended_ns, time.perf_counter_ns() - started
        )
        if sum(answer.sample_ns) > answer.ended_ns - answer.began_ns:
            raise self._checks.wrong_time(
                "samples within the time of all", f"{sum(answer.sample_ns)} ns in samples"
            )
        if len(answer.sample_ns) != samples:
            raise self._checks.wrong_values(f"{samples} times", f"{len(answer.sample_ns)}")
        self._checks.classes(answer.classes, samples)
        self._take(answer.counts, answer.clock)
        self.readout += answer.classes
        return answer

    def _ask(self, request: Message, expected: type[A]) -> A:
        if not self.connection.is_current(self):
            raise BurstchipError(
                Diagnostic(
                    "BC888",
                    f"the run of '{self.code.name}' on '{self.connection.address}' is over",
                    required="the run that was opened last",
                    given="one before it: a target carries one at a time",
                )
            )
        return self.connection.ask(request, expected)

    def _id(self) -> int:
        return self.connection.next_id()

    def _rows(self, steps: int) -> tuple[Any, ...]:
        real = self.connection.profile.real
        return needed(self.code, self.host.streams, self.clock, steps, led_in=self._led_in, real=real)

    def _present(self) -> int:
        if self.code.task is None:
            message = f"'{self.code.name}' has no task, so it has no samples"
            raise BurstchipError(Diagnostic("BC888", message, required="a network with a task", given="none"))
        return self.code.task.present

    def _samples_over(self, steps: int) -> int:
        """How many samples end in the next `steps` steps."""
        task = self.code.task
        return 0 if task is None else (self.clock + steps) // task.present - self.clock // task.present

    def _steps_of_a_frame(self) -> int:
        """How many steps fit into a message, with what they bring back and with their rows."""
        most = min(self.connection.profile.frame_bytes, MOST_FRAME)
        # Bytes are a third longer in base64, and other values take room as well.
        room, answer = most // 2 - (1 << 9), 8 * sum(self._sizes)
        sizes = {it.name: it.size for it in self.code.populations}
        request = sum(
            4 * count * max(sizes.values())
            for _, count in spans(self.code, self.clock, 1, led_in=self._led_in).values()
        )
        steps = room // max(1, answer, request)
        if steps < 1:
            raise BurstchipError(
                Diagnostic(
                    "BC888",
                    f"a step does not fit into the messages of target '{self.connection.address}'",
                    required=f"at most {max(0, room):,} bytes",
                    given=f"{max(answer, request):,} bytes",
                    hint="record fewer variables",
                )
            )
        return steps

    def _take(self, counts: Counts, clock: int) -> None:
        self._checks.counts(counts)
        self._counts, self.clock, self._led_in = counts, clock, True

    def _counted(self, counts: tuple[int, ...]) -> dict[str, int]:
        return dict(zip((it.name for it in self.code.populations), counts, strict=True))
