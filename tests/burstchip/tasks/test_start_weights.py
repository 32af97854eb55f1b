"""A training that starts with what another learned: what it takes, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burstchip.tasks import epochs
from burstchip.tasks.start_weights import with_weights_of
from burstchip.tasks.trained import trained_artifact
from compiler.artifact import load_artifact
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError


@pytest.fixture(autouse=True)
def own_folders() -> None:
    """Unlike the tests of data sets, these keep the folder of compiled loops that all tests share."""


@pytest.fixture(scope="module")
def untrained(trained: Path) -> ChipProgram:
    return load_artifact(trained / "net.burst")[0]


def test_a_training_goes_on_from_another(tmp_path: Path, trained: Path, small_training: Any) -> None:
    out = tmp_path / "next"
    summary = small_training(out, start_from=trained, epochs=1)
    source, started = trained_artifact(trained), load_artifact(out / "net.burst")[0]
    for one, other in zip(source.projections, started.projections, strict=True):
        assert np.array_equal(one.weights, other.weights)
    # An artifact can start with even weights alone, so that the test before learning may differ a little.
    before = json.loads((trained / "summary.json").read_text())["test_error"]
    assert json.loads((out / "history.json").read_text())[0]["test_error"] == pytest.approx(before, abs=0.1)
    assert started.learned == source.learned and summary["started_with"]["epoch"] == 2
    assert summary["started_with"]["artifact_sha256"] == load_artifact(trained / "net.burst")[1]
    assert trained_artifact(out).learned.artifact_sha256 == summary["artifact_sha256"]
    # Going on needs no second word of where it started; with it, it is the same training.
    for again in ({}, {"start_from": trained}):
        resumed = small_training(out, epochs=1, resume=True, **again)
        assert resumed["state_sha256"] == summary["state_sha256"]
        assert resumed["started_with"] == summary["started_with"]


def test_an_interrupted_one_goes_on_exactly(
    tmp_path: Path, trained: Path, small_training: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another seed, so that the fixed weights of the first training come along too."""
    monkeypatch.setattr(epochs, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(epochs, "CALL_SECONDS", 0.001)
    undisturbed = small_training(tmp_path / "one", start_from=trained, epochs=1, seed=5)

    def stop(progress: Any) -> None:
        if progress.samples_done > 60:
            raise KeyboardInterrupt

    out = tmp_path / "other"
    with pytest.raises(KeyboardInterrupt):
        small_training(out, stop, start_from=trained, epochs=1, seed=5)
    resumed = small_training(out, epochs=1, seed=5, resume=True)
    for name in ("state_sha256", "artifact_sha256", "trained_sha256", "started_with", "confusion"):
        assert resumed[name] == undisturbed[name], name
    assert any("BC653" in note for note in resumed["diagnostics"])


def test_weights_that_do_not_learn_come_along(trained: Path, untrained: ChipProgram) -> None:
    feedback = untrained.projection("feedback")
    other = replace(feedback, weights=-feedback.weights[:, ::-1].copy())
    here = replace(untrained, projections=tuple(other if p is feedback else p for p in untrained.projections))
    source = trained_artifact(trained)
    code, (note,) = with_weights_of(here, source, "RUN")
    assert np.array_equal(code.projection("feedback").weights, feedback.weights)
    assert str(note) == (
        "warning[BC653]: the fixed weights of 'feedback' are those of 'RUN'\n"
        "  required: fixed weights as the network's file has them, for these to be used    "
        "given: other values or another seed in the file"
    )
    assert with_weights_of(untrained, source, "RUN")[1] == ()


def _changed(code: ChipProgram, changed: str, **values: Any) -> ChipProgram:
    projections = (replace(p, **values) if p.name == changed else p for p in code.projections)
    return replace(code, projections=tuple(projections))


def test_what_differs_is_named(trained: Path, untrained: ChipProgram) -> None:
    source, hidden = trained_artifact(trained), untrained.projection("image_to_hidden")

    def told(here: ChipProgram) -> list[str]:
        with pytest.raises(BurstchipError) as caught:
            with_weights_of(here, source, "RUN")
        start = "error[BC652]: the weights of 'RUN' do not fit this network: "
        messages = [str(it) for it in caught.value.diagnostics]
        assert all(message.startswith(start) for message in messages)
        return [message.removeprefix(start).replace("\n", "") for message in messages]

    smaller = tuple(replace(p, size=19) if p.name == "hidden" else p for p in untrained.populations)
    assert told(replace(untrained, populations=smaller)) == [
        "population 'hidden'  required: 20 neurons ('RUN')    given: 19 neurons (here)"
    ]
    assert told(_changed(untrained, "feedback", name="back")) == [
        "projection 'back'  required: no such projection ('RUN')    given: a projection (here)",
        "projection 'feedback'  required: a projection ('RUN')    given: no such projection (here)",
    ]
    assert told(_changed(untrained, "feedback", target="readout")) == [
        "projection 'feedback'  required: readout.burst_error to hidden.dendrite ('RUN')    "
        "given: readout.burst_error to readout.dendrite (here)"
    ]
    carry = replace(hidden.learning, form="carry")
    assert told(_changed(untrained, "image_to_hidden", learning=carry)) == [
        "projection 'image_to_hidden'  required: weight form chip ('RUN')    given: weight form carry (here)"
    ]
    assert told(_changed(untrained, "image_to_hidden", unit=2 * hidden.unit, weight_exp=1)) == [
        "projection 'image_to_hidden'  required: a unit of 0.078125 mV ('RUN')    "
        "given: a unit of 0.15625 mV (here)    hint: the limit, the threshold and the step decide it"
    ]
    assert told(_changed(untrained, "image_to_hidden", dense=False)) == [
        "projection 'image_to_hidden'  required: 1280 synapses ('RUN')    "
        "given: 1280 synapses, between other neurons (here)    "
        "hint: they are drawn: use the same seed and connectivity"
    ]


def test_an_untrained_artifact_has_nothing_to_start_with(untrained: ChipProgram) -> None:
    with pytest.raises(BurstchipError, match="BC650.*'net.burst' has no learned weights"):
        with_weights_of(untrained, untrained, "net.burst")
