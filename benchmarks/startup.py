"""How long a user waits: for `burstchip --help`, for the first step of a run, for compilation and loading.

Every time is that of a process of its own, from its start. The first run of a program on a machine compiles
its loop; every later one loads it from the cache folder. Both are measured with a cache folder that starts
empty and is removed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StartUp:
    """Seconds from a process's start; medians, but for `compiling`, which is the first process's.

    `help`: `burstchip --help`, to its end. `compiling` and `first_step`: `burstchip run` to its first step,
    the first time and later. `whole_run`: to its end, later, with one step.
    """

    help: float
    compiling: float
    first_step: float
    whole_run: float
    repeats: int


def _run(cache: Path, *arguments: str) -> tuple[float, float, str]:
    """(time at which it was started, seconds it took, its stderr) of a Python module run as a process."""
    started_at, started = time.time(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        env=os.environ | {"BURSTCHIP_CACHE": str(cache)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(
            f"`{' '.join(arguments)}` exits with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return started_at, seconds, done.stderr


def start_up(repeats: int, weight_form: str = "carry") -> StartUp:
    """Measure with the digits template: run one step of it, in the given form of plastic weight."""
    with tempfile.TemporaryDirectory() as folder:
        cache, network = Path(folder, "cache"), str(Path(folder, "network.yaml"))
        artifact, out = str(Path(folder, "net.burst")), str(Path(folder, "out.nc"))
        _run(cache, "burstchip", "new", "digits", folder)
        _run(cache, "burstchip", "compile", network, "-o", artifact, "--set", f"weight_form={weight_form}")
        helped = [_run(cache, "burstchip", "--help")[1] for _ in range(repeats)]
        firsts, wholes = [], []
        for _ in range(repeats + 1):
            command = ("benchmarks.first_step", "run", artifact, "--steps", "1", "-o", out)
            started_at, seconds, messages = _run(cache, *command)
            firsts.append(float(messages.splitlines()[-1]) - started_at)
            wholes.append(seconds)
    return StartUp(
        help=statistics.median(helped),
        compiling=firsts[0],
        first_step=statistics.median(firsts[1:]),
        whole_run=statistics.median(wholes[1:]),
        repeats=repeats,
    )
