"""How fast a target is: single calls one after the other, and many samples or steps in one call."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.runner.figures import latencies, served, trials
from benchmarks.runner.measured import Desk
from benchmarks.runner.power import power
from benchmarks.runner.result import Number
from burstchip.tasks.presentation import Pictures, Presentation
from burstchip.tasks.showing import show
from compiler.ir.chip_program import ChipProgram

#: Calls before any is timed.
WARM_UPS = 3
SINGLE = 200
SLOW_SINGLE = 5
TRIALS = 5
#: Seconds that a trial should take.
TRIAL_SECONDS = 0.5
#: Seconds of work under a power monitor.
POWER_SECONDS = 2.0


def speed(desk: Desk, do: Callable[[int], object], unit: str, *, most: int) -> dict[str, Number]:
    """Rates and latencies of a target, where `do(count)` does so many units, such as samples.

    Single stream: one unit a call. Offline: as many as take about half a second in a call, at most `most`,
    five times. Server: from the single calls, see `served`. Power is that of such calls for two seconds.
    """
    slow = desk.target.slow
    for _ in range(1 if slow else WARM_UPS):
        do(1)
    single = [_seconds(do, 1) for _ in range(min(most, SLOW_SINGLE if slow else SINGLE))]
    count = int(min(most, max(1, TRIAL_SECONDS / max(min(single), 1e-7))))
    if not slow:
        # What a call costs besides its units is less in a long one.
        count = int(min(most, max(1, count * TRIAL_SECONDS / max(_seconds(do, count), 1e-7))))
    found: dict[str, Number] = {}
    if "performance" in desk.modes:
        rates = [count / _seconds(do, count) for _ in range(2 if slow else TRIALS)]
        found |= latencies(single, f"single stream: one {unit} a call")
        found["server_p99"] = served(single)
        found[f"{unit}s_per_second"] = trials(rates, f"{unit}s/s", f"offline: {count:,} {unit}s a call")
    monitor = desk.target.monitor() if "energy" in desk.modes else None
    if monitor is not None:

        def work() -> int:
            done, until = 0, perf_counter() + POWER_SECONDS
            while perf_counter() < until:
                do(count)
                done += count
            return done

        found |= power(monitor, work, unit, desk.trace)
    return found


def speed_of_samples(
    desk: Desk, code: ChipProgram, pictures: Pictures, order: NDArray[np.int64]
) -> dict[str, Number]:
    """How fast samples are shown, in this order and over and over; with learning where the program learns."""
    target = desk.target
    shown = Presentation(code, pictures, real=target.real)
    run, begun = target.open(code, streams=shown.streams), 0

    def do(count: int) -> object:
        nonlocal begun
        chosen = order[np.arange(begun, begun + count + 1) % len(order)]
        begun += count
        return show(run, shown, chosen[:-1], int(chosen[-1]))

    try:
        return speed(desk, do, "sample", most=20 if target.slow else 20_000)
    finally:
        run.close()


def _seconds(do: Callable[[int], object], count: int) -> float:
    started = perf_counter()
    do(count)
    return perf_counter() - started
