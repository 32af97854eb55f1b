"""What is compared: the simulator and the backend `plain` at the same work, once their integers are equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import networks
from benchmarks.timing import Work
from burstchip.backends.plain.run import PlainRun
from burstchip.backends.sim.simulator import Simulation, start
from burstchip.frontend import load_network
from burstchip.tasks.datasets import load_dataset
from burstchip.tasks.presentation import Pictures, Presentation, pictures_of
from burstchip.tasks.showing import sample_order, show
from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import Network
from compiler.ir.signals import Host
from compiler.pipeline import compile_network


class UnequalError(AssertionError):
    """The simulator and `plain` do not agree, so their times mean nothing."""


@dataclass(frozen=True)
class Contest:
    """Two ways to do the same work. `checked` says on what they were equal."""

    name: str
    description: str
    unit: str
    checked: str
    simulated: Work
    plain: Work


def _lasting(run: Callable[[int], float], seconds: float) -> Work:
    """Work that takes about this long: `run(amount)` with the amount that does, found by trying."""
    amount = 1
    while True:
        started = perf_counter()
        run(amount)
        elapsed = perf_counter() - started
        # Long enough that what a call costs besides does not count.
        if elapsed > seconds / 2:
            break
        amount *= 2
    amount = max(1, round(amount * seconds / elapsed))
    return lambda: run(amount)


def _require_equal(name: str, *pairs: tuple[object, object]) -> None:
    for simulated, plain in pairs:
        if not np.array_equal(np.asarray(simulated), np.asarray(plain)):
            raise UnequalError(f"'{name}': the simulator and plain differ")


def _advance(simulation: Simulation, steps: int) -> None:
    simulation.advance(steps)


#: Steps of a free run after which both are compared.
CHECKED_STEPS = 50


def lif_updates(seconds: float, size: int = 10_000) -> Contest:
    """LIF neurons driven by a bias, without synapses: neuron updates a second."""
    code = compile_network(networks.lif_population(size))
    simulation, plain = start(code, learning=False), PlainRun(code, learning=False)
    _advance(simulation, CHECKED_STEPS)
    plain.advance(CHECKED_STEPS)
    _require_equal(
        "lif",
        (simulation.arrays["s_0_v"], plain.read("cells", "v")),
        (simulation.arrays["event_totals"][0, 0], plain.neurons["cells"].events),
    )

    def simulated(steps: int) -> float:
        _advance(simulation, steps)
        return steps * size

    def numpy(steps: int) -> float:
        plain.advance(steps)
        return steps * size

    return Contest(
        "lif",
        f"{size:,} LIF neurons with a bias current, no synapses",
        "neuron updates/s",
        f"potentials and events after {CHECKED_STEPS} steps",
        _lasting(simulated, seconds),
        _lasting(numpy, seconds),
    )


def synaptic_events(name: str, network: Network, seconds: float) -> Contest:
    """Poisson sources onto LIF neurons: synaptic events a second, neurons included."""
    code = compile_network(network)
    (projection,) = code.projections
    simulation, plain = (
        start(code, learning=False),
        PlainRun(code, record=[("senses", "events")], learning=False),
    )
    size = code.population("cells").size
    senses = code.population("senses").size
    fan_out = np.full(senses, size) if projection.dense else np.bincount(projection.pre, minlength=senses)
    # So many that events with delays have arrived, and so few that plain numpy ends soon.
    checked = CHECKED_STEPS if size <= 1000 else 20
    _advance(simulation, checked)
    events = plain.advance(checked)["senses", "events"]
    counted = simulation.arrays["synaptic_events"]
    _require_equal(
        name,
        (simulation.arrays["s_1_u"], plain.read("cells", "u")),
        (simulation.arrays["s_1_v"], plain.read("cells", "v")),
        # A message is counted when it arrives, a step after its emission.
        (counted[0], (events[:-1] @ fan_out).sum()),
    )

    def simulated(steps: int) -> float:
        before = int(counted[0])
        _advance(simulation, steps)
        return int(counted[0]) - before

    def numpy(steps: int) -> float:
        events = plain.advance(steps)["senses", "events"]
        return int((events @ fan_out).sum())

    return Contest(
        name,
        f"{senses:,} Poisson sources at 100 Hz, {projection.weights.size:,} synapses, {size:,} LIF neurons",
        "synaptic events/s",
        f"currents, potentials and synaptic events after {checked} steps",
        _lasting(simulated, seconds),
        _lasting(numpy, seconds),
    )


def training_program(template: str, weight_form: str) -> ChipProgram:
    """The program of a template, with seed 0."""
    with as_file(files("burstchip") / "templates" / template / "network.yaml") as path:
        return compile_network(load_network(path, {"weight_form": weight_form}, 0))


def training_pictures(code: ChipProgram, data_dir: Path | None) -> Pictures:
    """The training samples of a program's task; nothing is fetched. Raises `BurstchipError` without them."""
    assert code.task is not None
    folder = data_dir if code.task.data == "mnist" else None
    return pictures_of(load_dataset(code.task.data, split=code.task.split, data_dir=folder))[0]


def _learned(simulation: Simulation, plain: PlainRun) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Each weight and tag as the simulator and as `plain` has it."""
    for index, synapses in enumerate(plain.synapses):
        if synapses.learning is not None:
            for kind in "wt" if synapses.learning.form == "chip" else "w":
                yield simulation.arrays[f"{kind}_{index}"].ravel(), synapses.variable(kind)


def training_samples(
    template: str, weight_form: str, seconds: float, checked: int, data_dir: Path | None = None
) -> Contest:
    """Online training of a template's network: samples a second. The first `checked` samples are compared."""
    code = training_program(template, weight_form)
    pictures = training_pictures(code, data_dir)
    order = sample_order(code, len(pictures.images), 0)
    presentation = Presentation(code, pictures)
    simulation = start(code, learning=True, host=Host(presentation.streams))
    plain = PlainRun(code, Host(Presentation(code, pictures, order).streams))
    task = code.task
    assert task is not None
    shown = 0

    def simulated(samples: int) -> float:
        nonlocal shown
        chosen = order[np.arange(shown, shown + samples + 1) % len(order)]
        show(simulation, presentation, chosen[:-1], int(chosen[-1]))
        shown += samples
        return samples

    def numpy(samples: int) -> float:
        plain.advance(samples * task.present)
        return samples

    simulated(checked)
    numpy(checked)
    _require_equal(template, *_learned(simulation, plain))
    sizes = "-".join(f"{population.size}" for population in code.populations)
    return Contest(
        f"{template}, {weight_form}",
        f"online training {sizes}, {task.present} steps a sample, {weight_form} form",
        "training samples/s",
        f"all weights and tags after {checked} samples",
        _lasting(simulated, seconds),
        _lasting(numpy, seconds),
    )
