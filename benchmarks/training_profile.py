"""Where the time of a training sample goes, and what bounds it.

    python -m benchmarks.training_profile [--template digits|mnist] [--form carry|chip] [--quick] [--json]

For each part of the loop: its time, the bytes it moves and the integer operations it does, against what one
core of this machine can do at most, measured in the same run; and the instructions of the hot loops by the
width of their registers. With `--json` the last line on stdout is one object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.contests import training_pictures, training_program
from benchmarks.machine import machine
from benchmarks.printing import console_of, machine_line
from benchmarks.profiling.division import Division, PartTime, divide
from benchmarks.profiling.instrument import KINDS
from benchmarks.profiling.limits import Limits, limits
from benchmarks.profiling.ticks import can_tick
from hw_models.diagnostics import BurstchipError


def shares(part: PartTime, most: Limits) -> tuple[float, float] | None:
    """(share of the limit of bytes, share of the limit of operations) at which a part runs."""
    if part.work is None or part.seconds <= 0:
        return None
    work = part.work
    return (
        work.bytes / part.seconds / most.bytes_of(work.working_set),
        work.operations / part.seconds / most.simple(work.bits),
    )


def parts_table(division: Division, most: Limits) -> Table:
    """One line a part, grouped by what they do, the dearest group first."""
    table = Table(title="One training sample")
    for heading in ("part", "µs", "share", "kB", "of limit", "k ops", "of limit"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    together = division.together
    groups = {kind: [part for part in division.parts if part.part.kind == kind] for kind in KINDS}
    for kind, parts in sorted(groups.items(), key=lambda group: -sum(part.seconds for part in group[1])):
        if not parts:
            continue
        seconds = sum(part.seconds for part in parts)
        table.add_row(f"[bold]{kind}", f"[bold]{seconds * 1e6:.1f}", f"[bold]{seconds / together:.1%}")
        for part in parts:
            if part.work is not None:
                table.add_row(*_row(part, together, most))
        table.add_section()
    table.add_row("all parts", f"{together * 1e6:.1f}", "100 %")
    return table


def _row(part: PartTime, together: float, most: Limits) -> list[str]:
    found = shares(part, most)
    row = [f"  {part.part.name}", f"{part.seconds * 1e6:.1f}", f"{part.seconds / together:.1%}"]
    if part.work is None or found is None:
        return row
    of_bytes, of_operations = found
    return [
        *row,
        f"{part.work.bytes / 1e3:.3g}",
        f"{of_bytes:.0%}",
        f"{part.work.operations / 1e3:.3g}",
        f"{of_operations:.0%}",
    ]


def limits_table(most: Limits) -> Table:
    """What one core can do."""
    table = Table(title="Limits of one core, measured in this run, in thousand millions a second")
    table.add_column("of")
    table.add_column("G/s", justify="right")
    for text, value in (
        ("bytes from and to the first cache", most.l1_bytes),
        ("bytes from and to the second cache", most.l2_bytes),
        ("operations on 16 bits, multiply and add", most.multiply_add_16),
        ("operations on 32 bits, multiply and add", most.multiply_add_32),
        ("operations on 16 bits, without multiplications", most.simple_16),
        ("operations on 32 bits, without multiplications", most.simple_32),
    ):
        table.add_row(text, f"{value / 1e9:.0f}")
    return table


def instructions_table(division: Division) -> Table:
    """The hot loops of the functions, by the width of their registers."""
    table = Table(title="Instructions of one turn of the innermost hot loop")
    for heading in ("function", "512 bits", "256 bits", "128 bits", "others"):
        table.add_column(heading, justify="left" if heading == "function" else "right")
    for name, counts in division.instructions.items():
        table.add_row(name, *(str(value) for value in (counts.zmm, counts.ymm, counts.xmm, counts.other)))
    return table


def as_json(division: Division, most: Limits) -> dict[str, Any]:
    """Plain values; times in seconds of a sample."""
    parts = []
    for part in division.parts:
        found = shares(part, most)
        parts.append(
            {
                "kind": part.part.kind,
                "name": part.part.name,
                "seconds": part.seconds,
                "share": part.seconds / division.together,
                "stretches": part.stretches,
                "work": None if part.work is None else asdict(part.work),
                "of_byte_limit": None if found is None else found[0],
                "of_operation_limit": None if found is None else found[1],
            }
        )
    return {
        "parts": parts,
        "seconds_together": division.together,
        "seconds_median": division.median,
        "seconds_fastest": division.fastest,
        "samples": division.samples,
        "interrupted": division.interrupted,
        "limits": asdict(most),
        "instructions": {name: asdict(counts) for name, counts in division.instructions.items()},
    }


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training_profile", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--template", choices=("digits", "mnist"), default="digits")
    parser.add_argument("--form", choices=("carry", "chip"), default="carry", help="form of plastic weight")
    parser.add_argument("--quick", action="store_true", help="few samples: a rough idea")
    parser.add_argument("--json", action="store_true", help="end stdout with one line of JSON")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with MNIST's files")
    options = parser.parse_args(arguments)
    if not can_tick():
        parser.error("needs an x86-64 processor, whose clock programs may read")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = _arguments(arguments)
    console = console_of(json=options.json)
    about = machine()
    console.print(machine_line(about))
    try:
        pictures = training_pictures(training_program(options.template, options.form), options.data)
    except BurstchipError as error:
        console.print(str(error))
        sys.exit(2)
    warm_up, samples = (20, 40) if options.quick else (1000, 2000)
    with console.status("measuring the core") as status:
        most = limits()
        status.update("compiling, then training")
        division = divide(options.template, options.form, pictures, warm_up, samples)
    console.print(limits_table(most), parts_table(division, most), instructions_table(division))
    console.print(
        f"The loop as it is used: {division.median * 1e6:.1f} µs a sample in the median, "
        f"{division.fastest * 1e6:.1f} µs at its fastest: {1 / division.median:,.0f} and "
        f"{1 / division.fastest:,.0f} samples a second. {division.interrupted} stretches were interrupted."
    )
    if options.json:
        header = {"machine": asdict(about), "template": options.template, "weight_form": options.form}
        print(json.dumps(header | {"quick": options.quick} | as_json(division, most)))


if __name__ == "__main__":
    main()
