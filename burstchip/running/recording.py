"""Run a program and keep what was asked for: variables of neurons and synapses, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from burstchip.backends.available import REAL, require_backend
from burstchip.running.cost import require_room_to_record
from burstchip.running.run import Run, open_run
from burstchip.running.saturation import Guard
from burstchip.variables import PER_SYNAPSE, Selection, Variable, is_projection, parse_selections, place_size
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Rows
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

if TYPE_CHECKING:
    from burstchip.tasks.dataset import FetchProgress
    from burstchip.tasks.presentation import Pictures, Presentation

register_codes(
    {
        "BC510": "summed inputs exceeded their width and were clipped",
        "BC514": "listed events come after the end of a run",
        "BC515": "a protocol that a recording does not follow",
        "BC613": "a data folder for a network without a task",
    }
)

#: The clock has 31 bits.
MOST_STEPS = (1 << 31) - 1
#: Seconds that one call into a backend should take, so that progress and Ctrl-C come through.
CALL_SECONDS = 0.25
#: Bytes that one call may bring back.
CALL_BYTES = 1 << 24
#: What synapses hold is looked at from outside where it is needed no more often than once in so many steps.
LOOK_STEPS = 32


@dataclass(frozen=True)
class RecordProgress:
    """How far a run is; 0 steps are done while its loop is compiled or loaded."""

    steps_done: int
    steps_total: int


@dataclass(frozen=True)
class Samples:
    """The training samples that a run showed, the last perhaps in part.

    `index` in the data set, `label`, and `readout`: the class read out at the sample's end, -1 where the
    run ended before.
    """

    index: NDArray[np.int64]
    label: NDArray[np.int64]
    readout: NDArray[np.int64]


@dataclass(frozen=True)
class Recording:
    """What a run left: `values[population, variable]` as [step, neuron], in the chip's own units.

    `values[projection, variable]` is [step, synapse] for w, t and d, synapses in the program's order.

    Of a variable of which some neurons were chosen the columns are those. `every` is the number of steps
    between two rows. `events` and `bursts` count those of each population over the whole run. `diagnostics`
    are warnings, among them one (BC510) for each population whose summed inputs were clipped.
    """

    code: ChipProgram
    backend: str
    steps: int
    values: Mapping[Variable, NDArray[Any]]
    samples: Samples | None
    events: Mapping[str, int]
    bursts: Mapping[str, int]
    diagnostics: tuple[Diagnostic, ...]
    every: int = 1
    selections: tuple[Selection, ...] = ()

    def __repr__(self) -> str:
        kept = ", ".join(f"{'.'.join(name)} {list(values.shape)}" for name, values in self.values.items())
        ran = f"'{self.code.name}' on {self.backend}, {self.steps:,} steps"
        return f"<Recording of {ran}: {kept or 'no values'}>"


class Sink(Protocol):
    """Takes what a run brings back, part after part."""

    def add(self, first: int, values: Mapping[Variable, NDArray[Any]]) -> None:
        """The values of steps from `first` on, [step, chosen neuron]."""


def kept_rows(first: int, every: int) -> tuple[int, slice]:
    """(number of the first kept row, rows kept) of values of steps from `first` on, every n-th step kept."""
    skipped = -first % every
    return (first + skipped) // every, slice(skipped, None, every)


class _Memory:
    """Keeps every n-th step in arrays."""

    def __init__(self, rows: int, selections: Sequence[Selection], code: ChipProgram, every: int) -> None:
        self.every, self.rows = every, rows
        self.sizes = {it.variable: it.size(code) for it in selections}
        self.values: dict[Variable, NDArray[Any]] = {}

    def add(self, first: int, values: Mapping[Variable, NDArray[Any]]) -> None:
        row, rows = kept_rows(first, self.every)
        for variable, size in self.sizes.items():
            kept = values[variable][rows]
            if variable not in self.values:
                kind = np.float64 if kept.dtype.kind == "f" else np.int32
                self.values[variable] = np.zeros((self.rows, size), dtype=kind)
            self.values[variable][row : row + len(kept)] = kept


def check_steps(steps: int) -> None:
    """Raise `BurstchipError` BC603 for a number of steps out of range run."""
    if not 1 <= steps <= MOST_STEPS:
        raise BurstchipError(
            Diagnostic(
                "BC603",
                "a run needs at least one step" if steps < 1 else "the number of steps exceeds the clock",
                required=f"1 to {MOST_STEPS} steps",
                given=str(steps),
            )
        )


def record(
    code: ChipProgram,
    steps: int,
    variables: Sequence[Variable | str] | None = None,
    *,
    backend: str = "sim",
    data_dir: Path | None = None,
    streams: Mapping[str, ArrayLike | Rows] | None = None,
    every: int = 1,
    sink: Sink | None = None,
    watch: Callable[[RecordProgress], None] | None = None,
    fetch: FetchProgress | None = None,
    threads: int = 1,
    strict: bool = False,
) -> Recording:
    """Run `steps` steps from the start, learning, and record `variables` (default: the program's probes).

    A variable is (population, name), (projection, name) or a text such as `hidden.v`, `first.w` or
    `hidden.v[0:10]`, some neurons of it.
    Every n-th step is kept, the first among them; all of them go to `sink` instead where one is given, and
    the recording then has no values. A program with a task shows its training samples in the order of the
    first epoch, over and over; its data come from `data_dir` or where `load_dataset` looks, and may be
    fetched, reported to `fetch`. `streams` are those of the network's own signals. `watch` is called
    several times a second. `threads` are those of `open_run`. With `strict` a summed input that is clipped
    ends the run (BC824), and so does a value that a neuron saturates or wraps (BC910), with step and neuron.
    Raises `BurstchipError` for arguments that cannot be.
    """
    check_steps(steps)
    require_backend(backend, or_target=True)
    selections = parse_selections(code, variables or ())
    real = backend in REAL
    kept: _Memory | None = None
    if sink is None:
        rows = -(-steps // every)
        require_room_to_record(code, rows, selections, real=real)
        sink = kept = _Memory(rows, selections, code, every)
    shown, notes = task_presentation(code, steps, data_dir, fetch, real=real)
    given = dict(streams or {}) | (dict(shown.streams) if shown is not None else {})
    read = [it for it in selections if backend != "lava" and _is_read(code, it, every)]
    recorded = [it.variable for it in selections if it not in read]
    guard = Guard(code, backend, given) if strict and not real else None
    run = open_run(
        code if guard is None else guard.code, backend, record=recorded, streams=given, threads=threads
    )
    try:
        _advance(run, steps, every, selections, read, sink, watch, guard)
        readout = np.full(0 if shown is None else len(shown.order), -1, dtype=np.int64)
        readout[: len(run.readout)] = run.readout
        return Recording(
            code=code,
            backend=backend,
            steps=steps,
            values={} if kept is None else kept.values,
            samples=_begun(code, steps, shown, readout),
            events=run.events,
            bursts=run.bursts,
            diagnostics=(
                *notes,
                *_not_followed(code),
                *_never_emitted(code, steps),
                *clipped_inputs(code, run.clipped),
            ),
            every=every,
            selections=selections,
        )
    finally:
        run.close()
        if guard is not None:
            guard.close()


def _not_followed(code: ChipProgram) -> Iterator[Diagnostic]:
    """A warning where a protocol would write what stays here as it is at the start."""
    if code.protocol is not None:
        yield Diagnostic(
            "BC515",
            f"the protocol of '{code.name}' is not followed",
            severity="warning",
            required="`burstchip follow`, or `follow` in Python",
            given="a recording, in which inputs rest, teachers are silent and nothing is learned",
        )


def _never_emitted(code: ChipProgram, steps: int) -> Iterator[Diagnostic]:
    """A warning for each list with events beyond the last step."""
    for population in code.populations:
        if population.spikes is None:
            continue
        late = int(np.count_nonzero(population.spikes[:, 0] >= steps + code.lead))
        if late:
            yield Diagnostic(
                "BC514",
                f"{late} of {len(population.spikes)} events of '{population.name}' come after the run's end",
                severity="warning",
                required=f"events before {steps * code.step_ms:g} ms",
                given=f"one at {int(population.spikes[-1, 0]) * code.step_ms:g} ms",
                hint="run more steps",
            )


def _advance(
    run: Run,
    steps: int,
    every: int,
    selections: Sequence[Selection],
    read: Sequence[Selection],
    sink: Sink,
    watch: Callable[[RecordProgress], None] | None,
    guard: Guard | None,
) -> None:
    """Run all steps in parts; the parts do not change the result.

    What is `read` is looked at once a part, at whose end alone it may change or be kept.
    """
    recorded = [it for it in selections if it not in read]
    last: dict[Variable, NDArray[Any]] = {}
    width = 8 * max(1, sum(place_size(run.code, it.variable) for it in recorded))
    most = max(1, CALL_BYTES // width)
    part = 1
    if watch is not None:
        watch(RecordProgress(0, steps))
    while run.clock < steps:
        begin, started = run.clock, perf_counter()
        count = min(part, most, steps - begin)
        count = min([count, *(_unchanged(run.code, it, begin, every) for it in read)])
        values = run.advance(count)
        if guard is not None:
            guard.passed(run)
        found = {it.variable: it.of(values[it.variable]) for it in recorded}
        for it in read:
            now = it.of(np.array(run.read(*it.variable))[np.newaxis])
            rows = np.broadcast_to(now, (count, now.shape[1]))
            before = last.get(it.variable, now)
            if -begin % every < count - 1 and not np.array_equal(before, now):
                # An earlier step is kept too.
                rows = np.concatenate([np.broadcast_to(before, rows[1:].shape), now])
            found[it.variable], last[it.variable] = rows, now
        sink.add(begin, found)
        elapsed = perf_counter() - started
        part = max(1, min(most, int(part * min(16.0, CALL_SECONDS / max(elapsed, 1e-6)))))
        if watch is not None:
            watch(RecordProgress(run.clock, steps))


def _is_read(code: ChipProgram, selection: Selection, every: int) -> bool:
    """Whether what synapses hold is better looked at now and then than written down in every step."""
    name, variable = selection.variable
    if not is_projection(code, name):
        return False
    learning = code.projection(name).learning
    if learning is None:
        return True
    return max(every, learning.every if variable in PER_SYNAPSE else 1) >= LOOK_STEPS


def _unchanged(code: ChipProgram, selection: Selection, begin: int, every: int) -> int:
    """How many steps from `begin` on need one look at what synapses hold, behind the last of them."""
    name, variable = selection.variable
    learning = code.projection(name).learning
    if learning is None:
        return MOST_STEPS
    to_kept = -begin % every + 1
    # Before the first step of a task is the lead-in, in which weights change too.
    if variable not in PER_SYNAPSE or begin == 0:
        return to_kept
    return max(to_kept, learning.every - begin % learning.every)


def task_presentation(
    code: ChipProgram,
    steps: int,
    data_dir: Path | None = None,
    fetch: FetchProgress | None = None,
    *,
    real: bool = False,
) -> tuple[Presentation | None, tuple[Diagnostic, ...]]:
    """The training samples that a run of `steps` steps shows, and what loading them gave rise to."""
    pictures, notes = training_pictures(code, data_dir, fetch)
    return None if pictures is None else first_epoch(code, steps, pictures, real=real), notes


def first_epoch(code: ChipProgram, steps: int, pictures: Pictures, *, real: bool = False) -> Presentation:
    """The samples that a run of `steps` steps touches, in the order of the first epoch, over and over."""
    from burstchip.tasks.presentation import Presentation
    from burstchip.tasks.showing import sample_order

    assert code.task is not None
    order = np.resize(sample_order(code, len(pictures.images), 0), steps // code.task.present + 1)
    return Presentation(code, pictures, order, real=real)


def training_pictures(
    code: ChipProgram, data_dir: Path | None, fetch: FetchProgress | None
) -> tuple[Pictures | None, tuple[Diagnostic, ...]]:
    """The training samples of the program's task, and what loading them gave rise to."""
    if code.task is None and data_dir is not None:
        raise BurstchipError(
            Diagnostic(
                "BC613",
                f"'{code.name}' has no task, so it cannot use a data folder",
                required="a network with a task, or no data folder",
                given=str(data_dir),
            )
        )
    if code.task is None:
        return None, ()
    from burstchip.tasks.datasets import task_dataset
    from burstchip.tasks.presentation import pictures_of

    dataset = task_dataset(code.task, data_dir=data_dir, download=True, progress=fetch)
    return pictures_of(dataset)[0], dataset.diagnostics


def _begun(
    code: ChipProgram, steps: int, shown: Presentation | None, readout: NDArray[np.int64]
) -> Samples | None:
    """The samples that `steps` steps begin; `readout` is -1 where a sample is not over."""
    if code.task is None or shown is None:
        return None
    order = shown.order[: -(-steps // code.task.present)]
    return Samples(order, shown.pictures.labels[order], readout[: len(order)])


def clipped_inputs(code: ChipProgram, counts: Mapping[str, int]) -> tuple[Diagnostic, ...]:
    """A warning (BC510) for each population some of whose summed inputs were clipped."""
    found = []
    for population in code.populations:
        if count := counts[population.name]:
            widths = ", ".join(f"{port} {population.program.inputs[port]}" for port in population.ports)
            found.append(
                Diagnostic(
                    "BC510",
                    f"{count} summed inputs of population '{population.name}' were clipped",
                    severity="warning",
                    required=f"sums within their widths: {widths}",
                    given="sums that exceed them",
                    hint="smaller weights or fewer synapses",
                )
            )
    return tuple(found)
