"""Listed graded messages: what every backend sends and what arrives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from burstchip import record
from burstchip.compilation import compile_file
from burstchip.frontend import load
from burstchip.running.verification import verify
from compiler.ir.chip_program import ChipProgram

NETWORK = """burstchip: 1
name: messages
step: 1 ms
populations:
  sent: {model: message_list, size: 3, messages: LIST}
  cells: {model: lif, size: 4, du: 4095, dv: 100, vth: 131071}
  physical: {model: lif, size: 2, tau_current: 3 ms}
projections:
  - {from: sent, to: cells, weight: {uniform: [-4, 4]}, weight_exp: -1, sign_mode: mixed}
  - {from: sent, to: physical, weight: 0.01 mV, delay: 3 ms}
probes: [cells.u, physical.v, sent.message]
"""
LISTED = "[[0, 2 ms, 40], [2, 2 ms, -7], [1, 19 ms, -32768], [0, 19 ms, 32767]]"
ROWS = "0,2,40\n2,2,-7\n1,19,-32768\n0,19,32767\n"


def compiled(folder: Path, listed: str) -> ChipProgram:
    path = folder / "net.yaml"
    path.write_text(NETWORK.replace("LIST", listed), encoding="utf-8")
    return compile_file(path)[0]


@pytest.mark.parametrize("simulator", ["sim", "plain", "reference"])
def test_what_is_listed_is_sent(tmp_path: Path, simulator: str) -> None:
    code = compiled(tmp_path, LISTED)
    seen = record(code, 30, backend=simulator).values
    wanted = np.zeros((30, 3))
    wanted[2, [0, 2]] = 40, -7
    wanted[19, [1, 0]] = -32768, 32767
    assert np.array_equal(seen["sent", "message"], wanted)
    if simulator != "reference":
        arrived = (wanted.astype(np.int64) @ code.projections[0].weights.T.astype(np.int64)) >> 1
        assert np.array_equal(seen["cells", "u"][1:], arrived[:-1] << 6)
        return
    # A message of 1 does what an event does: 0.01 mV.
    values = seen["physical", "v"] * code.population("physical").units["v"][0]
    assert values[:19].max() == pytest.approx(0.33, rel=1e-6)


@pytest.mark.parametrize("other", ["plain", "lava"])
def test_simulators_agree(tmp_path: Path, other: str, request: pytest.FixtureRequest) -> None:
    if other == "lava":
        request.getfixturevalue("needs_lava")
    assert verify(compiled(tmp_path, LISTED), 30, backends=("sim", other)).difference is None


def test_a_file_lists_the_same(tmp_path: Path) -> None:
    (tmp_path / "sent.csv").write_text(ROWS, encoding="utf-8")
    found = [
        compiled(tmp_path, it).population("sent").spikes for it in ("{file: sent.csv, unit: ms}", LISTED)
    ]
    assert all(it is not None for it in found) and np.array_equal(*found)


def test_the_scale_is_that_of_the_messages_listed(tmp_path: Path) -> None:
    vth = [
        int(compiled(tmp_path, f"[[0, 2 ms, {most}]]").population("physical").parameters["vth"])
        for most in (3, 32767)
    ]
    assert vth[0] > vth[1]


@pytest.mark.parametrize(
    ("rows", "message", "required"),
    [
        ("0,2\n", "the rows have the wrong shape", "rows [neuron, time, value]"),
        ("0,2,1.5\n", "row 1 has a value out of range", "a whole number from -32768 to 32767"),
        ("0,2,1\n1,2,32768\n", "row 2 has a value out of range", "a whole number from -32768 to 32767"),
        (
            "0,2,1\n0,2,3\n",
            "row 2 falls into the step of row 1",
            "at most one message of a neuron in a step",
        ),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, rows: str, message: str, required: str) -> None:
    (tmp_path / "sent.csv").write_text(rows, encoding="utf-8")
    path = tmp_path / "net.yaml"
    path.write_text(NETWORK.replace("LIST", "{file: sent.csv, unit: ms}"), encoding="utf-8")
    (error,) = load(path).diagnostics
    assert (error.id, error.required) == ("BC175", required)
    assert error.message.endswith(message)
