"""On drawn networks, too, half the step is half the deviation from the solution in continuous time.

Neurons of both models with drawn time constants are driven over several projections at once, by events,
graded messages, currents and sines, below a threshold that they never reach: an event falls on the grid, so
nothing converges behind one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from burstchip import compile_file, record

#: The network's neurons, how long it runs in ms, and the step in ms that stands for continuous time.
CELLS, LENGTH, FINE = 6, 48, 1 / 32
#: Times in ms at which states are compared: no input begins or ends there.
TIMES = np.arange(3.5, LENGTH, 3.0)


def drawn(number: int, seed: int) -> str:
    """A network's file, with `STEP` in place of its step."""
    draw = np.random.default_rng([seed, number])

    def some(least: float, most: float) -> str:
        return f"{draw.uniform(least, most):.4g}"

    def time(most: int) -> str:
        return f"{draw.integers(1, most)} ms"

    times = draw.permutation(np.arange(1, LENGTH))[:12]
    events = ", ".join(f"[{draw.integers(4)}, {it} ms]" for it in times)
    populations = [
        f"clock: {{model: spike_list, size: 4, events: [{events}]}}",
        f"push: {{model: current_source, size: 2, level: {draw.integers(1, 6)}, start: {time(20)}}}",
    ]
    projections, signals = [], []
    for k in range(CELLS):
        current = draw.choice(["0", some(0.5, 20)])
        common = f"size: 2, threshold: 2 V, tau_current: {current} ms, bias: {some(-90, 90)} pA"
        if draw.random() < 0.5:
            own = f"model: lif, tau_membrane: {some(3, 90)} ms"
        else:
            own = f"model: burst_unit, tau_soma: {some(3, 90)} ms, tau_dendrite: {some(3, 90)} ms"
        populations.append(f"c{k}: {{{own}, {common}}}")
        for name, source in (("a", "clock"), ("b", "clock"), ("g", "push")):
            if draw.random() < 0.7:
                weight = f"{{uniform: [{some(-4, 0)} mV, {some(0.1, 4)} mV]}}"
                projections.append(
                    f"{{name: {name}{k}, from: {source}, to: c{k}.soma, weight: {weight}, delay: {time(9)}}}"
                )
        if draw.random() < 0.5:
            sine = f"{{mean: {some(-40, 40)} pA, amplitude: {some(1, 60)} pA, frequency: {some(10, 60)} Hz}}"
            signals.append(f"s{k}: {{to: c{k}.bias, sine: {sine}}}")
    lines = [
        "burstchip: 1",
        "name: drawn",
        "step: STEP ms",
        f"seed: {number}",
        "target: none",
        "populations:",
    ]
    lines += [f"  {it}" for it in populations]
    lines += ["projections:", *(f"  - {it}" for it in projections)] if projections else []
    lines += ["signals:", *(f"  {it}" for it in signals)] if signals else []
    return "\n".join(lines) + "\n"


def potentials(text: str, step: float, path: Path) -> NDArray[np.float64]:
    """The cells' potentials at `TIMES`, [cell, time, neuron], in mV."""
    path.write_text(text.replace("STEP", str(step)))
    code, _ = compile_file(path)
    places = [(f"c{k}", "v") for k in range(CELLS)]
    values = record(code, round(LENGTH / step), places, backend="reference").values
    at = np.round(TIMES / step).astype(int) - 1
    units = [code.population(name).units["v"][0] for name, _ in places]
    return np.stack([values[place][at] * unit for place, unit in zip(places, units, strict=True)])


def test_half_the_step_is_half_the_deviation(
    tmp_path: Path, nightly_networks: int, nightly_seed: int
) -> None:
    halves = []
    for number in range(nightly_networks or 3):
        text = drawn(number, nightly_seed)
        fine = potentials(text, FINE, tmp_path / "net.yaml")
        steps = (0.5, 0.25, 0.125)
        coarse, half, quarter = (
            np.abs(potentials(text, step, tmp_path / "net.yaml") - fine).max(axis=(1, 2)) for step in steps
        )
        driven = coarse > 1e-6 * np.abs(fine).max()
        assert driven.any(), text
        # The finest is itself off by FINE / step of the deviation.
        assert (half[driven] < 0.6 * coarse[driven]).all(), (text, coarse, half)
        assert (quarter[driven] < 0.4 * coarse[driven]).all(), (text, coarse, quarter)
        halves += list(half[driven] / coarse[driven])
    print(
        f"{len(halves)} cells: half the step leaves {min(halves):.3f} to {max(halves):.3f} of the deviation"
    )
    assert np.median(halves) == pytest.approx(0.5, abs=0.05)
