"""A user's own samples: what a file must hold, how it is split and scaled, and the whole way through it."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs
from numpy.typing import NDArray

from burstchip.frontend import load, load_network
from burstchip.report.receptive_fields import draw_receptive_fields
from burstchip.report.run_folder import read_run_folder
from burstchip.report.tables import contradictions, setting_rows
from burstchip.running.recording import record
from burstchip.tasks import npz_file
from burstchip.tasks.own_data import Reading, own_dataset, read_own_arrays
from burstchip.tasks.presentation import Presentation, pictures_of
from burstchip.tasks.train_options import TrainOptions
from burstchip.tasks.training import train
from compiler.artifact import artifact_sha256, load_artifact, save_artifact
from compiler.ir.chip_program import ChipProgram
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError
from hw_models.neurons.sources import ENCODER_SHIFT

NETWORK = """\
burstchip: 1
name: mine
step: 1 ms
populations:
  image: {model: rate_source, size: 6, max_rate: 200 Hz}
  readout: {model: burst_unit, size: 2, bias: 500 pA, teacher_on: 500 Hz, teacher_off: 60 Hz}
plasticity:
  bursts:
    form: chip
    every: 8 ms
    trace: {name: x1, tau: 16 ms, increment: 16}
    learning_rate: 2^-6
    consolidation_rate: 2^-6
    consolidate_every: 1
projections:
  - {name: w, from: image, to: readout.soma, weight: {uniform: [-1 mV, 1 mV]}, limit: 10 mV, learn: bursts}
task:
  data: {file: mine.npz}
  test_share: 25 %
  input: image
  readout: readout
  present: 16 ms
  teach_after: 8 ms
  epochs: 1
"""


@pytest.fixture(autouse=True)
def own_folders() -> None:
    """Unlike the tests of other data sets, these keep the folder of compiled loops that all tests share."""


def samples(count: int = 12) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Images of 2 x 3 pixels whose left or right half is bright, and which."""
    labels = np.arange(count) % 2
    images = np.zeros((count, 2, 3))
    images[labels == 0, :, 0] = images[labels == 1, :, 2] = 5
    images[:, :, 1] = np.arange(count)[:, None] / count
    return images, labels


def wrong(folder: Path, text: str = NETWORK, **arrays: Any) -> list[str]:
    """Ids, places and messages of a network whose data file holds these arrays (none: no file)."""
    if arrays:
        np.savez(folder / "mine.npz", **arrays)
    (folder / "net.yaml").write_text(text)
    return [
        str(it).replace(str(folder), "DIR").splitlines()[0] + f" | {it.given}" + f" | {it.required}"
        for it in load(folder / "net.yaml").diagnostics
    ]


def network(folder: Path, **changes: Any) -> Path:
    images, labels = samples()
    np.savez(folder / "mine.npz", **{"x": images, "y": labels, **changes})
    (folder / "net.yaml").write_text(NETWORK)
    return folder / "net.yaml"


def compiled(folder: Path) -> ChipProgram:
    return compile_network(load_network(network(folder)))


