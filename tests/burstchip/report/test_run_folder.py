from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from safetensors.numpy import load_file, save_file

from burstchip.report import write_report
from burstchip.report.run_folder import read_run_folder
from hw_models.diagnostics import BurstchipError

Edit = Callable[..., None]


def refusal(folder: Path) -> BurstchipError:
    with pytest.raises(BurstchipError) as caught:
        write_report(folder)
    assert not (folder / "report.html").exists()
    for diagnostic in caught.value.diagnostics:
        assert diagnostic.severity == "error"
        assert diagnostic.required
        assert diagnostic.given
    return caught.value


def test_a_complete_folder(run_folder: Path) -> None:
    run = read_run_folder(run_folder)
    assert run.missing == ()
    assert run.input == "image"
    assert run.readout == "readout"
    assert run.weights_after is not None
    assert run.weights_after.units["image->hidden.soma"] == "mV"
    assert run.weights_after.by_projection["image->hidden.soma"].shape == (100, 64)
    assert run.recording_after is not None
    assert run.recording_after.labels == (3, 8, 0, 5, 1)
    assert run.recording_after.answers == (3, 1, 0, 5, 1)
    assert run.program is not None and run.program.name == "digits"
    assert run.answers is not None and run.answers.shape == (8, 8)
    assert list(run.recording_after.events) == ["image", "hidden", "readout"]
    assert list(run.recording_after.bursts) == ["hidden", "readout"]


def test_no_folder(tmp_path: Path) -> None:
    assert str(refusal(tmp_path / "none")) == (
        f"error[BC540]: '{tmp_path}/none' is not a run folder\n"
        "  required: the folder that `burstchip train --out` wrote    given: missing"
    )


def test_an_unfinished_run(run_folder: Path) -> None:
    (run_folder / "summary.json").unlink()
    assert str(refusal(run_folder)) == (
        f"error[BC541]: the run in '{run_folder}' is not complete\n"
        "  required: summary.json    given: no such file    "
        "hint: finish the training with `burstchip train ... --resume`"
    )
    (run_folder / "history.json").unlink()
    (diagnostic,) = refusal(run_folder).diagnostics
    assert diagnostic.required == "summary.json and history.json"
    assert diagnostic.given == "neither file"


@pytest.mark.parametrize(
    ("entries", "given"),
    [
        ({"test_error": 1.5}, "Expected `float` <= 1.0 - at `$.test_error`"),
        ({"test_error": "0.1"}, "Expected `float`, got `str` - at `$.test_error`"),
        (
            {"confusion": [[1, 2], [3, 4]]},
            "confusion needs 10 rows of 10 counts, one for each class",
        ),
        ({"seed": None}, "Expected `int`, got `null` - at `$.seed`"),
    ],
)
def test_values_that_no_trainer_writes(
    run_folder: Path, edit: Edit, entries: dict[str, Any], given: str
) -> None:
    edit("summary.json", **entries)
    assert str(refusal(run_folder)) == (
        f"error[BC542]: '{run_folder}/summary.json' is damaged\n"
        f"  required: what `burstchip train` writes    given: {given}    "
        "hint: train again, or copy the run folder again"
    )


def test_a_number_that_is_none(run_folder: Path) -> None:
    text = (run_folder / "history.json").read_text()
    (run_folder / "history.json").write_text(text.replace('"test_error": 0.025', '"test_error": NaN'))
    (diagnostic,) = refusal(run_folder).diagnostics
    assert str(diagnostic.given).startswith("JSON is malformed: invalid character (byte ")


def test_the_first_of_many_mistakes_is_reported(run_folder: Path) -> None:
    (run_folder / "history.json").write_text(json.dumps([{"epoch": -1}] * 50))
    (diagnostic,) = refusal(run_folder).diagnostics
    assert diagnostic.given == "Expected `int` >= 0 - at `$[0].epoch`"


@pytest.mark.parametrize(("epochs", "given"), [([], "none"), ([0, 2, 1], "0, 2, 1"), ([0, 1, 1], "0, 1, 1")])
def test_epochs_out_of_order(run_folder: Path, epochs: list[int], given: str) -> None:
    history = [{"epoch": epoch, "train_error": None, "test_error": 0.1} for epoch in epochs]
    (run_folder / "history.json").write_text(json.dumps(history))
    (diagnostic,) = refusal(run_folder).diagnostics
    assert diagnostic.required == "epochs in ascending order, each once"
    assert diagnostic.given == given


