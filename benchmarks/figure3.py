"""The network of the paper's figure 3: this simulator, Brian2 and the authors' own program, in turn.

    python -m benchmarks.figure3 [--authors PROGRAM] [--brian2] [--quick] [--json]

Four seconds of 10,000 neurons at 0.1 ms, as seconds of the network in a second of the clock: in float64, in
float32, and in float32 on two threads. `--authors` is the program `sim_propagation` of the authors'
repository, built with all that they optimise for; `--brian2` has Brian2 generate and compile a program in
C++. Building, compiling and making the connections are outside all times. Everything else is on one core.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from rich.table import Table

from benchmarks import figure3_brian2
from benchmarks.beside import AUTHORS, Speed, in_turn, program_seconds
from benchmarks.machine import machine
from benchmarks.printing import console_of, machine_line
from burstchip.compilation import compile_file
from burstchip.experiments.experiment import experiment
from burstchip.running.run import Run, open_run
from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import NO_CHIP

STEP_MS = 0.1
SIZE, INTERNEURONS = 4000, 1000
#: What of our own is timed: a name, a backend, and on how many threads.
OWN = (("float64", "reference", 1), ("float32", "reference32", 1), ("float32, 2 threads", "reference32", 2))
#: What the authors' program is given by the script that makes their figure.
PUBLISHED = ("--seed", "1", "--w12", "0.37", "--w1som", "0.035")
#: How long it runs: a second before the currents, and three with them.
AUTHORS_SECONDS = 4.0


@dataclass(frozen=True)
class Result(Speed):
    """With spikes by population in the last repetition."""

    spikes: Mapping[str, int]


class _Runs:
    """Ways to run the network for so many seconds; each returns the seconds of the clock that it took."""

    def __init__(self, seconds: float, folder: Path, authors: Path | None, brian2: bool) -> None:
        self.seconds, self.folder = seconds, folder
        self.spikes: dict[str, Mapping[str, int]] = {}
        settings = {"step": f"{STEP_MS} ms", "target": NO_CHIP}
        self.code = compile_file(experiment("fig3_multiplexing").network, settings, 1)[0]
        self.ways: dict[str, Callable[[], float]] = {
            name: self._own(name, backend, threads) for name, backend, threads in OWN
        }
        if brian2:
            figure3_brian2.build(folder / "brian2", seconds, SIZE, INTERNEURONS)
            self.ways["Brian2, C++"] = self._brian2
        if authors is not None:
            self.authors = authors.resolve()
            self.ways[AUTHORS] = self._authors

    def _own(self, name: str, backend: str, threads: int) -> Callable[[], float]:
        # What is compiled is kept for the runs that are timed.
        open_run(self.code, backend, threads=threads).advance(1)

        def run() -> float:
            it = open_run(self.code, backend, threads=threads)
            it.advance(1)
            started = perf_counter()
            it.advance(round(self.seconds * 1000 / STEP_MS) - 1)
            took = perf_counter() - started
            self.spikes[name] = _spikes(self.code, it)
            return took

        return run

    def _brian2(self) -> float:
        took, self.spikes["Brian2, C++"] = figure3_brian2.run(self.folder / "brian2")
        return took

    def _authors(self) -> float:
        """From the line that says that it runs to its end; it makes its network before."""
        command: list[str | Path] = [self.authors, *PUBLISHED, "--dir", self.folder]
        return program_seconds(command, b"Running")[0] * self.seconds / AUTHORS_SECONDS


def _spikes(code: ChipProgram, run: Run) -> Mapping[str, int]:
    """How often each population has spiked: of those with bursts, how many spikes a synapse each has had."""
    delivered = run.state()["synaptic_events"]
    found = {it.source: int(delivered[k]) for k, it in enumerate(code.projections) if it.output == "spikes"}
    return {cells: found.get(cells, run.events[cells]) for cells in ("lower", "higher", "pv", "som")}


def measure(seconds: float, repeats: int, authors: Path | None, brian2: bool) -> list[Result]:
    """Run all in turn."""
    with tempfile.TemporaryDirectory() as folder:
        runs = _Runs(seconds, Path(folder), authors, brian2)
        speeds = in_turn(runs.ways, seconds, repeats)
    return [Result(it.name, it.rates, runs.spikes.get(it.name, {})) for it in speeds]


def results_table(results: Sequence[Result], seconds: float) -> Table:
    """The results for people."""
    table = Table(title="Figure 3: seconds of the network in a second, medians (lowest – highest)")
    table.add_column("what runs", overflow="fold")
    others = [it for it in results if it.name not in {name for name, *_ in OWN}]
    sizes = {"lower": SIZE, "higher": SIZE, "pv": INTERNEURONS, "som": INTERNEURONS}
    headings = ("speed", *(f"times\n{it.name}" for it in others), *(f"{cells}\nHz" for cells in sizes))
    for heading in headings:
        table.add_column(heading, justify="right", overflow="fold")
    for result in results:
        table.add_row(
            result.name,
            result.cell(),
            *(result.times(other) for other in others),
            *(
                f"{result.spikes[cells] / size / seconds:.2f}" if cells in result.spikes else "–"
                for cells, size in sizes.items()
            ),
        )
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.figure3", description=__doc__.split("\n")[0])
    parser.add_argument("--authors", metavar="PROGRAM", type=Path, help="the authors' `sim_propagation`")
    parser.add_argument("--brian2", action="store_true", help="compile and run Brian2's program, too")
    parser.add_argument("--quick", action="store_true", help="short and few repetitions: a rough idea")
    parser.add_argument("--json", action="store_true", help="end stdout with one line of JSON")
    options = parser.parse_args(arguments)
    if options.authors is not None and not options.authors.is_file():
        parser.error(f"--authors: no file {options.authors}")
    console = console_of(json=options.json)
    about = machine()
    console.print(machine_line(about))
    seconds, repeats = (0.2, 2) if options.quick else (AUTHORS_SECONDS, 5)
    results = measure(seconds, repeats, options.authors, options.brian2)
    console.print(results_table(results, seconds))
    if options.json:
        measured = [{**asdict(it), "median": it.median} for it in results]
        print(json.dumps({"machine": asdict(about), "seconds": seconds, "results": measured}))


if __name__ == "__main__":
    main()
