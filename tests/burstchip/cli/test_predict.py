"""`burstchip predict`, and a training's folder wherever an artifact is wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from burstchip.files.predictions import PredictionsFile, predictions_schema
from burstchip.tasks.datasets import load_dataset

NOTE = "trained weights of epoch 2; "


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    found = load_dataset("digits")
    np.savez(tmp_path / "mine.npz", x=found.test_images[:30].reshape(-1, 8, 8), y=found.test_labels[:30])
    np.save(tmp_path / "few.npy", found.test_images[:3])
    return tmp_path / "mine.npz"


def test_a_table_a_file_and_json(samples: Path, trained: Path, burstchip: Any, tmp_path: Path) -> None:
    done = burstchip("predict", trained, "--data", samples, "-o", "out.csv", "--json")
    assert done.code == 0 and done.out.count("\n") == 1
    lines = done.err.splitlines()
    assert lines[0].startswith(f"{trained}: {NOTE}")
    assert lines[1] == (
        f"{samples}: 30 samples of 8 x 8 values from 0 to 16; 16 is shown at full intensity, backend sim"
    )
    assert lines[3].split() == ["class", "predicted", "label", "correct"]
    found = done.json
    low, high = (f"{100 * end:.2f} %" for end in found["interval"])
    assert (
        f"accuracy {100 * found['accuracy']:.2f} % ({found['correct']} of 30), 95 % interval {low} to {high}"
        in lines
    )
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert rows[0] == "sample,predicted,label" and len(rows) == 31
    assert rows[1] == f"0,{found['predicted'][0]},{found['labels'][0]}"
    again = burstchip("predict", trained, "--data", samples, "-o", "out.json")
    assert again.code == 0
    written = msgspec.json.decode((tmp_path / "out.json").read_bytes(), type=PredictionsFile)
    assert written.predicted == found["predicted"] and written.labels == found["labels"]
    properties = predictions_schema()["$defs"]["PredictionsFile"]["properties"]
    assert set(json.loads((tmp_path / "out.json").read_text())) == set(properties) <= set(found)


def test_few_samples_are_shown_one_by_one(samples: Path, trained: Path, burstchip: Any) -> None:
    done = burstchip("predict", trained, "--data", "few.npy")
    assert done.code == 0 and "accuracy" not in done.out
    rows = [line.split() for line in done.out.splitlines()]
    assert ["sample", "predicted"] in rows
    assert [row[0] for row in rows if len(row) == 2 and row[0].isdigit()] == ["0", "1", "2"]


def test_a_file_of_another_kind(samples: Path, trained: Path, burstchip: Any) -> None:
    done = burstchip("predict", trained, "--data", samples, "-o", "out.txt")
    assert (done.code, done.err) == (
        2,
        "error[BC661]: predictions cannot be written as 'out.txt'\n"
        "  required: a name that ends in .csv or .json    given: .txt\n",
    )


def test_a_folder_where_an_artifact_is_wanted(trained: Path, burstchip: Any) -> None:
    sha256 = json.loads((trained / "summary.json").read_text())["trained_sha256"]
    for command in (
        ("run", trained, "--steps", 20, "-o", "out.nc"),
        ("verify", trained, "--steps", 20, "--backends", "sim,plain"),
        ("deploy", trained, "--dry-run", "-o", "sent"),
        ("verify", trained, "--deployment", "sent"),
    ):
        done = burstchip(*command, "--json")
        assert done.code == 0 and done.json["artifact_sha256"] == sha256, command
        assert f"{trained}: {NOTE}" in done.err
    assert burstchip("verify", trained / "net.burst", "--deployment", "sent").code == 1
    done = burstchip("errors", trained, "--steps", 20, "--json")
    assert done.code == 0 and f"{trained}: {NOTE}" in done.err
    assert {row["step"] for row in done.json["errors"]} == {None}
    done = burstchip("errors", trained, "--steps", 20, "--seed", 3)
    assert (done.code, done.err) == (
        2,
        "error[BC611]: a training's folder cannot be combined with options of a compilation\n"
        "  required: the folder alone    given: --seed\n",
    )


def test_the_artifact_from_before_training_is_told(trained: Path, burstchip: Any) -> None:
    done = burstchip("deploy", trained / "net.burst", "--dry-run", "-o", "sent")
    assert done.code == 0 and "warning[BC651]" in done.err
    assert "trained weights" not in done.out