@pytest.mark.parametrize("scale", [1.0, 0.25, -3.0])
@pytest.mark.parametrize("maximum", [16, 255])
def test_values_are_scaled_from_their_range(tmp_path: Path, maximum: int, scale: float) -> None:
    code = compiled(tmp_path)
    grey = np.random.default_rng(1).integers(0, maximum + 1, (50, 6))
    grey[0, :2] = 0, maximum
    arrays = {"x_train": grey * scale + 7, "y_train": np.arange(50) % 2}
    arrays |= {"x_test": arrays["x_train"][:2], "y_test": np.array([0, 1])}
    pictures = pictures_of(own_dataset("mine.npz", arrays, Reading(None, 0, 2)))[0]
    rows = Presentation(code, pictures, np.arange(50)).samples(0, 50)
    source = code.population("image")
    most = int(source.parameters[source.roles.full_rate])
    bright = grey if scale > 0 else maximum - grey
    assert rows.dtype == np.int32
    assert np.array_equal(rows, (bright * most + maximum // 2) // maximum << ENCODER_SHIFT)
    real = Presentation(code, pictures, np.arange(50), real=True).samples(0, 50)
    exact = source.numbers(real=True)[source.roles.full_rate]
    assert np.allclose(real, bright / maximum * exact * 2**ENCODER_SHIFT, rtol=1e-12)


def test_the_split_is_stratified_seeded_and_keeps_the_order() -> None:
    labels = np.array([0] * 40 + [1] * 11 + [2] * 2)
    arrays = {"x": np.arange(53.0).reshape(-1, 1), "y": labels}
    found = own_dataset("mine.npz", arrays, Reading(0.2, 3, 3))
    assert np.bincount(found.test_labels).tolist() == [8, 2, 1]
    assert np.bincount(found.train_labels).tolist() == [32, 9, 1]
    assert (np.diff(found.test_images[:, 0]) > 0).all()
    assert (np.diff(found.train_images[:, 0]) > 0).all()
    assert found.test_images[:, 0].astype(int).tolist() == [9, 15, 20, 22, 23, 26, 34, 36, 43, 47, 51]
    again = own_dataset("mine.npz", arrays, Reading(0.2, 4, 3))
    assert not np.array_equal(found.test_images, again.test_images)


X, Y = samples()


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({}, ["error[BC670]: data file 'DIR/mine.npz' is missing | no such file"]),
        ({"x": X}, ["error[BC671]: data file 'DIR/mine.npz' does not hold the arrays | x"]),
        (
            {"x": X, "y": Y, "z": Y},
            ["error[BC671]: data file 'DIR/mine.npz' holds arrays that nothing reads | z"],
        ),
        (
            {"x": X, "y": np.array([None] * 12)},
            [
                "error[BC672]: array 'y' of 'DIR/mine.npz' does not hold real numbers "
                "| pickled objects, which are not read"
            ],
        ),
        (
            {"x": X.astype(complex), "y": Y},
            ["error[BC672]: array 'x' of 'DIR/mine.npz' does not hold real numbers | complex128"],
        ),
        ({"x": X[:, 0, 0], "y": Y}, ["error[BC672]: array 'x' has the wrong shape | [12]"]),
        ({"x": X, "y": Y[:5]}, ["error[BC672]: array 'y' has the wrong shape | [5]"]),
        (
            {"x_train": X, "y_train": Y, "x_test": X[:, :1], "y_test": Y},
            [
                "error[BC174]: 'test_share' of the task is not read: "
                "'mine.npz' has a test set of its own | '25 %'",
            ],
        ),
        (
            {"x": X[:0], "y": Y[:0]},
            ["error[BC676]: array 'x' of 'DIR/mine.npz' is empty | float64 [0, 2, 3]"],
        ),
        (
            {"x": np.where(X == 5, np.nan, X), "y": Y},
            ["error[BC673]: array 'x' has a value that is not finite | nan in sample 0"],
        ),
        (
            {"x": X, "y": Y + 0.5},
            ["error[BC674]: array 'y' has a label that is not a class | 0.5 for sample 0"],
        ),
        ({"x": X, "y": Y * 2}, ["error[BC674]: array 'y' has a label that is not a class | 2 for sample 1"]),
        ({"x": X, "y": Y - 1}, ["error[BC674]: array 'y' has a label that is not a class | -1 for sample 0"]),
        ({"x": X, "y": Y * 0}, ["error[BC675]: array 'y' has too few samples of class 1 | 0"]),
        ({"x": X * 0, "y": Y}, ["error[BC677]: the values of 'mine.npz' have no range | 0 to 0"]),
        (
            {"x": X[:, :, :1], "y": Y},
            [
                "error[BC160]: 'input' of the task needs one neuron for each value of a sample of 'mine.npz' "
                "| 'image' with 6",
            ],
        ),
    ],
)
def test_what_a_file_must_hold(tmp_path: Path, arrays: dict[str, Any], expected: list[str]) -> None:
    found = wrong(tmp_path, **arrays)
    assert [line.rpartition(" | ")[0].partition(": ")[2] for line in found] == expected
    at = "20:10" if "BC160" in expected[0] else "19:15" if "BC174" in expected[0] else "18:16"
    assert all(line.startswith(f"DIR/net.yaml:{at}: ") for line in found)


