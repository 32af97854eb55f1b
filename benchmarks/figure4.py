"""XOR as in the paper's figure 4: this simulator and the authors' own program, in turn.

    python -m benchmarks.figure4 [--authors PROGRAM] [--epochs 20] [--repeats 3] [--json]

Tests, epochs of training and tests again, as seconds of the network in a second of one core: in float32 at
0.1 ms, as the authors have it, and in integers at 0.5 ms. `--authors` is the program `sim_xor` of their
repository, built with all they optimise for. Compiling and making the connections are outside all times.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from benchmarks.beside import AUTHORS, Speed, in_turn, program_seconds
from benchmarks.machine import machine
from benchmarks.printing import console_of, machine_line
from burstchip.experiments.experiment import protocol_experiment
from burstchip.experiments.running import compiled
from burstchip.running.run import open_run
from burstchip.tasks.protocol.following import follow
from compiler.ir.chip_program import ChipProgram

#: What of our own is timed: a name, a backend, and its step in ms.
OWN = (("float32, 0.1 ms", "reference32", 0.1), ("integers, 0.5 ms", "sim", 0.5))
#: What the authors' program is given by the script that makes their figure.
PUBLISHED = ("--seed", "1", "--durex", "8", "--alpha", "2", "--N", "500")
#: Seconds of an example, of the time before the first one, and how many examples an epoch and each test have.
EXAMPLE, SETTLING, EXAMPLES = 8.0, 6.0, 4
#: Epochs of the published training.
ALL_EPOCHS = 500
_COST = re.compile(rb"Cost epoch \d+ = ([-+.e\d]+)")


def seconds_of(epochs: int) -> float:
    """Of the network, with a test before and one after so many epochs."""
    return SETTLING + (epochs + 2) * EXAMPLES * EXAMPLE


@dataclass(frozen=True)
class Result(Speed):
    """With the cost of the last epoch in the last repetition."""

    cost: float

    @property
    def minutes(self) -> float:
        """That all epochs of a seed would take."""
        return seconds_of(ALL_EPOCHS) / self.median / 60


class _Runs:
    """Ways to train the network."""

    def __init__(self, epochs: int, folder: Path, authors: Path | None) -> None:
        self.epochs, self.folder = epochs, folder
        self.cost: dict[str, float] = {}
        it = protocol_experiment("fig4_xor")
        self.ways: dict[str, Callable[[], float]] = {}
        for name, backend, step in OWN:
            settings = {**it.settings(step, 1.0), "rounds": f"{epochs}"}
            self.ways[name] = self._own(name, backend, compiled(it.network, step, 1, settings, backend)[0])
        if authors is not None:
            self.authors = authors.resolve()
            self.ways[AUTHORS] = self._authors

    def _own(self, name: str, backend: str, code: ChipProgram) -> Callable[[], float]:
        # What is compiled is kept for the runs that are timed.
        open_run(code, backend).advance(1)

        def run() -> float:
            done = follow(code, backend)
            self.cost[name] = float(done.followed.costs("training")[-1])
            return done.seconds

        return run

    def _authors(self) -> float:
        """From its first step to its end; it makes its network before."""
        examples = f"{self.epochs * EXAMPLES}"
        command: list[str | Path] = [self.authors, *PUBLISHED, "--numex", examples, "--dir", self.folder]
        took, said = program_seconds(command, b"t=0.0s")
        self.cost[AUTHORS] = float(_COST.findall(said)[-1])
        return took


def measure(epochs: int, repeats: int, authors: Path | None) -> list[Result]:
    """Run all in turn."""
    with tempfile.TemporaryDirectory() as folder:
        runs = _Runs(epochs, Path(folder), authors)
        speeds = in_turn(runs.ways, seconds_of(epochs), repeats)
    return [Result(it.name, it.rates, runs.cost[it.name]) for it in speeds]


def results_table(results: Sequence[Result], epochs: int) -> Table:
    """The results for people."""
    table = Table(title=f"XOR, {epochs} epochs: seconds of the network in a second (lowest – highest)")
    table.add_column("what runs", overflow="fold")
    others = [it for it in results if it.name == AUTHORS]
    minutes, cost = f"minutes for\n{ALL_EPOCHS} epochs", "cost of the\nlast epoch"
    for heading in ("speed", *(f"times\n{it.name}" for it in others), minutes, cost):
        table.add_column(heading, justify="right", overflow="fold")
    for it in results:
        times = (it.times(other) for other in others)
        table.add_row(it.name, it.cell(), *times, f"{it.minutes:.1f}", f"{it.cost:.2f}")
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.figure4", description=__doc__.split("\n")[0])
    parser.add_argument("--authors", metavar="PROGRAM", type=Path, help="the authors' `sim_xor`")
    parser.add_argument("--epochs", metavar="N", type=int, default=20, help="epochs of training (20)")
    parser.add_argument("--repeats", metavar="N", type=int, default=3, help="how often each runs (3)")
    parser.add_argument("--json", action="store_true", help="end stdout with one line of JSON")
    options = parser.parse_args(arguments)
    if options.authors is not None and not options.authors.is_file():
        parser.error(f"--authors: no file {options.authors}")
    for name in ("epochs", "repeats"):
        if getattr(options, name) < 1:
            parser.error(f"--{name}: 1 or more are needed, not {getattr(options, name)}")
    console = console_of(json=options.json)
    about = machine()
    console.print(machine_line(about))
    results = measure(options.epochs, options.repeats, options.authors)
    console.print(results_table(results, options.epochs))
    if options.json:
        measured = [{**asdict(it), "median": it.median, "minutes": it.minutes} for it in results]
        assert all(np.isfinite(it.cost) for it in results)
        print(json.dumps({"machine": asdict(about), "epochs": options.epochs, "results": measured}))


if __name__ == "__main__":
    main()
