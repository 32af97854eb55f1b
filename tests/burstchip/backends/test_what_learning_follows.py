"""What leaves a trace: a graded message of the source, and the output of the target that a rule follows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from burstchip import compile_file, record
from burstchip.running.verification import verify
from compiler.ir.chip_program import ChipProgram

#: Neuron 0 sends a message of 40 in step 3, neuron 1 an event's 1; neuron 2 sends -7 in step 9.
GRADED = """burstchip: 1
name: graded
step: 1 ms
seed: 3
populations:
  sent: {model: message_list, size: 3, messages: [[0, 3 ms, 40], [1, 3 ms, 1], [2, 9 ms, -7]]}
  cells: {model: lif, size: 2, du: 4095, dv: 0, vth: 131071}
plasticity:
  grow:
    every: 4 ms
    dw: x0*2^1
projections:
  - {name: learned, from: sent, to: cells, weight: 10, weight_exp: 0, learn: grow}
"""
FOLLOWED = """burstchip: 1
name: followed
step: 1 ms
seed: 3
populations:
  noise: {model: poisson_source, size: 8, rate: 300 Hz}
  cells: {model: burst_unit, size: 4, bias: 250 pA}
plasticity:
  count:
    every: 4 ms
    dw: y0*2^1
    postsynaptic: OUTPUT
projections:
  - {name: learned, from: noise, to: cells.soma, weight: 0.01 mV, limit: 20 mV, learn: count}
  - {from: noise, to: cells.dendrite, weight: 0.008}
"""


def compiled(folder: Path, text: str) -> ChipProgram:
    path = folder / "net.yaml"
    path.write_text(text, encoding="utf-8")
    return compile_file(path)[0]


@pytest.mark.parametrize("backend", ["sim", "plain"])
def test_a_message_leaves_the_trace_of_an_event_and_arrives_as_its_product(
    backend: str, tmp_path: Path
) -> None:
    code = compiled(tmp_path, GRADED)
    seen = record(code, 16, ["learned.w", "cells.u"], backend=backend).values
    weights = seen["learned", "w"].reshape(16, 3, 2)
    assert np.array_equal(weights[-1] - weights[0], np.full((3, 2), 2))
    # What was sent in the last step of an epoch is multiplied by the weight from before it.
    assert np.array_equal(seen["cells", "u"][4] >> 6, [10 * 41, 10 * 41])
    assert np.array_equal(seen["cells", "u"][10] >> 6, [10 * -7, 10 * -7])


@pytest.mark.parametrize("backend", ["sim", "plain"])
@pytest.mark.parametrize("output", ["events", "bursts"])
def test_weights_count_the_epochs_with_a_spike_of_the_output_that_is_followed(
    output: str, backend: str, tmp_path: Path
) -> None:
    code = compiled(tmp_path, FOLLOWED.replace("OUTPUT", output))
    seen = record(code, 200, ["learned.w", "cells.events", "cells.bursts"], backend=backend).values
    grown = seen["learned", "w"].reshape(200, 8, 4)
    spikes = seen["cells", output].reshape(50, 4, 4).any(axis=1).sum(axis=0)
    assert 0 < seen["cells", "bursts"].sum() < seen["cells", "events"].sum()
    assert np.array_equal(grown[-1] - grown[0], np.broadcast_to(2 * spikes, (8, 4)))


@pytest.mark.parametrize("other", ["plain", "lava"])
@pytest.mark.parametrize(
    "text", [GRADED, FOLLOWED.replace("OUTPUT", "bursts")], ids=["a graded message", "bursts"]
)
def test_simulators_agree(text: str, other: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if other == "lava":
        request.getfixturevalue("needs_lava")
    assert verify(compiled(tmp_path, text), 60, backends=("sim", other)).difference is None


def test_an_output_that_no_rule_follows_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(FOLLOWED.replace("OUTPUT", "bursts").replace("y0*2^1", "x0*2^1"), encoding="utf-8")
    _, messages = compile_file(path)
    assert "BC144" in [message.id for message in messages]
