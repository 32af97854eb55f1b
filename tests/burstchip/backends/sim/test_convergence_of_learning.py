"""Learning does not depend on the step: `reference` against the continuous solution, at ever finer steps.

dx/dt = -x / tau, and x grows by its increment with each spike; so for y
pairs     a spike of the target adds x, one of the source takes away y
growth    each millisecond adds x
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from burstchip import compile_file, record

#: Times in ms of the source's and of the target's spikes; the target fires 2 ms after the pusher.
BEFORE, AFTER = (4, 11, 30), (9, 25, 32)
TAU_X, TAU_Y, INCREMENT = 13.0, 21.0, 10.0
#: Times in ms at which traces and weights are compared.
TIMES = np.arange(6.0, 50.0, 4.0)

NETWORK = """burstchip: 1
name: net
step: {step} ms
target: none
populations:
  source: {{model: spike_list, size: 1, events: [{before}]}}
  pusher: {{model: spike_list, size: 1, events: [{pushed}]}}
  cell: {{model: lif, size: 1, tau_current: 0 ms, tau_membrane: 1 ms}}
plasticity:
  pairs: {{every: 1 ms, dw: y0*2^-4*x1 - x0*2^-5*y1, traces: [{x}, {y}]}}
  growth: {{every: 1 ms, dw: u0*2^-6*x1, trace: {x}}}
projections:
  - {{from: pusher, to: cell, weight: 40 mV, delay: 2 ms}}
  - {{name: pairs, from: source, to: cell, weight: 1 mV, limit: 5 mV, learn: pairs}}
  - {{name: growth, from: source, to: cell, weight: 1 mV, limit: 5 mV, learn: growth}}
"""


@cache
def recorded(step: float, folder: Path) -> dict[str, NDArray[np.float64]]:
    """Traces, and weights less the first ones, in units of the rule; all at `TIMES`."""
    path = folder / f"{step}.yaml"
    traces = {
        name: f"{{name: {name}1, tau: {tau} ms, increment: {INCREMENT}}}"
        for name, tau in (("x", TAU_X), ("y", TAU_Y))
    }
    listed = (", ".join(f"[0, {time} ms]" for time in times) for times in (BEFORE, [t - 2 for t in AFTER]))
    before, pushed = listed
    path.write_text(NETWORK.format(step=step, before=before, pushed=pushed, **traces))
    code, _ = compile_file(path)
    names = ["pairs.x1", "pairs.y1", "pairs.w", "growth.w", "cell.events"]
    values = record(code, round(50 / step), names, backend="reference").values
    assert (np.flatnonzero(values["cell", "events"]) * step).tolist() == list(AFTER)
    at = np.round(TIMES / step).astype(int) - 1
    found = {".".join(place): rows[at, 0] for place, rows in values.items()}
    for name in ("pairs", "growth"):
        found[f"{name}.w"] = found[f"{name}.w"] - values[name, "w"][0, 0]
    return found


def trace(times: NDArray[np.float64], spikes: tuple[int, ...], tau: float) -> NDArray[np.float64]:
    """The continuous trace; a spike counts after its time, as the step that begins there does."""
    since = times[:, np.newaxis] - np.array(spikes, dtype=np.float64)
    return np.asarray(INCREMENT * np.where(since > 0, np.exp(-since / tau), 0.0).sum(axis=1))


def continuous(name: str) -> NDArray[np.float64]:
    """The solution at `TIMES`."""
    if name == "pairs.x1":
        return trace(TIMES, BEFORE, TAU_X)
    if name == "pairs.y1":
        return trace(TIMES, AFTER, TAU_Y)
    if name == "growth.w":
        ends = np.arange(1.0, 51.0)
        return np.cumsum(trace(ends, BEFORE, TAU_X) * 2.0**-6)[TIMES.astype(int) - 1]
    after, before = (np.array(spikes, dtype=np.float64) for spikes in (AFTER, BEFORE))
    up, down = trace(after, BEFORE, TAU_X) * 2.0**-4, trace(before, AFTER, TAU_Y) * 2.0**-5
    return np.array([up[after < time].sum() - down[before < time].sum() for time in TIMES])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("steps")


@pytest.mark.parametrize("name", ["pairs.x1", "pairs.y1", "growth.w"])
def test_half_the_step_is_half_the_deviation(name: str, folder: Path) -> None:
    exact = continuous(name)
    coarse, half, quarter = (np.abs(recorded(step, folder)[name] - exact).max() for step in (1.0, 0.5, 0.25))
    assert 0 < coarse < 0.15 * exact.max()
    assert 0.4 * coarse < half < 0.6 * coarse and 0.4 * half < quarter < 0.6 * half


@pytest.mark.parametrize("step", [1.0, 0.5, 0.25])
def test_pairs_of_spikes_change_the_weight_as_they_do_in_continuous_time(step: float, folder: Path) -> None:
    """Only the time between the spikes counts, which is the same at every step."""
    assert recorded(step, folder)["pairs.w"] == pytest.approx(continuous("pairs.w"), rel=1e-9)
