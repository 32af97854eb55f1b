from __future__ import annotations

from pathlib import Path

import pytest


def test_a_table_that_says_what_it_is(artifact: Path, burstchip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    done = burstchip("cost", artifact.name, "--steps", 100)
    assert done.code == 0
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert lines[0] == "Loihi 2: 1 of 128 neurocores of one chip, on 1 tile of the mesh"
    assert lines[1] == "an estimate from 100 steps; nothing of it was measured on a chip"
    assert "term low central high the longest in" in lines
    assert any(line.startswith("barrier 40 ns 113 ns 746 ns") for line in lines)
    assert "neuron updates 3 3" in lines
    assert (
        "assumed: a word of synaptic memory is read in the time of a synaptic operation (memory read time)"
        in lines
    )
    assert any(line.startswith("assumed: as Loihi 1 (input axons, ") for line in lines)


def test_as_json(artifact: Path, burstchip) -> None:
    found = burstchip("cost", artifact.name, "--steps", 50, "--json", "-q").json
    assert found["ok"] and found["estimate"] and (found["chip"], found["steps"]) == ("loihi2", 50)
    for span in (*found["time_ns"].values(), *found["energy_pj"].values()):
        assert 0 <= span["low"] <= span["value"] <= span["high"]
    assert found["time_ns"]["step"]["value"] >= found["time_ns"]["barrier"]["value"] == 113
    assert found["memory_bits"][0]["weights"] == 8 * 12
    assert found["costs"]["hop_energy"]["status"] == "assumed" and "barrier_time" in found["assumptions"]


def test_a_recording_gives_the_same(artifact: Path, burstchip) -> None:
    recorded = ("--record", "source.events", "--steps", 40, "-q")
    assert burstchip("run", artifact.name, "-o", "out.nc", *recorded).code == 0
    assert burstchip("run", artifact.name, "-o", "list.nc", "--events", "list", *recorded).code == 0
    ran = burstchip("cost", artifact.name, "--steps", 40, "--json", "-q").json
    for name in ("out.nc", "list.nc"):
        assert burstchip("cost", artifact.name, "--rates", name, "--json", "-q").json == ran
    assert (
        burstchip("run", artifact.name, "-o", "few.nc", "--every", 2, "--events", "list", *recorded).code == 0
    )
    done = burstchip("cost", artifact.name, "--rates", "few.nc")
    assert done.code == 2 and "required: every step, where events are lists" in done.err


def test_another_chip(artifact: Path, burstchip) -> None:
    (artifact.parent / "mine.yaml").write_text(
        "title: Mine\nlike: loihi1\nsources: {me: a guess}\ncosts:\n"
        "  barrier_time: {value: 5, unit: us, source: me, status: verified}\n"
    )
    done = burstchip("cost", artifact.name, "--chip", "mine.yaml")
    assert done.code == 2 and done.err.startswith("mine.yaml:5:34: error[BC820]: the unit of cost")
    found = burstchip("cost", artifact.name, "--chip", "loihi1", "--steps", 10, "--json", "-q").json
    assert found["chip"] == "loihi1" and found["time_ns"]["barrier"]["value"] == 600


def test_options_that_do_not_go_together(artifact: Path, burstchip) -> None:
    done = burstchip("cost", artifact.name, "--rates", "out.nc", "--steps", 5)
    assert done.code == 2 and done.err.startswith("error[BC611]: --rates cannot be combined")
