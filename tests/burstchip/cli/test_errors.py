"""`burstchip errors`: the table, the file that the report reads, and what cannot be told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from burstchip.error_shares import error_shares
from burstchip.frontend import load_network

CHARGED = """burstchip: 1
name: charged
step: 1 ms
seed: 0
populations:
  cell: {model: lif, size: 2, tau_membrane: 20 ms, tau_current: 0 ms, bias: [5 pA, 7 pA]}
probes: [cell.v, cell.u]
target: loihi2
"""


@pytest.fixture
def charged(tmp_path: Path) -> Path:
    (tmp_path / "charged.yaml").write_text(CHARGED)
    return tmp_path / "charged.yaml"


def test_a_row_for_each_variable(charged: Path, burstchip) -> None:
    done = burstchip("errors", charged, "--steps", 200, "-o", "errors.json", "--json")
    assert done.code == 0
    v, u = error_shares(load_network(charged), 200)
    assert min(v.step, v.parameter, v.state) > 0 and u.rms == u.state == 0  # type: ignore[type-var]
    words = [line.split() for line in done.err.splitlines()]
    assert ["variable", "itself", "step", "parameters", "state", "unit"] in words
    row = [f"{value:.4g}" for value in (v.rms, v.step, v.parameter, v.state)]
    assert ["cell.v", *row, "mV"] in words
    written = json.loads(Path("errors.json").read_text())
    assert written["steps"] == 200 and written["errors"] == done.json["errors"]
    assert written["errors"][0]["state"] == v.state and written["errors"][0]["variable"] == "v"


def test_without_a_chip_there_is_the_step_error_alone(charged: Path, burstchip) -> None:
    done = burstchip("errors", charged, "--steps", 50, "--target", "none", "--record", "cell.v", "--json")
    (share,) = done.json["errors"]
    assert share["step"] > 0 and share["parameter"] is None and share["state"] is None
    assert done.err.split()[-3:] == ["-", "-", "mV"]


def test_a_finer_step_asks_nothing_of_the_chip(charged: Path, burstchip) -> None:
    """20 steps of delay are 160 at an eighth of the step, more than the chip has."""
    clock = "  clock: {model: spike_list, size: 1, events: [[0, 1 ms]]}\n"
    text = CHARGED.replace("populations:\n", f"populations:\n{clock}")
    charged.write_text(
        text.replace("probes", "projections: [{from: clock, to: cell, weight: 1 mV, delay: 20 ms}]\nprobes")
    )
    done = burstchip("errors", charged, "--steps", 100, "--json")
    assert done.code == 0 and done.json["errors"][0]["step"] > 0


def test_with_a_task_there_is_no_step_error(burstchip) -> None:
    burstchip("new", "digits", "d")
    done = burstchip("errors", "d/network.yaml", "--steps", 96, "--record", "hidden.v", "--json")
    (share,) = done.json["errors"]
    assert share["step"] is None and share["parameter"] > 0 and share["state"] > 0


def test_what_is_wrong_is_said(charged: Path, burstchip) -> None:
    assert "BC603" in burstchip("errors", charged, "--steps", 0).err
    assert "BC605" in burstchip("errors", charged, "--steps", 5, "--record", "cell.w").err
    assert "BC609" in burstchip("errors", charged, "--steps", 5, "-o", charged).err
    charged.write_text(CHARGED.replace("20 ms", "20 mV"))
    done = burstchip("errors", charged, "--steps", 5, "-o", "errors.json")
    assert done.code == 2 and "BC107" in done.err and not Path("errors.json").exists()


def test_each_parameter_alone(charged: Path, burstchip) -> None:
    done = burstchip("errors", charged, "--steps", 200, "--each", "-o", "errors.json", "--json")
    assert done.code == 0
    found = done.json["parameters"]
    assert [(it["where"], it["parameter"], it["variable"]) for it in found] == [
        ("cell", name, variable) for name in ("dv", "bias_mant") for variable in ("v", "u")
    ]
    assert json.loads(Path("errors.json").read_text())["parameters"] == found
    words = [line.split() for line in done.err.splitlines()]
    share = f"{100 * found[0]['error'] / found[0]['rms']:.3g}"
    row = ["cell", "dv", "cell.v", f"{found[0]['error']:.4g}", share, "%", "+0", "of", "0", "Hz", "mV"]
    assert row in words
    assert "parameters" not in burstchip("errors", charged, "--steps", 200, "--json").json


def test_errors_of_a_calibrated_network(charged: Path, burstchip) -> None:
    """A bias that is small beside the unit of voltage is less off at a finer scale."""
    charged.write_text(CHARGED.replace("[5 pA, 7 pA]", "[0.05 pA, 0.07 pA]"))
    plain, chosen = (
        burstchip("errors", charged, "--steps", 200, "--record", "cell.v", "--json", *more).json["errors"][0]
        for more in ((), ("--calibrate", "100"))
    )
    assert chosen["parameter"] < plain["parameter"] / 2
    assert chosen["step"] == pytest.approx(plain["step"])
