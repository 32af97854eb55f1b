"""How the time of a training sample divides among the parts of the loop."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from benchmarks.contests import training_program
from benchmarks.profiling.assembly import Counts, assembly_of, hot_loop
from benchmarks.profiling.instrument import Instrumented, Part, instrument
from benchmarks.profiling.ticks import ticks_of_reading, ticks_per_second
from benchmarks.profiling.work import Seen, Work, work_of
from burstchip.backends.sim.layout import Layout
from burstchip.backends.sim.simulator import Simulation, start
from burstchip.tasks.presentation import Pictures, Presentation
from burstchip.tasks.showing import sample_order, show
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Host


@dataclass(frozen=True)
class PartTime:
    """Seconds of a part a sample, in how many stretches, and its work where that is known."""

    part: Part
    seconds: float
    stretches: float
    work: Work | None


@dataclass(frozen=True)
class Division:
    """The parts of the loop, beside the time of a whole sample in the loop as it is used.

    `median` and `fastest` are seconds of a sample. `interrupted` stretches, of all in `samples` samples, were
    left out. `instructions` are those of the hot loop of each function that the loop calls.
    """

    parts: tuple[PartTime, ...]
    median: float
    fastest: float
    samples: int
    interrupted: int
    instructions: Mapping[str, Counts]

    @property
    def together(self) -> float:
        """Seconds of a sample by the sum of its parts."""
        return sum(part.seconds for part in self.parts)


@dataclass
class _Showing:
    """A simulation that is shown one sample after the other."""

    simulation: Simulation
    presentation: Presentation
    order: np.ndarray[tuple[int], np.dtype[np.int64]]
    shown: int = 0

    def show(self, samples: int) -> float:
        """The seconds it took."""
        chosen = self.order[np.arange(self.shown, self.shown + samples + 1) % len(self.order)]
        started = perf_counter()
        show(self.simulation, self.presentation, chosen[:-1], int(chosen[-1]))
        self.shown += samples
        return perf_counter() - started


def divide(template: str, weight_form: str, pictures: Pictures, warm_up: int, samples: int) -> Division:
    """Train a template's network for `warm_up` samples, then take the time of `samples` more.

    Two loops are trained alike, in turn: the one that training uses, and the one that takes its own time.
    Both must end in the same state.
    """
    code = training_program(template, weight_form)
    used, timed = _showing(code, pictures), _showing(code, pictures)
    layout = timed.simulation.layout
    loop = instrument(timed.simulation.kernel)
    timed.simulation.load, timed.simulation.run = loop.load, loop.run
    used.show(warm_up)
    timed.show(warm_up)
    loop.clear()
    visited = timed.simulation.visited
    visited[:] = 0
    before = timed.simulation.arrays["synaptic_events"].copy()
    # Short calls: the system interrupts few of them.
    some = 4
    times = []
    for _ in range(max(1, samples // some)):
        times.append(used.show(some) / some)
        timed.show(some)
    shown = len(times) * some
    for name, values in used.simulation.arrays.items():
        assert np.array_equal(values, timed.simulation.arrays[name]), f"the timed loop differs in {name}"
    events = timed.simulation.arrays["synaptic_events"] - before
    seen = _seen(layout, events / shown, visited / shown, pictures)
    return Division(
        _parts(layout, loop, seen, shown),
        statistics.median(times),
        min(times),
        shown,
        int(loop.interrupted[0]),
        _instructions(loop),
    )


def _showing(code: ChipProgram, pictures: Pictures) -> _Showing:
    presentation = Presentation(code, pictures)
    simulation = start(code, learning=True, host=Host(presentation.streams))
    return _Showing(simulation, presentation, sample_order(code, len(pictures.images), 0))


def _seen(
    layout: Layout,
    events: np.ndarray[tuple[int], np.dtype[np.float64]],
    visited: np.ndarray[tuple[int], np.dtype[np.float64]],
    pictures: Pictures,
) -> Seen:
    sizes = {population.name: population.size for population in layout.code.populations}
    return Seen(
        rows={
            projection.name: float(count) / sizes[projection.target]
            for projection, count in zip(layout.code.projections, events, strict=True)
        },
        visited={
            projection.name: float(count)
            for projection, count in zip(layout.code.projections, visited, strict=True)
            if projection.learning is not None
        },
        lit=float(np.count_nonzero(pictures.images)) / len(pictures.images),
    )


def _parts(layout: Layout, loop: Instrumented, seen: Seen, shown: int) -> tuple[PartTime, ...]:
    tick, reading = 1 / ticks_per_second(), ticks_of_reading()
    found = []
    for number, part in enumerate(loop.parts):
        stretches = int(loop.passes[number])
        own = max(0.0, float(loop.passed[number]) - reading * stretches)
        work = work_of(part, layout, seen)
        found.append(PartTime(part, own * tick / shown, stretches / shown, work))
    return tuple(found)


def _instructions(loop: Instrumented) -> dict[str, Counts]:
    """The hot loops of the functions that were compiled; those without vectors and loops too."""
    counts = {}
    for owner, module in loop.modules:
        for name, function in vars(module).items():
            own = hasattr(function, "py_func") and function.py_func.__module__ == module.__name__
            if own and function.overloads:
                counts[f"{name} {owner}"] = hot_loop(assembly_of(function))
    return counts
