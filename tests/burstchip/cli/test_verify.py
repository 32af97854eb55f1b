from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from burstchip import load_artifact
from burstchip.backends.loihi2.deploy import write_deployment
from burstchip.running.verification import Difference, Verification


def test_equal(artifact: Path, burstchip, needs_lava: None) -> None:
    done = burstchip("verify", artifact, "--steps", 40, "--json")
    assert done.code == 0
    # 4 sources with a phase, a value at each event; 3 cells with u, v and events; 12 weights once.
    assert done.json["ok"] and done.json["difference"] is None
    assert done.json["values"] == 40 * (4 * 2 + 3 * 3) + 12
    assert done.json["stock"] == ["cell", "drive"]
    assert "sim and lava are equal: 692 values in 40 steps (680 of neurons, 12 of synapses)" in done.err


def test_a_difference_is_exit_code_1(artifact: Path, burstchip, monkeypatch: pytest.MonkeyPatch) -> None:
    difference = Difference(17, "drive", "w", (2, 1), {"sim": 4, "lava": 6})
    found = Verification(("sim", "lava"), 32, 99, {"neurons": 99}, (), difference)
    monkeypatch.setattr("burstchip.running.verification.verify", lambda *_, **__: found)
    monkeypatch.setattr("burstchip.running.verification.check_backends", lambda _: None)
    done = burstchip("verify", artifact, "--steps", 40, "--json")
    assert done.code == 1
    assert done.err.splitlines() == [
        "sim and lava differ in step 17:",
        "  drive, w[2, 1]",
        "  sim        4",
        "  lava       6",
    ]
    assert done.json["difference"] == {
        "step": 17,
        "place": "drive",
        "variable": "w",
        "index": [2, 1],
        "values": {"sim": 4, "lava": 6},
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error[BC556]: the number of steps is missing"),
        (["--steps", "3", "--train", "2"], "given: --steps 3 --train 2"),
        (["--train", "2"], "error[BC556]: 'pair' has no task, so it cannot train on samples"),
        (["--steps", "0"], "error[BC603]"),
        (["--steps", "9", "--data", "."], "error[BC613]"),
    ],
)
def test_wrong_options(
    artifact: Path, burstchip, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("burstchip.running.verification.check_backends", lambda _: None)
    done = burstchip("verify", artifact, *arguments)
    assert done.code == 2 and message in done.err


@pytest.mark.parametrize(
    ("backends", "message"),
    [
        ("sim,reference", "error[BC554]: these backends cannot be compared value by value"),
        ("sim", "required: two backends that compute the chip's integers: sim,plain,lava    given: sim"),
        ("sim,larva", "error[BC550]: unknown backend 'larva'"),
    ],
)
def test_wrong_backends(artifact: Path, burstchip, backends: str, message: str) -> None:
    done = burstchip("verify", artifact, "--steps", 3, "--backends", backends)
    assert done.code == 2 and message in done.err


def test_a_deployment(artifact: Path, burstchip, tmp_path: Path) -> None:
    write_deployment(load_artifact(artifact)[0], tmp_path / "deployed")
    done = burstchip("verify", artifact, "--deployment", tmp_path / "deployed", "--json")
    assert done.code == 0 and done.json["ok"] and done.json["same_artifact"] and done.json["values"] > 12
    excluded = burstchip("verify", artifact, "--deployment", tmp_path / "deployed", "--steps", 3)
    assert excluded.code == 2 and "--deployment cannot be combined with options of a run" in excluded.err


def test_another_deployment(burstchip, tmp_path: Path, artifact: Path) -> None:
    code: Any = load_artifact(artifact)[0]
    projection = code.projections[0]
    weights = projection.weights.copy()
    weights[0, 0] += 2
    from dataclasses import replace

    write_deployment(
        replace(code, projections=(replace(projection, weights=weights),)), tmp_path / "deployed"
    )
    done = burstchip("verify", artifact, "--deployment", tmp_path / "deployed")
    assert done.code == 1 and "drive.weight[0, 0]" in done.out