FILES = {
    "summary.json": "BC542",
    "history.json": "BC542",
    "quantisation.json": "BC542",
    "weights_before.safetensors": "BC543",
    "weights_after.safetensors": "BC543",
    "recording_before.nc": "BC544",
    "recording_after.nc": "BC544",
    "provenance.json": "BC634",
    "answers.safetensors": "BC635",
}


@pytest.mark.parametrize(("file", "code"), FILES.items())
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file(run_folder: Path, file: str, code: str, share: float) -> None:
    content = (run_folder / file).read_bytes()
    (run_folder / file).write_bytes(content[: int(share * len(content))])
    (diagnostic,) = refusal(run_folder).diagnostics
    assert diagnostic.id == code
    assert diagnostic.message == f"'{run_folder / file}' is damaged"


@pytest.mark.parametrize(("file", "code"), FILES.items())
def test_a_foreign_file(run_folder: Path, file: str, code: str) -> None:
    (run_folder / file).write_bytes(b"\xff\xfe not at all what was written \x00" * 50)
    (diagnostic,) = refusal(run_folder).diagnostics
    assert diagnostic.id == code


def test_every_damaged_file_is_named_in_one_go(run_folder: Path) -> None:
    for file in FILES:
        (run_folder / file).write_bytes(b"")
    (run_folder / "network.yaml").write_text("a: [")
    found = [diagnostic.id for diagnostic in refusal(run_folder).diagnostics]
    assert found == ["BC542"] * 3 + ["BC543"] * 2 + ["BC544"] * 2 + ["BC542", "BC634", "BC635"]


@pytest.mark.parametrize("text", ["a: [", "!!python/object/apply:os.getcwd []", "a: &a [*a]\nb: *c"])
def test_a_network_that_is_no_plain_yaml(run_folder: Path, text: str) -> None:
    (run_folder / "network.yaml").write_text(text)
    (diagnostic,) = refusal(run_folder).diagnostics
    assert diagnostic.id == "BC542"
    assert diagnostic.required == "the YAML text of the network"


def test_an_artifact_of_another_version_costs_the_drawing_alone(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compiler.artifact.VERSION", 99)
    run = read_run_folder(run_folder)
    assert run.program is None and [(it.file, it.shows) for it in run.missing] == [
        ("net.burst", "the drawing of the network: the file has the format of another version")
    ]


def test_a_damaged_artifact_is_an_error(run_folder: Path) -> None:
    (run_folder / "net.burst").write_bytes((run_folder / "net.burst").read_bytes()[:-9])
    assert [diagnostic.id for diagnostic in refusal(run_folder).diagnostics] == ["BC403"]


def test_weights_of_two_networks(run_folder: Path) -> None:
    weights = load_file(run_folder / "weights_after.safetensors")
    weights["image->hidden.soma"] = np.zeros((50, 64))
    weights["other"] = weights.pop("hidden.events->readout.soma")
    save_file(weights, run_folder / "weights_after.safetensors")
    error = refusal(run_folder)
    assert [(diagnostic.required, diagnostic.given) for diagnostic in error.diagnostics] == [
        ("projection 'hidden.events->readout.soma' of one shape in both files", "[10, 100] and none"),
        ("projection 'image->hidden.soma' of one shape in both files", "[100, 64] and [50, 64]"),
        ("projection 'other' of one shape in both files", "none and [10, 100]"),
    ]
    assert {diagnostic.id for diagnostic in error.diagnostics} == {"BC545"}


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros((0, 4)), np.array([[1.0, np.nan]])])
def test_weights_that_are_no_matrix_of_numbers(run_folder: Path, values: np.ndarray[Any, Any]) -> None:
    save_file({"w": values}, run_folder / "weights_after.safetensors")
    diagnostics = refusal(run_folder).diagnostics
    assert diagnostics[0].required == "finite numbers in a matrix [post, pre]"
    assert diagnostics[0].given == f"'w' of shape {list(values.shape)}"


