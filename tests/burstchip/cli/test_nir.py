"""`burstchip import` and `burstchip export`: files, exit codes, what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from nir_graphs import chain, write

NODES: dict[str, dict[str, Any]] = {
    "in": {"type": "Input", "shape": np.array([3])},
    "fc": {"type": "Linear", "weight": np.arange(6.0).reshape(2, 3)},
    "1": {
        "type": "LIF",
        "tau": np.full(2, 0.01),
        "r": np.ones(2),
        "v_leak": np.zeros(2),
        "v_threshold": np.ones(2),
    },
    "out": {"type": "Output", "shape": np.array([2])},
}


def test_there_and_back(burstchip, tmp_path: Path) -> None:
    file = write(tmp_path / "a.nir", NODES, chain(*NODES))
    done = burstchip("import", str(file), "--step", "1ms", "-o", str(tmp_path / "net.yaml"), "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert told["ok"] and (told["neurons"], told["synapses"]) == (2, 5)
    assert [Path(it).name for it in told["files"]] == ["net.safetensors", "net.yaml"]
    assert [it["id"] for it in told["diagnostics"]] == ["BC808", "BC808"]
    assert "node 'in': NIR does not say what comes in; give its `events`" in done.err
    assert burstchip("check", str(tmp_path / "net.yaml")).code == 0
    done = burstchip("export", str(tmp_path / "net.yaml"), "-o", str(tmp_path / "b.nir"), "--json")
    told = json.loads(done.out)
    assert done.code == 0 and (told["nodes"], told["edges"]) == (4, 3)
    assert [it["id"] for it in told["diagnostics"]] == ["BC812"]


def test_what_is_missing_is_said(burstchip, tmp_path: Path) -> None:
    file = write(tmp_path / "a.nir", NODES, chain(*NODES))
    network = str(tmp_path / "net.yaml")
    for given, message in (
        ((str(file), "--step", "1ms"), "an output is missing"),
        ((str(file), "-o", network), "the length of a step is missing"),
        ((str(file), "-o", network, "--step", "1mV"), "--step 1mV is not a time"),
        ((str(file), "-o", str(file), "--step", "1ms"), "would overwrite what it is made from"),
        ((str(tmp_path / "no.nir"), "-o", network, "--step", "1ms"), "the file is missing"),
    ):
        done = burstchip("import", *given)
        assert done.code == 2 and message in done.err
    assert burstchip("export", str(file)).code == 2
    assert sorted(it.name for it in tmp_path.iterdir()) == ["a.nir"]


def test_nothing_is_left_of_an_import_that_cannot_be_written(burstchip, tmp_path: Path) -> None:
    file = write(tmp_path / "a.nir", NODES, chain(*NODES))
    (tmp_path / "net.safetensors").mkdir()
    done = burstchip("import", str(file), "--step", "1ms", "-o", str(tmp_path / "net.yaml"))
    assert done.code == 2 and "BC608" in done.err
    assert sorted(it.name for it in tmp_path.iterdir()) == ["a.nir", "net.safetensors"]
