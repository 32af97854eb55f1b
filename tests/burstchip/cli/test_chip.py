from __future__ import annotations

import json
from pathlib import Path

import pytest

from burstchip import BurstchipError, deploy, load_artifact
from hw_models.chips.reading import chip_text

#: Neurocores of two compartments.
SMALL = """title: Small
like: loihi2
sources: {me: my own measurement}
facts:
  neurocores: {value: 2, unit: a chip, source: me, status: verified}
  compartments: {value: 2, unit: a neurocore, source: me, status: verified}
"""


def test_facts_and_costs_with_their_sources_and_conflicts(burstchip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    done = burstchip("chip", "loihi2")
    assert (done.code, done.err) == (0, "")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "neurocores a chip 128 second hand: Intel 2021" in lines
    assert "also 152 second hand: Wever 2026" in lines
    assert any(line.startswith("assumed, since not public: input axons, ") for line in lines)
    assert any("arXiv 2602.04717" in line for line in lines)


def test_as_json(burstchip) -> None:
    found = burstchip("chip", "loihi1", "--json").json
    assert found["ok"] and found["facts"]["neurocores"]["values"] == [128]
    cost = found["costs"]["synaptic_operation_energy"]
    assert (cost["low"], cost["value"], cost["unit"]) == (23.6, 35.5, "pJ")
    assert {it["value"] for it in cost["others"]} == {33.6, 24.0, 23.6}


def test_a_file_to_begin_with(burstchip, tmp_path: Path) -> None:
    done = burstchip("chip", "loihi2", "--yaml")
    assert done.code == 0 and done.out == chip_text("loihi2")
    (tmp_path / "mine.yaml").write_text(done.out)
    assert burstchip("chip", "mine.yaml").out == burstchip("chip", "loihi2").out
    assert burstchip("chip", "mine.yaml", "--yaml").err.startswith("error[BC611]: --yaml prints one of burst")


def test_a_wrong_file(burstchip, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("title: Mine\nlike: loihi2\nfacts: {cores: {value: 3}}\n")
    done = burstchip("chip", "mine.yaml")
    assert done.code == 2 and done.out == ""
    assert done.err.startswith("mine.yaml:3:9: error[BC820]: no chip has a fact 'cores'\n")


def test_a_deployment_to_a_chip_of_ones_own(artifact: Path, burstchip) -> None:
    (artifact.parent / "small.yaml").write_text(SMALL)
    done = burstchip("deploy", artifact.name, "--dry-run", "-o", "out", "--chip", "small.yaml")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Small: 2 of 2 neurocores of one chip\n")
    assert "verified: me" in done.out
    manifest = json.loads((artifact.parent / "out" / "manifest.json").read_text())
    assert (manifest["chip"], manifest["target"], manifest["compartments"]) == ("small", "loihi2", 2)
    verified = burstchip("verify", artifact.name, "--deployment", "out")
    assert verified.code == 0, verified.err


def test_a_deployment_to_another_chip(artifact: Path, burstchip) -> None:
    done = burstchip("deploy", artifact.name, "--dry-run", "-o", "out", "--chip", "loihi1")
    assert done.code == 0 and done.out.startswith("Loihi 1: 1 of 128 neurocores of one chip\n")
    assert burstchip("verify", artifact.name, "--deployment", "out").code == 0
    manifest = json.loads((artifact.parent / "out" / "manifest.json").read_text())
    assert (manifest["chip"], manifest["target"]) == ("loihi1", "loihi2")
    assert "compartments" not in manifest


def test_an_unknown_chip(artifact: Path, burstchip) -> None:
    done = burstchip("deploy", artifact.name, "--dry-run", "-o", "out", "--chip", "loihi9")
    assert done.code == 2 and done.err.startswith("error[BC821]: chip 'loihi9' is unknown\n")
    assert not (artifact.parent / "out").exists()


def test_the_partition_on_another_chip(pair: Path, burstchip, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    here = burstchip("compile", pair.name, "--print-after", "partition")
    there = burstchip("compile", pair.name, "--print-after", "partition", "--chip", "small.yaml")
    assert (here.code, there.code) == (0, 0) and here.out != there.out
    done = burstchip("compile", pair.name, "-o", "net.burst", "--chip", "small.yaml")
    assert done.code == 2 and done.err.startswith(
        "error[BC611]: --chip needs a pass that lays the program out"
    )


def test_a_deployment_in_python(artifact: Path, tmp_path: Path) -> None:
    code, _ = load_artifact(artifact)
    (tmp_path / "small.yaml").write_text(SMALL)
    done = deploy(code, tmp_path / "out", dry_run=True, chip=tmp_path / "small.yaml")  # type: ignore[arg-type]
    assert (done.chip.title, len(done.partition.cores)) == ("Small", 2)
    with pytest.raises(BurstchipError, match="BC821"):
        deploy(code, tmp_path / "none", dry_run=True, chip="loihi9")
    with pytest.raises(BurstchipError, match="BC690"):
        deploy(code, tmp_path / "none", dry_run=True, chip=3)  # type: ignore[arg-type]
