"""Run a program and keep what was asked for: variables of neurons, step by step."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.available import require_backend
from burstchip.backends.shown import Shown
from burstchip.variables import Variable, parse_variables
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

if TYPE_CHECKING:
    from burstchip.backends.sim.simulator import Pictures, Simulation
    from burstchip.tasks.dataset import FetchProgress

register_codes(
    {
        "BC510": "summed inputs exceeded their width and were clipped",
        "BC511": "a recording does not fit into the memory",
        "BC603": "a number of steps out of range",
        "BC613": "a data folder for a network without a task",
    }
)

#: The clock has 31 bits.
MOST_STEPS = (1 << 31) - 1
#: Seconds that one call into the compiled loop should take, so that progress and Ctrl-C come through.
CALL_SECONDS = 0.25


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

    `events` and `bursts` count those of each population over the whole run. `diagnostics` are warnings, among
    them one (BC510) for each population whose summed inputs were clipped.
    """

    code: ChipProgram
    backend: str
    steps: int
    values: Mapping[Variable, NDArray[Any]]
    samples: Samples | None
    events: Mapping[str, int]
    bursts: Mapping[str, int]
    diagnostics: tuple[Diagnostic, ...]


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


def _check_memory(code: ChipProgram, steps: int, variables: Sequence[Variable], bytes_each: int) -> None:
    needed = steps * bytes_each * sum(code.population(name).size for name, _ in variables)
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return  # Where the machine does not say, the allocation itself will.
    if needed > memory // 2:
        raise BurstchipError(
            Diagnostic(
                "BC511",
                f"{steps} steps of {', '.join('.'.join(v) for v in variables)} exceed the memory",
                required=f"at most half of the memory, {memory / 2 / 2**30:.1f} GiB",
                given=f"{needed / 2**30:.1f} GiB",
                hint="record fewer steps or fewer variables",
            )
        )


def record(
    code: ChipProgram,
    steps: int,
    variables: Sequence[Variable] | None = None,
    *,
    backend: str = "sim",
    data_dir: Path | None = None,
    watch: Callable[[RecordProgress], None] | None = None,
    fetch: FetchProgress | None = None,
) -> Recording:
    """Run `steps` steps from the start, learning, and record `variables` (default: the program's probes).

    A program with a task shows its training samples in the order of the first epoch, over and over; its
    data come from `data_dir` or where `load_dataset` looks, and may be fetched, reported to `fetch`.
    `watch` is called several times a second. Raises `BurstchipError` for arguments that cannot be.
    """
    check_steps(steps)
    require_backend(backend)
    chosen = parse_variables(code, [".".join(variable) for variable in variables or ()])
    real = backend == "reference"
    _check_memory(code, steps, chosen, 8 if real else 4)
    pictures, notes = training_pictures(code, data_dir, fetch)
    if backend == "lava":
        return _in_lava(code, steps, chosen, pictures, notes, watch)
    if backend == "plain":
        return _in_plain(code, steps, chosen, pictures, notes, watch)
    # The simulator brings numba with it, which nobody should wait for to be told of a misspelt option.
    from burstchip.backends.sim.simulator import start

    simulation = start(code, learning=True, real=real, record=chosen)
    numbers = simulation.layout.numbers
    kind = np.float64 if real else np.int32
    values = {
        (name, variable): np.zeros((steps, code.population(name).size), dtype=kind)
        for name, variable in chosen
    }
    samples = _advance(simulation, steps, values, pictures, watch)
    totals, clipped = simulation.arrays["event_totals"], simulation.arrays["clipped_inputs"]
    return Recording(
        code=code,
        backend=backend,
        steps=steps,
        values=values,
        samples=samples,
        events={name: int(totals[number, 0]) for name, number in numbers.items()},
        bursts={
            name: int(totals[number, 1])
            for name, number in numbers.items()
            if "bursts" in simulation.layout.programs[number].outputs
        },
        diagnostics=(*notes, *_clipped(code, clipped)),
    )


def _in_lava(
    code: ChipProgram,
    steps: int,
    chosen: Sequence[Variable],
    pictures: Pictures | None,
    notes: tuple[Diagnostic, ...],
    watch: Callable[[RecordProgress], None] | None,
) -> Recording:
    from burstchip.backends.lava.record import record_in_lava

    shown = samples_shown(code, steps, pictures)

    def tell(done: int) -> None:
        if watch is not None:
            watch(RecordProgress(done, steps))

    tell(0)
    found = record_in_lava(code, steps, chosen, shown_pictures(pictures, shown), tell)
    samples = _begun(code, steps, shown, pictures, found.readout)
    diagnostics = (*notes, *_clipped(code, found.clipped))
    return Recording(code, "lava", steps, found.values, samples, found.events, found.bursts, diagnostics)


