"""Learned weights become those that a program of their sign mode can start with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from burstchip.compilation import compile_file
from compiler.ir.chip_program import Learned
from compiler.learned_weights import learned_projection, with_weights

NETWORK = """burstchip: 1
name: signed
step: 1 ms
populations:
  a: {{model: poisson_source, size: 5, rate: 50 Hz}}
  b: {{model: lif, size: 3}}
plasticity:
  r: {{form: chip, every: 4 ms, dw: "x0*2^1 - y0*2^1"}}
projections:
  - {{name: p, from: a, to: b, weight: {{uniform: {range}}}, sign_mode: {sign}, limit: 5 mV, learn: r}}
"""


@pytest.mark.parametrize(
    ("sign", "drawn", "extreme", "kept"),
    [
        ("inhibitory", "[-3 mV, -1 mV]", -255, -255),
        ("excitatory", "[1 mV, 3 mV]", 255, 255),
        # Lava truncates odd weights of a projection of both signs in its first step.
        ("mixed", "[-3 mV, 3 mV]", 255, 254),
    ],
)
def test_the_greatest_that_learning_leaves(
    sign: str, drawn: str, extreme: int, kept: int, tmp_path: Path
) -> None:
    (tmp_path / "net.yaml").write_text(NETWORK.format(sign=sign, range=drawn))
    code, _ = compile_file(tmp_path / "net.yaml")
    projection = code.projection("p")
    learned, rounded = learned_projection(projection, np.full(projection.weights.shape, extreme))
    assert np.all(learned.weights == kept)
    assert rounded == (0 if kept == extreme else learned.weights.size)
    # The verifier takes the whole program.
    with_weights(code, {"p": learned}, Learned("0" * 64, "sim", 1, 1, 0, rounded, 0))
