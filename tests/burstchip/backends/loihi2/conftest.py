"""Programs to deploy: the examples, the digits template, and a small one of every kind of synapse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from burstchip import compile_file
from compiler.ir.chip_program import ChipProgram

ROOT = Path(__file__).parents[4]

#: Sparse and dense, static and plastic, one sign and both, delays, graded messages, recurrence.
SMALL = """burstchip: 1
name: small
step: 1 ms
seed: 5
populations:
  clamp: {model: spike_list, size: 2, events: [[0, 3 ms], [1, 5 ms], [0, 9 ms]]}
  noise: {model: poisson_source, size: 5, rate: 100 Hz}
  lower: {model: burst_unit, size: 6, bias: [0 pA, 10 pA, 20 pA, 30 pA, 40 pA, 50 pA], tau_dendrite: 16 ms}
  upper: {model: lif, size: 4}
plasticity:
  stdp:
    form: chip
    every: 2 ms
    traces:
      - {name: x1, tau: 3 ms, increment: 16}
      - {name: y1, tau: 7.1 ms, increment: 12}
    dw: y0*2^-2*x1 - x0*2^-2*y1
    dt: u0*3*2^-4*x1*y1 - u0*(t-5)
    rounding: lava
projections:
  - name: drive
    from: noise
    to: lower.soma
    weight: {uniform: [1 mV, 4 mV]}
    delay: {uniform: [1 ms, 9 ms]}
  - {name: hold, from: clamp, to: lower.dendrite, weight: -8 %, connectivity: {probability: 0.6}}
  - {name: learned, from: lower.events, to: upper, weight: {uniform: [-2 mV, 2 mV]}, limit: 9 mV, learn: stdp}
  - name: back
    from: lower.burst_error
    to: lower.dendrite
    weight: {normal: {mean: 0, sd: 0.2}}
    connectivity: {in_degree: 2}
    weight_bits: 5
  - {name: stop, from: upper, to: lower.soma, weight: {uniform: [-3 mV, 0 mV]}, weight_bits: 7}
"""


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    """The small network, compiled."""
    path = tmp_path_factory.mktemp("small") / "small.yaml"
    path.write_text(SMALL)
    return compile_file(path)[0]


@pytest.fixture(scope="session")
def program(small: ChipProgram) -> Callable[[str], ChipProgram]:
    """`program("digits")`: a template in the chip form; `program("stdp_pair")`: an example; or `small`."""

    def compiled(name: str) -> ChipProgram:
        if name == "small":
            return small
        template = ROOT / "burstchip" / "templates" / name / "network.yaml"
        return compile_file(template if template.exists() else ROOT / "examples" / f"{name}.yaml")[0]

    return compiled
