"""`burstchip certify`: exit codes, what is printed, and for which weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from burstchip.cli.app import app
from burstchip.compilation import compile_file
from compiler.artifact import save_artifact

runner = CliRunner()


def artifact(folder: Path, weight: str, target: str = "loihi2") -> Path:
    path = folder / "net.yaml"
    path.write_text(
        f"burstchip: 1\nname: net\nstep: 1 ms\nseed: 1\ntarget: {target}\npopulations:\n"
        "  noise: {model: poisson_source, size: 60, rate: 100 Hz}\n"
        "  cells: {model: lif, size: 2, tau_current: 200 ms}\n"
        f"projections:\n  - {{from: noise, to: cells.soma, weight: {weight}}}\n"
    )
    save_artifact(compile_file(path)[0], folder / "net.burst")
    return folder / "net.burst"


def certified(*options: Any) -> tuple[int, dict[str, Any], str]:
    result = runner.invoke(app, ["certify", *map(str, options), "--json"])
    lines = result.stdout.splitlines()
    return result.exit_code, json.loads(lines[-1]) if lines else {}, result.output


def test_all_proved(tmp_path: Path) -> None:
    code, found, text = certified(artifact(tmp_path, "0.01 mV"))
    assert code == 0 and found["ok"] and found["weights"] == "limits"
    assert all(it["proved"] and it["escapes"] is None for it in found["bounds"])
    assert "all proved: nothing is ever clipped, wrapped or saturated" in text


def test_a_second_opinion(tmp_path: Path) -> None:
    code, found, text = certified(artifact(tmp_path, "0.01 mV"), "--second-opinion")
    asked = [it["variable"] for it in found["bounds"] if it["kind"] != "port"]
    assert code == 0 and [it["variable"] for it in found["second_opinion"]] == asked
    assert {it["verdict"] for it in found["second_opinion"]} == {"agrees"}
    assert f"z3 agrees with {len(asked)} of {len(asked)} that are proved" in text


def test_what_may_wrap(tmp_path: Path) -> None:
    code, found, text = certified(artifact(tmp_path, "40 mV"), "--assume", "given")
    assert code == 1 and not found["ok"] and found["weights"] == "given"
    u = next(it for it in found["bounds"] if it["variable"] == "u")
    assert u["escapes"][1] > u["width"][1] and not u["proved"]
    soma = next(it for it in found["bounds"] if it["variable"] == "soma")
    assert soma["arriving"] == {"noise->cells": [soma["low"], soma["high"]]}
    assert "not proved" in text and "cells.soma gets noise->cells" in text


@pytest.mark.parametrize("given", ["none", "best"])
def test_what_cannot_be_certified(given: str, tmp_path: Path) -> None:
    if given == "none":
        code, _, text = certified(artifact(tmp_path, "1 mV", target="none"))
        assert "error[BC557]" in text
    else:
        code, _, text = certified(artifact(tmp_path, "1 mV"), "--assume", given)
        assert "limits" in text and "given" in text
    assert code == 2


def test_a_chip_must_have_what_is_certified(tmp_path: Path) -> None:
    path = artifact(tmp_path, "1 mV")
    for name, title in (("loihi1", "Loihi 1"), ("loihi2", "Loihi 2")):
        done = runner.invoke(app, ["certify", str(path), "--chip", name])
        assert f"{title} has neuron programs, messages and synapses of these widths" in done.stdout
    done = runner.invoke(app, ["certify", str(path), "--chip", "loihi1", "--json"])
    assert json.loads(done.stdout.splitlines()[-1])["chip"] == "loihi1"


def test_what_a_chip_lacks_stands_in_the_networks_file(tmp_path: Path) -> None:
    artifact(tmp_path, "1 mV")
    path = tmp_path / "net.yaml"
    path.write_text(path.read_text().replace("tau_current: 200 ms", "refractory: 2 ms"))
    done = runner.invoke(app, ["certify", str(path), "--chip", "loihi1"])
    assert done.exit_code == 2
    assert f"{path}:8:18: error[BC352]: population 'cells' cannot be deployed to loihi1" in done.output
    done = runner.invoke(app, ["certify", str(path), "--chip", "loihi3"])
    assert done.exit_code == 2 and "error[BC821]: chip 'loihi3' is unknown" in done.output
