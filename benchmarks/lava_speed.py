"""How fast the simulator is beside Lava, on the same networks, in the same run.

    python -m benchmarks.lava_speed [--quick] [--json] [--only NAME ...]

For each network: seconds from the compiled program to the end of the first step, and then the time of a step,
of both backends, measured in turn. Before anything is timed, `burstchip verify`'s comparison must find both
equal. The simulator runs on one core; Lava runs each of its processes as a process of the system.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.contests import training_pictures, training_program
from benchmarks.machine import machine
from benchmarks.networks import lava_network
from benchmarks.printing import console_of, machine_line
from benchmarks.timing import Rate, rates_in_turn
from burstchip.backends.available import require_backend
from burstchip.backends.lava.session import LavaRun, LavaWorker
from burstchip.backends.sim import compiled, simulator
from burstchip.running.recording import first_epoch
from burstchip.running.verification import verify
from burstchip.tasks.presentation import Pictures
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Host
from compiler.pipeline import compile_network

SIZES = (100, 1000, 4000)
#: Steps that are compared before timing.
CHECKED = 24


@dataclass(frozen=True)
class Effort:
    """Seconds of one repetition, and how many there are."""

    seconds: float
    repeats: int


FULL = Effort(2.0, 5)
QUICK = Effort(0.2, 2)


@dataclass(frozen=True)
class Result:
    """Start-up in seconds, steps a second, and how many values were equal before."""

    name: str
    neurons: int
    synapses: int
    processes: int
    values: int
    sim_start: float
    lava_start: float
    sim: Rate
    lava: Rate

    @property
    def ratio(self) -> float:
        """How many times as fast as Lava the simulator does a step."""
        return self.sim.median / self.lava.median

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "sim": self.sim.as_json(), "lava": self.lava.as_json(), "ratio": self.ratio}


def programs() -> dict[str, Callable[[], ChipProgram]]:
    """What is measured, by name."""

    def generated(size: int, learns: bool) -> Callable[[], ChipProgram]:
        return lambda: compile_network(lava_network(size, learns=learns))

    found = {
        f"{'learning' if learns else 'static'}-{size}": generated(size, learns)
        for learns in (False, True)
        for size in SIZES
    }
    return {**found, "digits": lambda: training_program("digits", "chip")}


class _Stepping:
    """A program on both backends; each `Work` runs as many steps as fill the given seconds."""

    def __init__(self, code: ChipProgram, pictures: Pictures | None, worker: LavaWorker) -> None:
        self.code = code
        self.unit = 1 if code.task is None else code.task.present
        # Room for a run that is never asked for more.
        steps = 20_000 * self.unit
        shown = None if pictures is None else first_epoch(code, steps, pictures)
        self.host = Host({} if shown is None else shown.streams)
        self._sim_started()
        # Once more, now that the loop is compiled: later runs load it.
        compiled._address.cache_clear()
        started = perf_counter()
        self.simulation = self._sim_started()
        self.sim_start = perf_counter() - started
        started = perf_counter()
        self.run = LavaRun(worker, code, self.host, rows=1 << 24, counting=False)
        self.run.advance(1)
        self.lava_start = perf_counter() - started

    def _sim_started(self) -> simulator.Simulation:
        simulation = simulator.start(self.code, learning=True, host=self.host)
        self._simulate(simulation, self.unit)
        return simulation

    def _simulate(self, simulation: simulator.Simulation, steps: int) -> None:
        simulation.advance(steps)

    def simulated(self, seconds: float) -> Callable[[], float]:
        """Steps of the simulator that take about `seconds`."""
        steps = _filling(seconds, lambda count: self._simulate(self.simulation, count), self.unit)
        return lambda: _counted(steps, lambda: self._simulate(self.simulation, steps))

    def in_lava(self, seconds: float) -> Callable[[], float]:
        """Steps of Lava that take about `seconds`."""
        steps = _filling(seconds, self.run.advance, self.unit)
        return lambda: _counted(steps, lambda: self.run.advance(steps))


def _counted(steps: int, work: Callable[[], object]) -> float:
    work()
    return steps


def _filling(seconds: float, work: Callable[[int], object], unit: int) -> int:
    """A number of steps, a multiple of `unit`, that take about `seconds`."""
    steps = unit
    while True:
        started = perf_counter()
        work(steps)
        elapsed = perf_counter() - started
        if elapsed >= seconds / 2:
            return max(unit, int(steps * seconds / elapsed) // unit * unit)
        steps *= int(np.clip(seconds / max(elapsed, 1e-6) / 2, 2, 16))


@contextmanager
def _stepping(code: ChipProgram, pictures: Pictures | None, worker: LavaWorker) -> Iterator[_Stepping]:
    it = _Stepping(code, pictures, worker)
    try:
        yield it
    finally:
        it.run.close()


def measure(name: str, code: ChipProgram, effort: Effort, worker: LavaWorker) -> Result:
    """Compare, then time."""
    pictures = None if code.task is None else training_pictures(code, None)
    found = verify(code, CHECKED, pictures=pictures, worker=worker)
    assert found.difference is None, f"{name}: {found.difference}"
    with _stepping(code, pictures, worker) as it:
        sim, lava = rates_in_turn(
            it.simulated(effort.seconds), it.in_lava(effort.seconds), repeats=effort.repeats
        )
        return Result(
            name,
            sum(p.size for p in code.populations),
            sum(p.weights.size for p in code.projections),
            len(code.populations) + len(code.projections),
            found.values,
            it.sim_start,
            it.lava_start,
            sim,
            lava,
        )


def results_table(results: Sequence[Result]) -> Table:
    """The results for people."""
    table = Table(title="The simulator and Lava, medians (lowest – highest)")
    table.add_column("network", overflow="fold")
    for heading in (
        "neurons",
        "synapses",
        "start s\nsim",
        "start s\nLava",
        "step µs\nsim",
        "step µs\nLava",
        "ratio",
    ):
        table.add_column(heading, justify="right", overflow="fold")
    for result in results:
        table.add_row(
            f"{result.name}\n{result.processes} processes",
            f"{result.neurons:,}",
            f"{result.synapses:,}",
            f"{result.sim_start:.2f}",
            f"{result.lava_start:.2f}",
            _microseconds(result.sim),
            _microseconds(result.lava),
            f"{result.ratio:,.0f}",
        )
    return table


def _microseconds(rate: Rate) -> str:
    median, lowest, highest = (_short(1e6 / r) for r in (rate.median, rate.highest, rate.lowest))
    return f"{median}\n({lowest} – {highest})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lava_speed", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="short and few repetitions: a rough idea")
    parser.add_argument("--json", action="store_true", help="end stdout with one line of JSON")
    parser.add_argument("--only", metavar="NAME", nargs="+", choices=list(programs()), help="just these")
    options = parser.parse_args(arguments)
    require_backend("lava")
    console = console_of(json=options.json)
    about = machine()
    console.print(machine_line(about))
    results: list[Result] = []
    with LavaWorker() as worker, console.status("measuring") as status:
        for name in options.only or list(programs()):
            status.update(f"measuring {name}")
            results.append(measure(name, programs()[name](), QUICK if options.quick else FULL, worker))
    console.print(results_table(results))
    if options.json:
        print(json.dumps({"machine": asdict(about), "results": [result.as_json() for result in results]}))


if __name__ == "__main__":
    main()
