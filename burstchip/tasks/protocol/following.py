"""Follow a protocol: write what each stretch sets, go on, and keep what comes of it.

`follow` works over a `Run`, so that a protocol means the same on every backend. Between two stretches the run
and what it left make a checkpoint; a run that goes on from one ends in the same state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.running.run import Run, open_run
from burstchip.tasks.checkpoint import (
    read_checkpoint,
    require_alike,
    require_same,
    save_checkpoint,
    unusable,
)
from burstchip.tasks.protocol.followed import Followed
from burstchip.tasks.protocol.plan import plan_of
from burstchip.tasks.protocol.steering import Steering
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC720": "a program without a protocol"})

#: The backend that can neither give its state nor go on from one.
LAVA = "lava"
#: Seconds between two checkpoints, so much of the work an interruption may cost.
CHECKPOINT_SECONDS = 20.0


@dataclass(frozen=True)
class FollowProgress:
    """How far a protocol is: steps done of all, and what is shown, with the last round's cost."""

    steps_done: int
    steps_total: int
    note: str


Watch = Callable[[FollowProgress], None]


@dataclass(frozen=True)
class Finished:
    """What came of a protocol, the state that it ended in, and how long it took, interruptions aside.

    The backend `lava` gives no state.
    """

    followed: Followed
    state: dict[str, NDArray[Any]]
    seconds: float
    clipped: dict[str, int]


def require_protocol(code: ChipProgram) -> None:
    """Raise `BurstchipError` BC720 for a program without a protocol."""
    if code.protocol is None:
        raise BurstchipError(
            Diagnostic(
                "BC720",
                f"'{code.name}' has no protocol to follow",
                required="a network with 'protocol'",
                given="a network with a task" if code.task else "a network without one",
                hint="`burstchip train` learns a task" if code.task else "`burstchip run` runs it as it is",
            )
        )


class _Under:
    """A protocol under way."""

    def __init__(self, code: ChipProgram, run: Run, followed: Followed, seconds: float) -> None:
        assert code.protocol is not None
        self.code, self.run, self.protocol = code, run, code.protocol
        self.followed, self.seconds = followed, seconds
        self.plan = followed.plan
        self.steering = Steering(code, followed.plan)
        self.done = followed.stretches
        self.rounds = int(self.plan.rounds[: self.done].sum())
        self.cost = ""

    def keep_weights(self) -> None:
        for k, name in enumerate(self.followed.projections):
            unit = self.code.projection(name).event_unit
            self.followed.weights[self.rounds, k] = float(np.mean(self.run.weights(name))) * unit

    def _pieces(self, stretch: int) -> Iterator[tuple[int, bool, bool]]:
        """(end of a piece in steps, whether a bin ends there, whether teachers look at the rates there)."""
        first = int(self.plan.first_bin[stretch])
        bins = set(self.plan.bin_ends[first : first + int(self.plan.bins[stretch])].tolist())
        looks = self.steering.looks(stretch)
        for end in sorted(bins | looks):
            yield end, end in bins, end in looks

    def go_through(self, stretch: int) -> None:
        """One stretch."""
        followed, names = self.followed, self.followed.populations
        self.steering.begin(self.run, stretch)
        before = self._counts(names)
        bin_, done = int(self.plan.first_bin[stretch]), 0
        for end, ends_bin, looks in self._pieces(stretch):
            self.run.advance(end - done)
            done = end
            if ends_bin:
                counts = self._counts(names)
                followed.events[bin_], followed.bursts[bin_] = counts - before
                before, bin_ = counts, bin_ + 1
            if looks:
                self.steering.look(self.run, stretch)
        for k, teacher in enumerate(self.protocol.teachers):
            followed.reached[stretch, k] = float(np.mean(self.steering.rates(self.run, teacher)))
        self.done = stretch + 1
        self.followed = replace(followed, stretches=self.done)
        if self.plan.rounds[stretch]:
            self.rounds += 1
            self.keep_weights()
            self._tell_cost(stretch)

    def _counts(self, names: tuple[str, ...]) -> NDArray[np.int64]:
        events, bursts = self.run.events, self.run.bursts
        return np.array([[events[it] for it in names], [bursts.get(it, 0) for it in names]], dtype=np.int64)

    def _tell_cost(self, stretch: int) -> None:
        part = self.protocol.parts[int(self.plan.part[stretch])]
        if part.phases and self.protocol.teachers:
            cost = self.followed.costs(part.name)[int(self.plan.round[stretch])]
            self.cost = f", cost {cost:.3f}"

    def note(self) -> str:
        """What is being shown."""
        stretch = min(self.done, self.plan.count - 1)
        part = self.protocol.parts[int(self.plan.part[stretch])]
        round_ = f" {int(self.plan.round[stretch]) + 1}/{part.rounds}" if part.rounds > 1 else ""
        return f"{part.name}{round_}{self.cost}"