@pytest.mark.parametrize(
    ("before", "after", "arrays", "expected"),
    [
        (
            "  test_share: 25 %\n",
            "",
            {"x": X, "y": Y},
            "DIR/net.yaml:18:9: error[BC174]: "
            "'task' does not say which samples of 'mine.npz' are for the test",
        ),
        (
            "mine.npz}",
            "mine.npz, range: [1, 1]}",
            {"x": X, "y": Y},
            "DIR/net.yaml:18:33: error[BC136]: 'range' of 'data' of the task has its ends in the wrong order",
        ),
        (
            "mine.npz}",
            "mine.npz, range: [0, 3]}",
            {"x": X, "y": Y},
            "DIR/net.yaml:18:16: warning[BC678]: 24 of 72 values of 'mine.npz' were clipped to the range",
        ),
        (
            "  test_share: 25 %\n",
            "",
            {"x_train": X, "y_train": Y, "x_test": X[:1], "y_test": Y[:1]},
            "DIR/net.yaml:18:16: warning[BC675]: the test set of 'mine.npz' has no sample of 1 of 2 classes",
        ),
        (
            "  test_share: 25 %\n",
            "",
            {"x_train": X, "y_train": Y, "x_test": X[:, :1], "y_test": Y},
            "DIR/net.yaml:18:16: error[BC672]: "
            "the samples of 'x_train' and 'x_test' of 'mine.npz' differ in shape",
        ),
    ],
)
def test_keys_of_own_data(
    tmp_path: Path, before: str, after: str, arrays: dict[str, Any], expected: str
) -> None:
    (line,) = wrong(tmp_path, NETWORK.replace(before, after), **arrays)
    assert line.partition(" | ")[0] == expected


def test_sizes_are_known_before_anything_is_unpacked(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=np.zeros((1000, 10)), y=np.zeros(1000, dtype=np.int8))
    with pytest.raises(BurstchipError) as caught:
        npz_file.read_arrays(tmp_path / "mine.npz", [frozenset("xy")], copies=3, available=200_000)
    (message,) = caught.value.diagnostics
    assert (message.id, message.given) == ("BC676", "237.3 KiB: x float64 [1000, 10], y int8 [1000]")
    with zipfile.ZipFile(tmp_path / "mine.npz", "w") as archive:
        # A header that claims far more than there is.
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99), }"
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
        archive.writestr("y.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(BurstchipError, match="BC676"):
        read_own_arrays(tmp_path / "mine.npz")


@pytest.mark.parametrize("at", [0, 90, 200, 300, 400, -30])
def test_a_damaged_file_is_one_message(tmp_path: Path, at: int) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, x=X, y=Y)
    content = bytearray(path.read_bytes())
    content[at] ^= 0x55
    path.write_bytes(content)
    with pytest.raises(BurstchipError, match="BC67"):
        read_own_arrays(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(BurstchipError, match="BC670"):
        read_own_arrays(path)


def test_own_data_from_the_file_to_the_page(tmp_path: Path) -> None:
    file, out = network(tmp_path), tmp_path / "run"
    summary = train(TrainOptions(file, out, workers=1, backend="plain"))
    assert summary["task"] == "mine.npz"
    assert summary["data"]["training_samples"] == 8 and summary["data"]["test_samples"] == 4
    assert (summary["data"]["shape"], summary["data"]["range"]) == ([2, 3], [0.0, 5.0])
    run = read_run_folder(out)
    rows = dict(setting_rows(run))
    assert rows["Samples"] == "8 for training, 4 for the test, 2 x 3 pixels each"
    assert rows["Range of values"] == "0 (no events) to 5 (the greatest rate)"
    assert (rows["Data SHA-256"], rows["Task"]) == (summary["data"]["sha256"], "mine.npz, seed 0, split 0")
    assert contradictions(run) == [] and run.weights_after is not None
    assert len(draw_receptive_fields(run, run.weights_after, run.weights_after)) == 1
    flat = structs.replace(run.summary, data=structs.replace(run.summary.data, shape=[6]))
    assert draw_receptive_fields(replace(run, summary=flat), run.weights_after, run.weights_after) == []
    # The artifact names the file by its content and is run beside it, or with its folder named.
    code = compile_network(load_network(file))
    sha256 = save_artifact(code, tmp_path / "net.burst")
    loaded, _ = load_artifact(tmp_path / "net.burst")
    assert artifact_sha256(loaded) == sha256 == summary["artifact_sha256"] and loaded.task == code.task
    assert record(loaded, 40, ["readout.events"], backend="plain").samples is not None
    elsewhere, _ = load_artifact(out / "net.burst")
    with pytest.raises(BurstchipError, match="BC670(?s:.*)--data DIR"):
        record(elsewhere, 40, ["readout.events"], backend="plain")
    again = record(elsewhere, 40, ["readout.events"], backend="plain", data_dir=tmp_path)
    assert again.samples is not None and len(again.samples.index) == 3
    # Another file under the same name is noticed.
    network(tmp_path, x=X + 1)
    with pytest.raises(BurstchipError, match="BC679"):
        record(loaded, 40, ["readout.events"], backend="plain")
    with pytest.raises(BurstchipError, match="BC566(?s:.*)given: other data"):
        train(TrainOptions(file, out, workers=1, backend="plain", resume=True))
    assert "has changed since the training" in contradictions(run)[0]
    assert json.loads((out / "summary.json").read_text())["split"] == 0
