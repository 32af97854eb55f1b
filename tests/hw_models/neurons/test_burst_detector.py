"""Detectors of bursts: against the definitions, written here as loops over the times of spikes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from burstchip import compile_file, record
from burstchip.running.verification import verify
from compiler.ir.chip_program import ChipProgram

NETWORK = """burstchip: 1
name: detectors
step: STEP ms
populations:
  train: {model: spike_list, size: SIZE, events: EVENTS}
  cells: {model: MODEL, size: SIZE}
projections:
  - {from: train, to: cells, connectivity: one_to_one, weight: 1, delay: STEP ms}
"""
Found = tuple[list[int], list[int]]


def by_intervals(spikes: Sequence[int], step_ms: float) -> Found:
    """An event after more than 16 ms without a spike; the burst of an event is the next spike, if nearer."""
    events: list[int] = []
    bursts: list[int] = []
    for before, now in zip([-(10**9), *spikes[:-1]], spikes, strict=True):
        if (now - before) * step_ms > 16.0 + 1e-9:
            events.append(now)
        elif events[-1] == before:
            bursts.append(now)
    return events, bursts


def by_trace(spikes: Sequence[int], step_ms: float) -> Found:
    """The same by a trace of all spikes, with a time constant of 16 ms, below 1/e or not."""
    events: list[int] = []
    bursts: list[int] = []
    trace, last = 0.0, 0
    for now in spikes:
        trace *= exp(-(now - last) * step_ms / 16.0)
        if trace < exp(-1):
            events.append(now)
        elif not bursts or bursts[-1] < events[-1]:
            bursts.append(now)
        trace, last = trace + 1.0, now
    return events, bursts


JUDGES: dict[str, Callable[[Sequence[int], float], Found]] = {
    "burst_detector": by_intervals,
    "burst_trace_detector": by_trace,
}


def compiled(model: str, trains: Sequence[Sequence[int]], step_ms: float, folder: Path) -> ChipProgram:
    listed = [[k, f"{n * step_ms:.6g} ms"] for k, train in enumerate(trains) for n in train]
    text = NETWORK.replace("MODEL", model).replace("STEP", f"{step_ms:g}").replace("SIZE", str(len(trains)))
    path = folder / "net.yaml"
    path.write_text(text.replace("EVENTS", str(listed).replace("'", "")), encoding="utf-8")
    return compile_file(path)[0]


def detected(code: ChipProgram, steps: int, backend: str) -> list[Found]:
    """The steps of what each neuron detects, in the clock of the spikes, which arrive one step later."""
    seen = record(code, steps, ["cells.events", "cells.bursts"], backend=backend).values
    times: list[NDArray[np.int64]] = [
        np.flatnonzero(seen["cells", output][:, k]) - 1
        for k in range(code.population("cells").size)
        for output in ("events", "bursts")
    ]
    return [(times[k].tolist(), times[k + 1].tolist()) for k in range(0, len(times), 2)]


@pytest.mark.parametrize("backend", ["sim", "plain", "reference"])
@pytest.mark.parametrize("step_ms", [0.5, 1.0])
@pytest.mark.parametrize("model", JUDGES)
def test_drawn_trains(model: str, step_ms: float, backend: str, tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    # Intervals at which rounding decides what a trace says are left out: those just at 1/e.
    trains = []
    while len(trains) < 30:
        gaps = np.where(draw.random(40) < 0.6, draw.integers(1, 20, 40), draw.integers(20, 60, 40))
        train = np.cumsum(gaps).tolist()
        if model == "burst_detector" or not _undecided(train, step_ms):
            trains.append(train)
    code = compiled(model, trains, step_ms, tmp_path)
    wanted = [JUDGES[model](train, step_ms) for train in trains]
    assert sum(len(bursts) for _, bursts in wanted) > 50
    assert detected(code, max(train[-1] for train in trains) + 2, backend) == wanted


def _undecided(train: Sequence[int], step_ms: float) -> bool:
    trace, last = 0.0, 0
    for now in train:
        trace *= exp(-(now - last) * step_ms / 16.0)
        if abs(trace / exp(-1) - 1) < 0.02:
            return True
        trace, last = trace + 1.0, now
    return False


def test_where_the_two_differ(tmp_path: Path) -> None:
    """After two spikes 5 ms apart a third one is an event from 17 ms on, or by the trace from 25 ms on."""
    trains = [[10, 15, 15 + gap] for gap in (16, 17, 24, 26)]
    found = {model: detected(compiled(model, trains, 1.0, tmp_path), 60, "sim") for model in JUDGES}
    assert [len(events) for events, _ in found["burst_detector"]] == [1, 2, 2, 2]
    assert [len(events) for events, _ in found["burst_trace_detector"]] == [1, 1, 1, 2]
    assert all(bursts == [15] for both in found.values() for _, bursts in both)


def test_a_window_counts_whole_steps(tmp_path: Path) -> None:
    code = compiled("burst_detector, window: 7.3 ms", [[3, 10, 18]], 1.0, tmp_path)
    (line,) = (it for it in code.quantisation if it.parameter == "window")
    assert (line.requested, line.represented) == (7.3, 7.0)
    # An interval of 7 ms is within 7.3 ms, one of 8 is not: nothing is lost.
    assert detected(code, 25, "sim") == [([3, 18], [10])] == detected(code, 25, "reference")


@pytest.mark.parametrize("model", JUDGES)
def test_lava_agrees(model: str, tmp_path: Path, needs_lava: None) -> None:
    code = compiled(model, [[3, 5, 9, 30, 31], [4, 20, 37, 38]], 1.0, tmp_path)
    assert verify(code, 60, backends=("sim", "lava")).difference is None
