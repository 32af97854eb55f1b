"""Learned weights for later use: what a training, finished or interrupted, hands on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from burstchip.running.verification import verify
from burstchip.tasks import epochs
from burstchip.tasks.checkpoint import FILE, read_checkpoint, save_checkpoint
from burstchip.tasks.trained import load_program, trained_artifact
from compiler.artifact import load_artifact, save_artifact
from hw_models.diagnostics import BurstchipError


@pytest.fixture(autouse=True)
def own_folders() -> None:
    """Unlike the tests of data sets, these keep the folder of compiled loops that all tests share."""


@pytest.fixture
def copied(tmp_path: Path, trained: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def refusal(folder: Path) -> str:
    with pytest.raises(BurstchipError) as caught:
        load_program(folder)
    return str(caught.value).replace(str(folder), "RUN")


def test_the_artifact_of_a_training_has_its_learned_weights(trained: Path) -> None:
    code = trained_artifact(trained)
    before, sha256 = load_artifact(trained / "net.burst")
    summary = json.loads((trained / "summary.json").read_text())
    assert load_program(trained).sha256 == summary["trained_sha256"]
    assert code.learned is not None and code.learned.artifact_sha256 == sha256 == summary["artifact_sha256"]
    weights = load_file(trained / "weights_after.safetensors")
    off = 0
    for projection, old in zip(code.projections, before.projections, strict=True):
        assert np.array_equal(projection.weights, old.weights) == (projection.name == "feedback")
        if projection.name == "feedback":
            continue
        # What was learned stands exactly beside what the artifact starts with.
        np.testing.assert_array_equal(projection.exact, weights[projection.name])
        off += int(np.count_nonzero(projection.weights * projection.unit != projection.exact))
        assert np.all(np.abs(projection.weights * projection.unit - projection.exact) <= 1.001 * old.unit)
    assert off == code.learned.rounded > 0
    assert code.learned.text == (
        f"trained weights of epoch 2; {off:,} weights rounded to what an artifact holds; "
        f"tags of {code.learned.tags:,} synapses dropped"
    )


def test_the_report_of_learned_weights_does_not_speak_of_drawn_ones(trained: Path) -> None:
    before, after = load_artifact(trained / "net.burst")[0], trained_artifact(trained)

    def lines(code: Any, name: str) -> dict[str, Any]:
        return {line.parameter: line for line in code.quantisation if line.where == name}

    assert lines(after, "feedback") == lines(before, "feedback")
    learned = lines(after, "image_to_hidden")
    assert "least weight" in lines(before, "image_to_hidden") and "least weight" not in learned
    greatest = learned["greatest weight"]
    assert greatest.requested == np.abs(after.projection("image_to_hidden").exact).max()
    assert greatest.integers == "from a training, weight_exp = 0, one unit = 0.07812 mV"
    assert learned["limit"] == lines(before, "image_to_hidden")["limit"]
    assert learned["one event, greatest"].requested == pytest.approx(greatest.requested, abs=1e-9) or (
        learned["one event, greatest"].requested == pytest.approx(-greatest.requested, abs=1e-9)
    )


def test_a_trained_program_runs_alike_everywhere(trained: Path) -> None:
    from burstchip.tasks.presentation import Pictures

    pictures = Pictures(np.full((3, 64), 8, dtype=np.uint8), 16, np.array([3, 1, 4]))
    found = verify(trained_artifact(trained), 120, backends=("sim", "plain"), pictures=pictures)
    assert found.difference is None


class Stopped(Exception):
    pass


@pytest.mark.parametrize(("form", "backend"), [("carry", "sim"), ("chip", "reference")])
def test_an_interrupted_training_has_the_weights_of_its_checkpoint(
    form: str, backend: str, tmp_path: Path, small_training: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(epochs, "CALL_SECONDS", 0.001)

    def stop(progress: Any) -> None:
        if progress.samples_done > 150 + 32:
            raise Stopped

    with pytest.raises(Stopped):
        small_training(tmp_path, stop, form, backend=backend, frozen=("readout",))
    code, (state, progress) = trained_artifact(tmp_path), read_checkpoint(tmp_path / FILE)
    hidden = code.projection("image_to_hidden")
    step = 1 if form == "carry" else 2
    learned = np.rint(state["w_0"].T / step) * step
    np.testing.assert_array_equal(hidden.weights, learned)
    np.testing.assert_allclose(hidden.exact, state["w_0"].T * hidden.unit)
    np.testing.assert_array_equal(
        code.projection("hidden_to_readout").weights,
        load_artifact(tmp_path / "net.burst")[0].projection("hidden_to_readout").weights,
    )
    assert code.learned is not None and (code.learned.epoch, code.learned.samples) == (
        progress["epoch"],
        progress["shown"],
    )
    shown = f"epoch 1 and {code.learned.samples} samples, of a training that was interrupted before epoch 2"
    assert code.learned.samples > 0 and code.learned.text.startswith(f"trained weights of {shown}")
    # The tag of the carry form is part of its weight.
    assert (code.learned.tags == 0) == (code.learned.rounded == 0) == (form == "carry")
    sha256 = save_artifact(code, tmp_path / "kept.burst")
    assert (
        load_program(tmp_path).sha256 == sha256
        and load_artifact(tmp_path / "kept.burst")[0].learned == code.learned
    )
    small_training(tmp_path, None, form, backend=backend, frozen=("readout",), resume=True)
    assert load_program(tmp_path).note.startswith("trained weights of epoch 2")


def test_the_finished_artifact_is_that_of_the_last_checkpoint(copied: Path) -> None:
    finished = load_program(copied).sha256
    (copied / "trained.burst").unlink()
    assert load_program(copied).sha256 == finished


def test_folders_without_learned_weights(tmp_path: Path, copied: Path) -> None:
    assert refusal(tmp_path / "run" / "..") == (
        "error[BC650]: 'RUN' has no learned weights\n"
        "  required: a folder that `burstchip train --out` wrote, or its trained.burst    "
        "given: no net.burst and no checkpoint.safetensors"
    )
    shutil.copy(copied / "net.burst", copied / "trained.burst")
    assert "given: a trained.burst with weights that were not learned" in refusal(copied)
    with pytest.raises(BurstchipError, match="BC650.*\n.*given: no such folder"):
        trained_artifact(tmp_path / "none")


def test_the_artifact_from_before_training_is_told(copied: Path) -> None:
    (message,) = load_program(copied / "net.burst").diagnostics
    assert str(message).replace(str(copied), "RUN") == (
        "warning[BC651]: 'RUN/net.burst' holds the weights before training\n"
        "  required: learned weights, where the training is to be used    "
        "given: the artifact that the training in 'RUN' started with    "
        "hint: name the folder 'RUN' in its place"
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"artifact_sha256": "0" * 64}, "BC566"),
        ({"backend": "lava"}, "Invalid enum value 'lava'"),
        ({"epoch": 9}, "a progress that contradicts itself or the network"),
        ({"w_0": -300}, "weights of 'image_to_hidden' that no training has"),
    ],
)
def test_a_checkpoint_that_cannot_be(copied: Path, change: dict[str, Any], told: str) -> None:
    state, progress = read_checkpoint(copied / FILE)
    for name, value in change.items():
        if name in state:
            state[name].flat[0] = value
        else:
            progress[name] = value
    save_checkpoint(copied / FILE, state, progress)
    (copied / "trained.burst").unlink()
    assert told in refusal(copied)
