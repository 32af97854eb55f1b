"""Runs a program: steps of a free run, samples of a training, samples to classify."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.code import words
from burstchip.backends.sim.compiled import load_unit
from burstchip.backends.sim.kernel_source import kernel_source, shared_words
from burstchip.backends.sim.layout import Layout, Variant
from burstchip.backends.sim.link import Linked, link
from burstchip.backends.sim.memory import Arrays, allocate, forward_weights, scalars, trace_draws
from burstchip.backends.sim.unit import Call, Kernel
from compiler.ir.chip_program import ChipProgram
from hw_models.plasticity.carry import MOST_K

#: A test draws its random numbers under the training's seed plus this.
TEST_SEED = 77777


def _run(*arguments: Any) -> None:
    # Importing numba takes longer than many a command.
    from burstchip.backends.sim.code.steps import run

    run(*arguments)


@dataclass
class Simulation:
    """A running program: its arrays, and `clock`, the number of steps done.

    `load` compiles a call's unit and gives its address, `run` is the loop over steps. A profile has its own.
    """

    layout: Layout
    seed: int
    arrays: Arrays
    clock: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    load: Callable[[Call], int] = load_unit
    run: Callable[..., None] = _run

    @cached_property
    def kernel(self) -> Kernel:
        """The calls of a step; generating their texts takes milliseconds, as much as many a step."""
        return kernel_source(self.layout)

    @cached_property
    def visited(self) -> NDArray[np.int64]:
        """How many synapses the learning steps of each projection have gone through; no state."""
        return np.zeros(len(self.layout.code.projections), dtype=np.int64)

    @cached_property
    def linked(self) -> Linked:
        """The compiled units of these calls, in tables."""
        return link(self.kernel, self.load)

    def advance(self, steps: int, given: Mapping[str, Any], *, prime: bool) -> None:
        """Run `steps` steps; `given` holds what belongs to this call alone (pictures, records).

        With `prime` the steps of the lead-in come before them; a task's first call needs it.
        """
        begin = self.clock - (self.layout.lead_in if prime else 0)
        values: dict[str, Any] = {
            **scalars(self.layout),
            **trace_draws(self.layout, self.seed, begin, self.clock + steps - begin),
            **self.settings,
            **self.arrays,
            "visited": self.visited,
            **given,
        }
        forms = [p.learning for p in self.layout.code.projections if p.learning is not None]
        # A unit cannot raise.
        anneal = given.get("anneal", 0)
        assert all(it.shift + anneal <= MOST_K for it in forms if it.form == "carry")
        now = shared_words(self.layout)
        now[words.BEGIN], now[words.FIRST], now[words.SEED] = begin, self.clock, self.seed
        now[words.ANNEAL], now[words.RECORDING] = anneal, given.get("recording", 1)
        now[words.FIRST_SAMPLE] = given.get("first_sample", 0)
        linked = self.linked
        frames = linked.frames(values)
        self.run(
            now,
            now.ctypes.data,
            begin,
            self.clock + steps,
            linked.functions,
            frames.ctypes.data + linked.starts,
            linked.gates,
            linked.periods,
            linked.ahead,
        )
        self.clock += steps


@dataclass(frozen=True)
class Pictures:
    """Images [sample, pixel] with their greatest intensity, and their labels."""

    images: NDArray[np.uint8]
    maximum: int
    labels: NDArray[np.int64]


def start(
    code: ChipProgram,
    *,
    learning: bool,
    real: bool = False,
    record: tuple[tuple[str, str], ...] = (),
    frozen: Collection[str] = (),
) -> Simulation:
    """A simulation at clock 0. Projections named in `frozen` do not learn."""
    layout = Layout(code, Variant(learning, real, record))
    settings = {f"frozen_{i}": int(p.name in frozen) for i, p in enumerate(code.projections)}
    return Simulation(layout, code.seed, allocate(layout), 0, settings)


def _records(simulation: Simulation, steps: int) -> dict[str, NDArray[Any]]:
    dtype = np.float64 if simulation.layout.variant.real else np.int32
    sizes = [population.size for population in simulation.layout.code.populations]
    numbers = simulation.layout.numbers
    return {
        f"r_{numbers[name]}_{variable}": np.zeros((steps, sizes[numbers[name]]), dtype=dtype)
        for name, variable in simulation.layout.variant.record
    }


def given_samples(
    pictures: Pictures, shown: NDArray[np.int64], predictions: NDArray[np.int64], first: int
) -> dict[str, Any]:
    """What the loop is given of a task: the pictures `shown`, by index (-1: none), from sample `first` on.

    The class read out for each is written to `predictions`.
    """
    return {
        "shown": shown.astype(np.int64, copy=False),
        "predictions": predictions,
        "first_sample": first,
        "images": np.ascontiguousarray(pictures.images),
        "maximum": pictures.maximum,
        "labels": np.ascontiguousarray(pictures.labels, dtype=np.int64),
    }


def show(
    simulation: Simulation,
    pictures: Pictures,
    shown: NDArray[np.int64],
    following: int,
    anneal: int,
    *,
    recording: bool = False,
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Present the pictures `shown`, in this order; (the class read out for each, what was recorded).

    `following` is the picture that comes after them, -1 where none does: the sources begin it one step
    before the neurons do. Without `recording` the records are empty.
    """
    task = simulation.layout.code.task
    assert task is not None and simulation.clock % task.present == 0
    steps = len(shown) * task.present
    predictions = np.full(len(shown), -1, dtype=np.int64)
    records = _records(simulation, steps if recording else 0)
    given = {
        "recording": int(recording),
        **given_samples(pictures, np.append(shown, following), predictions, simulation.clock // task.present),
        "anneal": anneal,
        **records,
    }
    simulation.advance(steps, given, prime=simulation.clock == 0)
    return predictions, records


def _classify_part(
    code: ChipProgram,
    weights: Mapping[str, NDArray[Any]],
    pictures: Pictures,
    part: NDArray[np.int64],
    real: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    simulation = start(code, learning=False, real=real)
    simulation.arrays.update(weights)
    task = code.task
    assert task is not None
    simulation.clock = int(part[0]) * task.present
    simulation.seed = code.seed + TEST_SEED
    predictions = np.full(len(part), -1, dtype=np.int64)
    given = given_samples(pictures, np.append(part, -1), predictions, int(part[0]))
    simulation.advance(len(part) * task.present, given, prime=True)
    return predictions, simulation.arrays["event_totals"]


def samples_are_independent(code: ChipProgram) -> bool:
    """Whether nothing of one sample reaches the next without learning: no state, no message in flight."""
    for population in code.populations:
        needed = {"reset"} if population.program.states else set()
        if not population.is_source:
            # What is emitted in a sample's last step acts in the next.
            needed.add("last")
        if not needed <= set(population.roles.controls.values()):
            return False
    return not any(np.any(projection.delays) for projection in code.projections)


def classify(
    code: ChipProgram, trained: Simulation, pictures: Pictures, workers: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(class read out for each picture, events and bursts of each population), without learning.

    The pictures are shown in order from step 0 under the test seed, so the result does not depend on
    `workers`, the number of threads that share them; they do only where no sample touches the next.
    `trained` is left as it was.
    """
    real = trained.layout.variant.real
    weights = {
        f"w_{index}": forward_weights(projection, trained.arrays[f"w_{index}"])
        for index, projection in enumerate(code.projections)
        if projection.learning is not None
    }
    count = len(pictures.images)
    threads = max(1, min(workers, count)) if samples_are_independent(code) else 1
    parts = [part for part in np.array_split(np.arange(count), threads) if len(part)]
    with ThreadPoolExecutor(max_workers=len(parts)) as pool:
        results = list(pool.map(lambda part: _classify_part(code, weights, pictures, part, real), parts))
    return np.concatenate([r[0] for r in results]), np.sum([r[1] for r in results], axis=0)


def sample_order(code: ChipProgram, count: int, epoch: int) -> NDArray[np.int64]:
    """The order in which epoch `epoch` (from 0) shows `count` samples: a stable sort by random numbers."""
    from hw_models.program.random import at, key

    assert code.task is not None
    numbers = at(key(code.seed, code.task.order_stream, epoch), np.arange(count))
    return np.argsort(numbers, kind="stable").astype(np.int64)
