"""Power of a target while it works: the processor's own counters, or a program that prints it."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.runner.result import Number
from compiler.whole_file import write_whole

#: Where Linux tells how much energy the processor has used, in uJ.
RAPL = Path("/sys/class/powercap/intel-rapl:0/energy_uj")
#: Seconds between two looks at the counters.
_EVERY = 0.05
#: Seconds of rest before a measurement, of which idle power is taken.
IDLE_SECONDS = 1.0


class Monitor(Protocol):
    """Something that tells power. Samples are (seconds since the start, watts)."""

    @property
    def method(self) -> str:
        """How it measures."""

    def begin(self) -> None:
        """Start sampling."""

    def end(self) -> list[tuple[float, float]]:
        """Stop; all samples since the start."""


@dataclass
class Counters:
    """The processor's energy counter, as Linux shows it; it wraps, which a difference below 0 tells."""

    path: Path = RAPL
    method: str = "RAPL: the whole package of the processor, sampled at 20 Hz"
    _samples: list[tuple[float, float]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start sampling in a thread of its own."""
        self._samples, self._stop = [], threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        started = before = time.perf_counter()
        energy = int(self.path.read_text())
        while not self._stop.wait(_EVERY):
            now, used = time.perf_counter(), int(self.path.read_text())
            if used >= energy:
                self._samples.append((now - started, (used - energy) * 1e-6 / (now - before)))
            before, energy = now, used

    def end(self) -> list[tuple[float, float]]:
        """Stop the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        return self._samples


@dataclass
class Program:
    """A child that prints a line of JSON a sample, {"watts": 1.5}, until it is ended."""

    command: list[str]
    _child: subprocess.Popen[str] | None = None
    _samples: list[tuple[float, float]] = field(default_factory=list)
    _thread: threading.Thread | None = None

    @property
    def method(self) -> str:
        """How it measures."""
        return f"power monitor: {' '.join(self.command)}"

    def begin(self) -> None:
        """Start the child."""
        self._samples = []
        self._child = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._child is not None and self._child.stdout is not None
        started = time.perf_counter()
        for line in self._child.stdout:
            try:
                watts = float(json.loads(line)["watts"])
            except (ValueError, KeyError, TypeError):
                continue
            self._samples.append((time.perf_counter() - started, watts))

    def end(self) -> list[tuple[float, float]]:
        """End the child."""
        if self._child is not None:
            self._child.terminate()
            self._child.wait()
        if self._thread is not None:
            self._thread.join()
        return self._samples


def processor_monitor() -> Monitor | None:
    """The processor's counters, where they can be read."""
    try:
        RAPL.read_text()
    except OSError:
        return None
    return Counters()


def power(
    monitor: Monitor, work: Callable[[], int], unit: str, trace: Path, rest: float = IDLE_SECONDS
) -> dict[str, Number]:
    """Idle, active and dynamic power, and energy a unit, of `work()`, which returns how many units it did.

    The raw samples are written to `trace`, as lines of seconds and watts, apart from the results.
    """
    monitor.begin()
    time.sleep(rest)
    idle = monitor.end()
    monitor.begin()
    started = time.perf_counter()
    units = work()
    seconds = time.perf_counter() - started
    active = monitor.end()
    lines = ["phase,seconds,watts"]
    lines += [f"idle,{t:.4f},{watts:.6g}" for t, watts in idle]
    lines += [f"active,{t:.4f},{watts:.6g}" for t, watts in active]
    write_whole(trace, ("\n".join(lines) + "\n").encode())
    if not idle or not active:
        return {}
    at_rest, at_work = (float(np.mean([watts for _, watts in it])) for it in (idle, active))
    method = f"{monitor.method}; {len(idle)} samples at rest, {len(active)} at work"

    def number(value: float, name: str) -> Number:
        return Number(value=value, unit=name, source="measured", method=method)

    return {
        "power_idle": number(at_rest, "W"),
        "power_active": number(at_work, "W"),
        "power_dynamic": number(at_work - at_rest, "W"),
        f"energy_a_{unit}": number(at_work * seconds / units, "J"),
        f"dynamic_energy_a_{unit}": number((at_work - at_rest) * seconds / units, "J"),
    }