def follow(
    code: ChipProgram,
    backend: str = "sim",
    *,
    threads: int = 1,
    checkpoint: Path | None = None,
    resume: bool = False,
    watch: Watch | None = None,
) -> Finished:
    """Follow the protocol of a program from its start, or go on from `checkpoint` with `resume`.

    With `checkpoint` state and results are written there between stretches, every `CHECKPOINT_SECONDS`, and
    at the end; `lava` has none to write. `watch` is called after every stretch. Raises `BurstchipError`
    BC720 for a program without a protocol, BC565 and BC566 for a checkpoint that cannot be used or is of
    another program or backend, and what `open_run` raises.
    """
    require_protocol(code)
    assert code.protocol is not None
    plan = plan_of(code.protocol, code.step_ms, code.seed)
    watched = {it.name: it.size for it in code.populations if it.ports}
    learning = tuple(it.name for it in code.projections if it.learning is not None)
    identity = {"artifact_sha256": artifact_sha256(code), "backend": backend}
    keeps = backend != LAVA
    # Lava reads what it records, and has no state to give.
    read = () if keeps else (*Steering(code, plan).read, *((name, "w") for name in learning))
    run = open_run(code, backend, threads=threads, record=read)
    try:
        under = _Under(code, run, Followed.empty(plan, watched, learning), 0.0)
        if resume and checkpoint is not None and checkpoint.exists():
            _go_on(under, checkpoint, identity)
        else:
            under.keep_weights()

        def save() -> None:
            if checkpoint is not None and keeps:
                _save(under, checkpoint, identity)

        _follow(under, save, watch)
        save()
        state = dict(run.state()) if keeps else {}
        return Finished(under.followed, state, under.seconds, dict(run.clipped))
    finally:
        run.close()


def _follow(under: _Under, save: Callable[[], None], watch: Watch | None) -> None:
    plan, saved = under.plan, perf_counter()

    def tell() -> None:
        if watch is not None:
            done = int(plan.steps[: under.done].sum())
            watch(FollowProgress(done, plan.total, under.note()))

    tell()
    while under.done < plan.count:
        started = perf_counter()
        under.go_through(under.done)
        now = perf_counter()
        under.seconds += now - started
        # An interruption saves nothing: it comes within a stretch, whose state none can go on from.
        if now - saved > CHECKPOINT_SECONDS:
            save()
            saved = perf_counter()
        tell()


def _save(under: _Under, path: Path, identity: dict[str, Any]) -> None:
    arrays = {f"run.{name}": array for name, array in under.run.state().items()}
    arrays |= {f"followed.{name}": array for name, array in under.followed.arrays.items()}
    progress = {**identity, "stretches": under.done, "clock": under.run.clock, "seconds": under.seconds}
    save_checkpoint(path, arrays, progress)


def _go_on(under: _Under, path: Path, identity: dict[str, Any]) -> None:
    """Take state and results from a checkpoint."""
    arrays, progress = read_checkpoint(path)
    require_same(path, progress, identity)
    stretches, clock, seconds = (progress.get(name) for name in ("stretches", "clock", "seconds"))
    plan = under.plan
    sound = (
        type(stretches) is int
        and 0 <= stretches <= plan.count
        and type(clock) is int
        and clock == int(plan.steps[:stretches].sum())
        and isinstance(seconds, float)
        and 0 <= seconds < np.inf
    )
    if not sound:
        raise unusable(path, "a progress that contradicts itself or the protocol")
    assert isinstance(stretches, int) and isinstance(clock, int) and isinstance(seconds, float)
    for name, array in under.followed.arrays.items():
        kept = arrays.get(f"followed.{name}")
        if kept is None or kept.dtype != array.dtype or kept.shape != array.shape:
            raise unusable(path, f"no '{name}' as this protocol has it")
        array[...] = kept
    state = {name[4:]: array for name, array in arrays.items() if name.startswith("run.")}
    require_alike(path, state, under.run.state())
    under.run.restore(state, clock)
    under.followed = replace(under.followed, stretches=stretches)
    under.done, under.seconds = stretches, seconds
    under.rounds = int(plan.rounds[:stretches].sum())
