"""Sweeps: every point once, the same whoever does it, and nothing written for options that cannot be."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burstchip import TrainOptions, compile_file, open_run, train, workers
from burstchip.sweeps.description import Point
from burstchip.sweeps.sweeping import SweepOptions
from burstchip.sweeps.sweeping import sweep as sweep_
from burstchip.tasks.checkpoint import state_sha256
from compiler.artifact import artifact_sha256
from hw_models.diagnostics import BurstchipError

#: The backend that compiles nothing.
PLAIN = ("--backend", "plain")


def results(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "results.json").read_bytes())
    return found


def test_a_point_is_the_training_of_its_parameters(learns: Path, learned: Path, tmp_path: Path) -> None:
    points = results(learned)["points"]
    assert [(it["parameters"]["hidden_size"], it["seed"]) for it in points] == [
        ("5", 1),
        ("5", 2),
        ("8", 1),
        ("8", 2),
    ]
    assert len({it["state_sha256"] for it in points}) == 4, "points are alike"
    alone = train(TrainOptions(learns, tmp_path / "alone", seed=2, overrides={"hidden_size": 5}))
    assert points[1]["error"] == alone["test_error"] and points[1]["train_error"] == alone["train_error"]
    assert points[1]["state_sha256"] == alone["state_sha256"]
    assert points[1]["artifact_sha256"] == alone["artifact_sha256"]
    assert (learned / "points" / points[1]["folder"] / "trained.burst").is_file()


def test_table_and_picture_show_every_point(learned: Path) -> None:
    with (learned / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    points = results(learned)["points"]
    assert [float(it["error"]) for it in rows] == [it["error"] for it in points]
    assert [it["state_sha256"] for it in rows] == [it["state_sha256"] for it in points]
    assert (learned / "sweep.png").read_bytes().startswith(b"\x89PNG")
    assert b"hidden_size" in (learned / "sweep.svg").read_bytes()
    seconds = json.loads((learned / "seconds.json").read_bytes())
    assert seconds.keys() == {it["folder"] for it in points} and min(seconds.values()) > 0
    assert not (learned / "working").exists()


def test_a_network_without_a_task_runs(runs: Path, sweep, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, stdout, stderr = sweep(runs, "--grid", "cells=6,12", "--steps", 300, *PLAIN, "--out", out, "--json")
    assert code == 0, stderr
    said = json.loads(stdout.splitlines()[-1])
    assert said["ok"] and said["points"] == results(out)["points"]
    found = said["points"][1]
    code_, _ = compile_file(runs, {"cells": 12})
    run = open_run(code_, "plain")
    for _ in range(300):
        run.advance(1)
    assert found["seed"] == 4 and found["artifact_sha256"] == artifact_sha256(code_)
    assert found["state_sha256"] == state_sha256(run.state())
    assert found["event_rate"]["noise"] == run.events["noise"] / 12 / 0.3
    # 12 sources of 200 Hz for 0.3 s: 720 events, within four standard deviations.
    assert abs(found["event_rate"]["noise"] * 12 * 0.3 - 720) < 4 * np.sqrt(720)
    assert found["error"] is None


@pytest.mark.once
def test_a_protocol_is_followed(sweep, tmp_path: Path) -> None:
    example = Path(__file__).parents[3] / "examples" / "and_gate.yaml"
    text = example.read_text(encoding="utf-8")
    for long, brief in {"0.8 s": "0.2 s", "8 s": "0.8 s", "7.2 s": "0.6 s", "6 s": "0.5 s"}.items():
        text = text.replace(f"for: {long}", f"for: {brief}")
    path = tmp_path / "and_gate.yaml"
    path.write_text(text.replace("bin: 0.4 s", "bin: 0.1 s"), encoding="utf-8")
    out = tmp_path / "out"
    code, _, stderr = sweep(path, "--grid", "size=6", "--seeds", 2, "--set", "rounds=1", "--out", out)
    assert code == 0, stderr
    points = results(out)["points"]
    assert {it["error"] * 4 for it in points} <= {0, 1, 2, 3, 4}
    assert points[0]["state_sha256"] != points[1]["state_sha256"]
    assert all(rate > 0 for rate in points[0]["event_rate"].values())


def test_failed_points_are_kept_and_the_rest_goes_on(runs: Path, sweep, tmp_path: Path) -> None:
    """Of the file's own 6 cells each cannot hear 7; of the grid's 9 it can."""
    out = tmp_path / "out"
    arguments = (runs, "--grid", "cells=3,9", "--grid", "heard=2,7", "--steps", 20, *PLAIN, "--out", out)
    code, stdout, stderr = sweep(*arguments)
    assert code == 1, stderr
    assert (
        "3 of 4 points done, 1 failed" in stdout and "cells=3, heard=7, seed=4 failed: runs.yaml:" in stdout
    )
    states = [it["state"] for it in results(out)["points"]]
    assert states == ["done", "failed", "done", "done"]
    assert "in_degree" in results(out)["points"][1]["diagnostics"][0]
    before = (out / "results.json").read_bytes()
    for again in ("--resume", "--overwrite"):
        assert sweep(*arguments, again)[0] == 1
        assert (out / "results.json").read_bytes() == before


def test_points_are_drawn(runs: Path, sweep, tmp_path: Path) -> None:
    arguments = (runs, "--grid", "cells=4..40", "--grid", "heard=2,3", "--steps", 20, *PLAIN)
    for count in (3, 5):
        code, _, stderr = sweep(*arguments, "--draw", count, "--out", tmp_path / str(count))
        assert code == 0, stderr
    few, more = (results(tmp_path / str(count))["points"] for count in (3, 5))
    assert more[:3] == few and len({it["folder"] for it in more}) == 5
    assert all(4 <= int(it["parameters"]["cells"]) <= 40 for it in more)
    picture = (tmp_path / "5" / "sweep.svg").read_text()
    assert "cells" in picture
    code, _, stderr = sweep(tmp_path / "5", "--resume")
    assert code == 0, stderr


def test_a_restart_does_what_is_missing_alone(learns: Path, learned: Path, sweep, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(learned, out)
    names = [it["folder"] for it in results(learned)["points"]]
    # One point is gone, one is at a checkpoint, one was left while its result was written.
    shutil.rmtree(out / "points" / names[0])
    (out / "points" / names[1] / "point.json").unlink()
    (out / "points" / names[2] / "point.json").write_text("{")
    kept = (out / "points" / names[3] / "point.json").stat().st_mtime_ns
    (out / "results.json").unlink()
    code, _, stderr = sweep(out, "--resume")
    assert code == 0, stderr
    assert (out / "results.json").read_bytes() == (learned / "results.json").read_bytes()
    assert (out / "points" / names[3] / "point.json").stat().st_mtime_ns == kept


def test_what_ends_a_sweep_leaves_the_results_so_far(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def change(note: str, done: float, total: int) -> None:
        """The file changes while the sweep is under way."""
        runs.write_text(runs.read_text() + "# changed\n")

    with pytest.raises(BurstchipError, match="BC897"):
        sweep_(SweepOptions(runs, out, ["cells=6,12"], steps=4000, backend="plain"), change)
    assert [it["state"] for it in results(out)["points"]] == ["done", "open"]
    with pytest.raises(BurstchipError, match="BC897"):
        sweep_(SweepOptions(None, out, resume=True))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--grid", "cells"), "BC890"),
        (("--grid", "cells="), "a value is empty"),
        (("--grid", "cells=3,3.0,4"), "a value is given twice"),
        (("--grid", "cells=3", "--grid", "cells=4"), "has two grids"),
        (("--grid", "cells=3", "--set", "cells=4"), "is also set"),
        (("--grid", "cell=3"), "did you mean: cells; its parameters are: cells, heard"),
        (("--grid", "cells=3,0"), "parameter 'cells' cannot be '0'"),
        (("--grid", "cells=3,0"), "BC103"),
        (("--grid", "cells=3..9"), "--draw N, which draws N points"),
        (("--grid", "cells=9..3", "--draw", "2"), "the first number must be below the second"),
        (("--grid", "cells=0..9", "--draw", "2"), "parameter 'cells' cannot be '0'"),
        (("--grid", "cells=2..4", "--draw", "4"), "--draw 3, or a larger grid"),
        (("--seeds", "2", "--draw", "2"), "BC893"),
        ((), "BC893"),
        (("--grid", f"cells={','.join(map(str, range(2, 14)))}", "--seeds", "1000"), "12,000 points"),
        (("--seeds", "2", "--epochs", "3"), "--epochs means nothing there"),
        (("--seeds", "2", "--resume", "--overwrite"), "BC611"),
        (("--seeds", "2", "--set", "sells=3"), "BC025"),
    ],
)
def test_options_that_cannot_be(
    runs: Path, sweep, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    code, _, stderr = sweep(runs, *arguments, "--steps", 5, "--out", tmp_path / "out")
    assert code == 2 and said in stderr, stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("needs_lava")
def test_lava_keeps_no_state_to_go_on_from(runs: Path, sweep, tmp_path: Path) -> None:
    arguments = ("--seeds", 2, "--backend", "lava", "--steps", 5, "--out", tmp_path / "out")
    code, _, stderr = sweep(runs, *arguments)
    assert code == 2 and "backend 'lava' keeps no state" in stderr, stderr
    assert not (tmp_path / "out").exists()


def test_steps_are_required(runs: Path, learns: Path, sweep, tmp_path: Path) -> None:
    for file, option, said in ((runs, (), "--steps is missing"), (learns, ("--steps", 5), "means nothing")):
        code, _, stderr = sweep(file, "--seeds", 2, *option, "--out", tmp_path / "out")
        assert code == 2 and said in stderr and "BC896" in stderr
    assert not (tmp_path / "out").exists()


def test_folders_of_others_are_left_alone(
    learns: Path, learned: Path, sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(learned, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    same = ("--grid", "hidden_size=5,8", "--seeds", 2, "--out", out)
    for arguments, said in (
        ((learns, *same), "BC895"),
        ((learns, "--grid", "hidden_size=5,9", "--seeds", 2, "--out", out, "--resume"), "hidden_size=5,8"),
        ((learns, *same, "--epochs", 3, "--resume"), "epochs = None"),
        ((out, "--seeds", 2, "--resume"), "BC611"),
        ((out,), "BC611"),
    ):
        code, _, stderr = sweep(*arguments)
        assert code == 2 and said in stderr, stderr
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    monkeypatch.setattr(workers, "_CONNECT_SECONDS", "0.2s")
    nowhere = workers.Workers(dask="tcp://127.0.0.1:1")
    with pytest.raises(BurstchipError, match="BC721"):
        sweep_(SweepOptions(learns, out, seeds=(1, 2), overwrite=True, workers=nowhere))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    (tmp_path / "mine.txt").write_text("mine")
    code, _, stderr = sweep(learns, "--seeds", 2, "--out", tmp_path, "--overwrite")
    assert code == 2 and "BC895" in stderr and (tmp_path / "mine.txt").exists()


@pytest.mark.parametrize(
    ("altered", "said"),
    [
        ({"format": "burstchip run"}, "Invalid enum value"),
        ({"steps": None}, "a run without steps"),
        ({"steps": 0}, ">= 1"),
        ({"draw": 2, "grid": [{"name": "cells", "values": ["9..1"]}]}, "the first number must be below"),
        ({"grid": [{"name": "cells", "values": ["1"]}] * 2}, "stands twice"),
        ({"seeds": [-1]}, ">= 0"),
        ({"seeds": list(range(10_001))}, "10001 points"),
        ({"more": 1}, "unknown field"),
    ],
)
def test_a_damaged_description_is_named(
    runs: Path, sweep, tmp_path: Path, altered: dict[str, Any], said: str
) -> None:
    sweep_(SweepOptions(runs, tmp_path / "out", ["cells=3"], seeds=(1, 2), steps=5, backend="plain"))
    path = tmp_path / "out" / "sweep.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **altered}))
    code, _, stderr = sweep(tmp_path / "out", "--resume")
    assert code == 2 and "BC895" in stderr and said in stderr, stderr


def test_a_name_stands_for_one_point() -> None:
    points = [
        Point({"a": "1", "b": "2"}, 1),
        Point({"a": "1", "b": "2"}, 2),
        Point({"a": "1, b=2"}, 1),
        Point({"file": "../../etc/x y"}, 1),
        Point({"file": ".._.._etc_x_y"}, 1),
        Point({"long": "x" * 500}, 1),
        Point({"long": "x" * 501}, 1),
    ]
    names = [it.name for it in points]
    assert len(set(names)) == len(names)
    assert names[0] == "a=1_b=2_seed=1.915c83ab"
    assert all("/" not in name and " " not in name and len(name) < 100 for name in names)
    assert Point({"b": "2", "a": "1"}, 1).name.split(".")[-1] == "915c83ab"