def _in_plain(
    code: ChipProgram,
    steps: int,
    chosen: Sequence[Variable],
    pictures: Pictures | None,
    notes: tuple[Diagnostic, ...],
    watch: Callable[[RecordProgress], None] | None,
) -> Recording:
    from burstchip.backends.plain.run import PlainRun

    shown = samples_shown(code, steps, pictures)
    if watch is not None:
        watch(RecordProgress(0, steps))
    run = PlainRun(code, shown_pictures(pictures, shown))
    values = {place: np.zeros((steps, code.population(place[0]).size), dtype=np.int32) for place in chosen}
    part = 1
    while run.clock < steps:
        begin, started = run.clock, perf_counter()
        seen = run.advance(min(part, steps - begin), chosen)
        for place, array in values.items():
            array[begin : run.clock] = seen[place]
        part = max(1, int(part * min(4.0, CALL_SECONDS / max(perf_counter() - started, 1e-6))))
        if watch is not None:
            watch(RecordProgress(run.clock, steps))
    readout = np.full(len(shown), -1, dtype=np.int64)
    readout[: len(run.readout)] = run.readout
    samples = _begun(code, steps, shown, pictures, readout)
    neurons = run.neurons
    clipped = np.array([neurons[population.name].clipped for population in code.populations])
    return Recording(
        code=code,
        backend="plain",
        steps=steps,
        values=values,
        samples=samples,
        events={name: it.events for name, it in neurons.items()},
        bursts={name: it.bursts for name, it in neurons.items() if "bursts" in it.code.program.outputs},
        diagnostics=(*notes, *_clipped(code, clipped)),
    )


def shown_pictures(pictures: Pictures | None, order: NDArray[np.int64]) -> Shown | None:
    """The samples that a run shows, one after the other, for backends that are given them as such."""
    if pictures is None:
        return None
    return Shown(pictures.images[order], pictures.maximum, pictures.labels[order])


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
    from burstchip.tasks.datasets import load_dataset
    from burstchip.tasks.training import pictures_of

    dataset = load_dataset(
        code.task.data, split=code.task.split, data_dir=data_dir, download=True, progress=fetch
    )
    return pictures_of(dataset)[0], dataset.diagnostics


def _advance(
    simulation: Simulation,
    steps: int,
    values: Mapping[Variable, NDArray[Any]],
    pictures: Pictures | None,
    watch: Callable[[RecordProgress], None] | None,
) -> Samples | None:
    """Run all steps in parts; the parts do not change the result."""
    from burstchip.backends.sim.simulator import given_samples

    numbers, task = simulation.layout.numbers, simulation.layout.code.task
    shown = samples_shown(simulation.layout.code, steps, pictures)
    readout = np.full(len(shown), -1, dtype=np.int64)
    part = task.present if task else 256
    if watch is not None:
        watch(RecordProgress(0, steps))
    while simulation.clock < steps:
        begin, end = simulation.clock, min(simulation.clock + part, steps)
        given: dict[str, Any] = {
            f"r_{numbers[name]}_{variable}": array[begin:end] for (name, variable), array in values.items()
        }
        if task is not None and pictures is not None:
            # The sources run a step ahead and may have begun the sample after the part's last one.
            first, last = begin // task.present, end // task.present
            part_shown, part_readout = shown[first : last + 1], readout[first : last + 1]
            given |= given_samples(pictures, part_shown, part_readout, first)
        started = perf_counter()
        simulation.advance(end - begin, given, prime=begin == 0 and task is not None)
        elapsed = perf_counter() - started
        part = int(np.clip(part * CALL_SECONDS / max(elapsed, 1e-6), max(1, part // 4), part * 4))
        if watch is not None:
            watch(RecordProgress(end, steps))
    return _begun(simulation.layout.code, steps, shown, pictures, readout)


def _begun(
    code: ChipProgram,
    steps: int,
    shown: NDArray[np.int64],
    pictures: Pictures | None,
    readout: NDArray[np.int64],
) -> Samples | None:
    """The samples that `steps` steps begin; `readout` is -1 where a sample is not over."""
    if code.task is None or pictures is None:
        return None
    begun = -(-steps // code.task.present)
    return Samples(shown[:begun], pictures.labels[shown[:begun]], readout[:begun])


def samples_shown(code: ChipProgram, steps: int, pictures: Pictures | None) -> NDArray[np.int64]:
    """The index of each training sample that a run of `steps` steps touches, in the first epoch's order."""
    if code.task is None or pictures is None:
        return np.empty(0, dtype=np.int64)
    from burstchip.backends.sim.simulator import sample_order

    return np.resize(sample_order(code, len(pictures.images), 0), steps // code.task.present + 1)


def _clipped(code: ChipProgram, counts: NDArray[np.int64]) -> tuple[Diagnostic, ...]:
    found = []
    for population, count in zip(code.populations, counts, strict=True):
        if count:
            widths = ", ".join(f"{port} {population.program.inputs[port]}" for port in population.ports)
            found.append(
                Diagnostic(
                    "BC510",
                    f"{int(count)} summed inputs of population '{population.name}' were clipped",
                    severity="warning",
                    required=f"sums within their widths: {widths}",
                    given="sums that exceed them",
                    hint="smaller weights or fewer synapses",
                )
            )
    return tuple(found)
