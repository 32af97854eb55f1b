"""What the measuring commands print for people."""

from __future__ import annotations

import os
import sys

from rich.console import Console

from benchmarks.machine import Machine


def console_of(*, json: bool) -> Console:
    """Stdout, or stderr where stdout is for JSON; as wide as the terminal or, in a file, 120 characters."""
    stream = sys.stderr if json else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 120
    return Console(file=stream, width=width, highlight=False)


def machine_line(about: Machine) -> str:
    """One line on the machine, and a warning where it is busy with something else."""
    line = (
        f"{about.processor} ({about.microarchitecture}), {about.cores} cores, "
        f"vectors of {about.vector_bits} bits; {about.system}, "
        f"Python {about.python}, numpy {about.numpy}, numba {about.numba}"
    )
    if about.load is not None and about.load > about.cores / 2:
        line += f"\nthe machine is busy (load {about.load}): timings are disturbed"
    return line
