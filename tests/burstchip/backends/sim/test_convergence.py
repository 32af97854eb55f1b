"""What a network describes does not depend on the step: half the step, half the deviation, or none at all.

Each port and each parameter with a time, a voltage, a current or a rate in it drives a neuron; its state at
common times, from `reference`, is set against that at a step 32 times finer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from burstchip import compile_file, record

#: Times in ms at which states are compared, away from those at which anything begins or ends.
TIMES = np.arange(7.0, 60.0, 4.0)

CELL = "model: lif, size: 2, threshold: 900 mV, tau_membrane: 17 ms"
OTHER = "size: 2, threshold: 900 mV, tau_membrane: 17 ms"
UNIT = "model: burst_unit, size: 2, threshold: 900 mV"
CLOCK = "clock: {model: spike_list, size: 2, events: [[0, 4 ms], [1, 4 ms], [0, 20 ms], [0, 24 ms]]}"
PUSH = "push: {model: current_source, size: 2, level: 3, start: 4 ms, stop: 40 ms}"

EVENTS = "projections: [{from: clock, to: cell.soma, weight: 3 mV, delay: 2 ms}]"
GRADED = "projections: [{from: push, to: cell.soma, weight: 0.2 mV, delay: 2 ms}]"

#: Each event of the clock makes the cell emit, and wait.
REFRACTORY = "model: lif, size: 2, tau_current: 0 ms, threshold: -20 mV, refractory: 5 ms"
STRONG = "projections: [{from: clock, to: cell.soma, weight: 90 mV, delay: 2 ms}]"
DOWN = "projections: [{from: clock, to: cell.soma, weight: -3 mV, delay: 2 ms}]"

#: (the cell, projections or signals, the state that is compared).
CASES: dict[str, tuple[str, str, str]] = {
    "jump": (f"{{{CELL}, tau_current: 0 ms}}", EVENTS, "v"),
    "filtered": (f"{{{CELL}, tau_current: 6 ms}}", EVENTS, "v"),
    "each its own": (f"{{{CELL}, tau_current: [0 ms, 9 ms]}}", EVENTS, "v"),
    "bias": (f"{{{CELL}, bias: 90 pA}}", "", "v"),
    "graded": (f"{{{CELL}, tau_current: 3 ms}}", GRADED, "v"),
    "signal on a port": (
        f"{{{CELL}, tau_current: 3 ms}}",
        "signals: {drive: {to: cell.soma, constant: 0.3 mV, start: 4 ms}}",
        "v",
    ),
    "current": (
        f"{{{CELL}}}",
        "signals: {drive: {to: cell.bias, steps: [[4 ms, 80 pA], [30 ms, -20 pA]]}}",
        "v",
    ),
    "started": (f"{{{CELL}, tau_current: 3 ms, initial: {{v: -60 mV, u: 200 pA}}}}", EVENTS, "v"),
    "refractory": (f"{{{REFRACTORY}, reset: -78 mV, bias: 90 pA}}", STRONG, "v"),
    "bounded": (f"{{{CELL}, tau_current: 0 ms, lower_bound: -71 mV}}", DOWN, "v"),
    "set back": (f"{{{CELL.replace('lif', 'lif_reset')}, reset_interval: 18 ms, bias: 90 pA}}", EVENTS, "v"),
    "ternary": (f"{{{CELL.replace('lif', 'ternary_lif')}, bias: -90 pA}}", EVENTS, "v"),
    "modulator": (
        f"{{{CELL.replace('lif', 'lif_modulated')}, tau_modulator: 9 ms}}",
        "projections: [{from: clock, to: cell.modulator, weight: 40, delay: 2 ms}]",
        "m",
    ),
    "modulator graded": (
        f"{{{CELL.replace('lif', 'lif_modulated')}, tau_modulator: 9 ms}}",
        "projections: [{from: push, to: cell.modulator, weight: 2, delay: 2 ms}]",
        "m",
    ),
    "soma": (f"{{{UNIT}, tau_current: 4 ms}}", EVENTS, "v"),
    "soma bias": (f"{{{UNIT}, bias: 90 pA}}", "", "v"),
    "soma graded": (f"{{{UNIT}}}", GRADED, "v"),
    "dendrite": (
        f"{{{UNIT}, dendrite_shift: 8}}",
        "projections: [{from: clock, to: cell.dendrite, weight: 0.1, delay: 2 ms}]",
        "d",
    ),
    "dendrite graded": (
        f"{{{UNIT}}}",
        "projections: [{from: push, to: cell.dendrite, weight: 0.001, delay: 2 ms}]",
        "d",
    ),
    "teacher": (f"{{{UNIT}, teacher_off: 300 Hz, teacher_gain: 0.125}}", "", "d"),
    "target": (f"{{{UNIT}, target_rate: 12 Hz, homeostasis_window: 512 ms}}", "", "R"),
}


def states(case: str, step: float, folder: Path) -> np.ndarray:
    """The compared state at `TIMES`, [time, neuron], in its unit."""
    cell, rest, variable = CASES[case]
    sources = "".join(f"  {it}\n" for it in (CLOCK, PUSH) if it.split(":")[0] in rest.replace("{from: ", "{"))
    path = folder / f"{case.replace(' ', '_')}_{step}.yaml"
    head = f"burstchip: 1\nname: net\nstep: {step} ms\ntarget: none\n"
    path.write_text(f"{head}populations:\n{sources}  cell: {cell}\n{rest}\n")
    code, _ = compile_file(path)
    values = record(code, round(60 / step), [("cell", variable)], backend="reference").values[
        "cell", variable
    ]
    at = np.round(TIMES / step).astype(int) - 1
    return np.asarray(values[at] * code.population("cell").units[variable][0])


@pytest.mark.parametrize("case", CASES)
def test_half_the_step_is_half_the_deviation(case: str, tmp_path: Path) -> None:
    fine = states(case, 1 / 32, tmp_path)
    assert np.abs(fine).max() > 0
    coarse, half, quarter = (np.abs(states(case, step, tmp_path) - fine).max() for step in (1.0, 0.5, 0.25))
    if coarse < 1e-6 * np.abs(fine).max():
        return
    # The finest itself is off by 1/32 of a step's deviation.
    assert half < 0.6 * coarse and quarter < 0.35 * coarse
    assert coarse < 0.25 * np.abs(fine).max()
