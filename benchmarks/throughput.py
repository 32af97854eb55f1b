"""How fast the simulator is, and the backend `plain` at the same integers in the same run.

    python -m benchmarks.throughput [--quick] [--json] [--data DIR] [--only NAME]

Measured are neuron updates, synaptic events and training samples a second on one core, without compilation
and loading, and how long commands take to start. With `--json` the last line on stdout is one object.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks import networks
from benchmarks.contests import Contest, lif_updates, synaptic_events, training_samples
from benchmarks.machine import machine
from benchmarks.printing import console_of, machine_line
from benchmarks.startup import StartUp, start_up
from benchmarks.timing import Rate, rates_in_turn
from hw_models.diagnostics import BurstchipError


@dataclass(frozen=True)
class Effort:
    """Seconds of one repetition, how many there are, and how many samples `plain` must reproduce."""

    seconds: float
    repeats: int
    checked: int


FULL = Effort(seconds=1.0, repeats=7, checked=20)
QUICK = Effort(seconds=0.1, repeats=3, checked=3)


@dataclass(frozen=True)
class Result:
    """A contest and how it ended; the ratio is that of the medians."""

    contest: Contest
    simulated: Rate
    plain: Rate

    @property
    def ratio(self) -> float:
        """How many times as fast as `plain` the simulator is."""
        return self.simulated.median / self.plain.median

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.contest.name,
            "description": self.contest.description,
            "unit": self.contest.unit,
            "checked_equal": self.contest.checked,
            "burstchip": self.simulated.as_json(),
            "plain": self.plain.as_json(),
            "ratio": self.ratio,
        }


def contests(effort: Effort, data: Path | None) -> dict[str, Callable[[], Contest]]:
    """What makes each contest ready, by name."""

    def training(template: str, form: str) -> Callable[[], Contest]:
        return lambda: training_samples(template, form, effort.seconds, effort.checked, data)

    return {
        "lif": lambda: lif_updates(effort.seconds),
        "dense": lambda: synaptic_events("dense", networks.dense_events(), effort.seconds),
        "sparse": lambda: synaptic_events("sparse", networks.sparse_events(), effort.seconds),
        "large": lambda: synaptic_events("large", networks.large_events(), effort.seconds),
        "delayed": lambda: synaptic_events("delayed", networks.delayed_events(), effort.seconds),
        "digits-carry": training("digits", "carry"),
        "digits-chip": training("digits", "chip"),
        "mnist-carry": training("mnist", "carry"),
        "mnist-chip": training("mnist", "chip"),
    }


def run_contests(
    names: Sequence[str], effort: Effort, data: Path | None, tell: Callable[[str], None]
) -> tuple[list[Result], dict[str, str]]:
    """(results, why others could not be had)."""
    results, missing = [], {}
    ready = contests(effort, data)
    for name in names:
        tell(name)
        try:
            contest = ready[name]()
        except BurstchipError as error:
            # The message itself may hold a path.
            missing[name] = f"its data are not here ({error.diagnostics[0].id}); --data names their folder"
            continue
        simulated, plain = rates_in_turn(contest.simulated, contest.plain, repeats=effort.repeats)
        results.append(Result(contest, simulated, plain))
    return results, missing


def _short(value: float) -> str:
    """Three digits, and a letter for thousands, millions and billions."""
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _rate(rate: Rate) -> str:
    return f"{_short(rate.median)}\n({_short(rate.lowest)} – {_short(rate.highest)})"


def results_table(results: Sequence[Result]) -> Table:
    """The results for people: medians, and lowest and highest in brackets."""
    table = Table(title="Per second, on one core: median (lowest – highest)")
    table.add_column("what")
    for heading in ("burstchip", "plain", "ratio", "share of\na core"):
        table.add_column(heading, justify="right")
    for result in results:
        busy = min(result.simulated.busy, result.plain.busy)
        contest = result.contest
        table.add_row(
            f"{contest.name}: {contest.unit}\n{contest.description}\nequal: {contest.checked}",
            _rate(result.simulated),
            _rate(result.plain),
            f"{result.ratio:.3g}",
            f"{busy:.0%}",
        )
        table.add_section()
    return table


def start_up_table(times: StartUp) -> Table:
    """Seconds until something happens."""
    table = Table(title="Seconds from the start of the process")
    table.add_column("what")
    table.add_column("seconds", justify="right")
    table.add_row("burstchip --help, to its end", f"{times.help:.2f}")
    table.add_row(
        "burstchip run, to the first step, when its loop must be compiled", f"{times.compiling:.2f}"
    )
    table.add_row("burstchip run, to the first step, later", f"{times.first_step:.2f}")
    table.add_row("burstchip run --steps 1, to its end, later", f"{times.whole_run:.2f}")
    return table


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.throughput", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="short and few repetitions: a rough idea")
    parser.add_argument("--json", action="store_true", help="end stdout with one line of JSON")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with MNIST's files")
    parser.add_argument(
        "--only", metavar="NAME", nargs="+", choices=[*contests(QUICK, None), "start"], help="just these"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = _arguments(arguments)
    effort = QUICK if options.quick else FULL
    chosen = options.only or [*contests(effort, None), "start"]
    console = console_of(json=options.json)
    about = machine()
    console.print(machine_line(about))
    names = [name for name in chosen if name != "start"]
    with console.status("measuring") as status:
        results, missing = run_contests(
            names, effort, options.data, lambda name: status.update(f"measuring {name}")
        )
        status.update("measuring the start of commands")
        times = start_up(effort.repeats) if "start" in chosen else None
    if results:
        console.print(results_table(results))
    for name, reason in missing.items():
        console.print(f"{name}: not measured: {reason}")
    if times is not None:
        console.print(start_up_table(times))
    if options.json:
        print(
            json.dumps(
                {
                    "machine": asdict(about),
                    "quick": options.quick,
                    "results": [result.as_json() for result in results],
                    "not_measured": missing,
                    "start_up": None if times is None else asdict(times),
                }
            )
        )


if __name__ == "__main__":
    main()