def test_no_weights_at_all(run_folder: Path) -> None:
    save_file({}, run_folder / "weights_after.safetensors")
    assert refusal(run_folder).diagnostics[0].given == "no tensor"


@pytest.mark.parametrize(
    ("changes", "shape", "given"),
    [
        ({}, "[8]", "the shape of a sample is not a height and a width"),
        ({}, "[8, 9]", "9 pictures of [8, 9] values have the shape [9, 64]"),
        (
            {"answer": np.zeros(3, np.int32)},
            "[8, 8]",
            "360 labels, 3 answers and pictures of uint8",
        ),
        (
            {"wrong": np.full(9, 400, np.int32)},
            "[8, 8]",
            "a picture of a sample that does not exist",
        ),
        (
            {"wrong": np.zeros(9, np.int32)},
            "[8, 8]",
            "a picture of a sample that was answered rightly",
        ),
    ],
)
def test_answers_that_no_trainer_writes(
    run_folder: Path, changes: dict[str, Any], shape: str, given: str
) -> None:
    path = run_folder / "answers.safetensors"
    save_file({**load_file(path), **changes}, path, {"shape": shape})
    (diagnostic,) = refusal(run_folder).diagnostics
    assert (diagnostic.id, diagnostic.given) == ("BC635", f"ValueError: {given}")


def _reversed_time(recording: xr.Dataset) -> xr.Dataset:
    return recording.isel(time=slice(None, None, -1))


def _fewer_labels(recording: xr.Dataset) -> xr.Dataset:
    return recording.drop_vars("sample_label").assign_coords(sample_label=("label", [1]))


def _swapped(recording: xr.Dataset) -> xr.Dataset:
    return recording.transpose("hidden_neuron", "image_neuron", "readout_neuron", "time", ...)


def _fewer_bursts(recording: xr.Dataset) -> xr.Dataset:
    bursts = recording["hidden.bursts"].isel(hidden_neuron=slice(5)).rename(hidden_neuron="few")
    return recording.assign({"hidden.bursts": bursts})


@pytest.mark.parametrize(
    ("damage", "given"),
    [
        (_reversed_time, "ValueError: time is not an ascending series of at least two steps"),
        (
            _swapped,
            "ValueError: 'image.events' is {'image_neuron': 64, 'time': 480} instead of [time, neuron]",
        ),
        (_fewer_bursts, "ValueError: events and bursts of 'hidden' are not of the same neurons"),
        (lambda r: r.drop_vars("time"), "ValueError: the steps have no times"),
        (lambda r: r[["hidden.bursts"]], "ValueError: no population's events were recorded"),
        (_fewer_labels, "ValueError: 5 samples have 1 labels"),
        (
            lambda r: r.assign_coords(sample_start=("sample", np.zeros(5))),
            "ValueError: the samples do not begin one after the other",
        ),
        (
            lambda r: r.assign_attrs(present_ms=0),
            "ValueError: a sample's time or the teacher's is out of range",
        ),
        (lambda r: r.assign_attrs(present_ms="x"), "ValueError: could not convert string to float: 'x'"),
        (lambda r: r.drop_vars("sample_start"), "ValueError: the samples have no 'sample_start'"),
        (lambda r: r.drop_attrs(), "KeyError: 'present_ms'"),
    ],
)
def test_recordings_that_no_trainer_writes(
    run_folder: Path, damage: Callable[[xr.Dataset], xr.Dataset], given: str
) -> None:
    path = run_folder / "recording_after.nc"
    recording = damage(xr.load_dataset(path, engine="h5netcdf"))
    path.unlink()
    recording.to_netcdf(path, engine="h5netcdf")
    (diagnostic,) = refusal(run_folder).diagnostics
    assert diagnostic.id == "BC544"
    assert diagnostic.given == given


def test_a_label_that_is_no_class(run_folder: Path) -> None:
    path = run_folder / "recording_after.nc"
    recording = xr.load_dataset(path, engine="h5netcdf").assign_coords(
        sample_label=("sample", [1, 2, 3, 10, 4])
    )
    path.unlink()
    recording.to_netcdf(path, engine="h5netcdf")
    (diagnostic,) = refusal(run_folder).diagnostics
    assert diagnostic.id == "BC545"
    assert diagnostic.required == "labels from 0 to 9"
    assert diagnostic.given == "label 10"
