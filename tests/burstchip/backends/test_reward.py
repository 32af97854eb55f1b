"""A third factor from outside: what a reward does to the weights that it meets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from burstchip import compile_file, record

NETWORK = """burstchip: 1
name: rewarded
step: 1 ms
populations:
  noise: {{model: poisson_source, size: 20, rate: 40 Hz}}
  reward: {{model: spike_list, size: 1, events: [[0, 150 ms]]}}
  cell: {{model: lif_modulated, size: 5, tau_modulator: 20 ms}}
plasticity:
  rule:
    form: chip
    every: 2 ms
    rounding: lava
    trace: {{name: x1, tau: 10 ms, increment: 16}}
    dt: u0*x1*y1*2^-5 - u0*t*2^-3
    dw: u0*t*y2*2^-7
projections:
  - {{name: learned, from: noise, to: cell.soma, weight: 6 mV, limit: 12 mV, learn: rule}}
  - {{from: reward, to: cell.modulator, weight: {weight}}}
"""


def learned(folder: Path, weight: int, backend: str = "sim") -> Any:
    """The learned weights of every step."""
    path = folder / "net.yaml"
    path.write_text(NETWORK.format(weight=weight))
    code, _ = compile_file(path)
    return record(code, 300, ["learned.w"], backend=backend).values["learned", "w"]


def test_a_reward_strengthens_what_it_meets_and_a_punishment_weakens_it(tmp_path: Path) -> None:
    nothing, more, less = (learned(tmp_path, weight) for weight in (0, 60, -60))
    assert np.all(nothing == nothing[0])
    for weights, sign in ((more, 1), (less, -1)):
        assert np.array_equal(weights[:150], nothing[:150])
        changes = sign * (weights[-1].astype(int) - weights[0])
        assert np.all(changes >= 0) and changes.mean() > 2
        # It has decayed by then.
        assert np.array_equal(weights[-1], weights[260])


def test_plain_agrees(tmp_path: Path) -> None:
    assert np.array_equal(learned(tmp_path, -60), learned(tmp_path, -60, "plain"))


def test_lava_agrees(tmp_path: Path, needs_lava: None) -> None:
    assert np.array_equal(learned(tmp_path, -60), learned(tmp_path, -60, "lava"))
