"""Predictions: what a training's own test reads out, and a word for samples that cannot be shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import burstchip
from burstchip.tasks.datasets import load_dataset
from burstchip.tasks.prediction import predict
from burstchip.tasks.presentation import pictures_of
from burstchip.tasks.showing import classify
from burstchip.tasks.trained import trained_artifact
from hw_models.diagnostics import BurstchipError

IMAGES = load_dataset("digits").test_images[:70]


@pytest.fixture(autouse=True)
def own_folders() -> None:
    """Unlike the tests of data sets, these keep the folder of compiled loops that all tests share."""


@pytest.fixture(scope="module")
def expected(trained: Path) -> NDArray[np.int64]:
    """What the test of a training reads out for these images."""
    test = pictures_of(load_dataset("digits"))[1]
    return classify(trained_artifact(trained), {}, test).predictions[:70]


def test_predictions_are_those_of_a_training(trained: Path, expected: NDArray[np.int64]) -> None:
    seen: list[tuple[int, int]] = []
    labels = load_dataset("digits").test_labels[:70]
    found = predict(trained, IMAGES.reshape(-1, 8, 8), labels, watch=lambda *it: seen.append(it))
    assert isinstance(found, burstchip.Predictions)
    np.testing.assert_array_equal(found.predicted, expected)
    assert seen == [(64, 70), (70, 70)]
    assert found.correct == np.count_nonzero(expected == labels)
    assert found.accuracy == found.correct / 70 and found.interval is not None
    assert found.interval[0] < found.accuracy < found.interval[1]
    assert (found.maximum, found.values, found.n_classes) == (16, (0, 16), 10)


def test_labels_change_nothing_and_need_not_be_known(trained: Path, expected: NDArray[np.int64]) -> None:
    found = predict(trained / "trained.burst", IMAGES)
    np.testing.assert_array_equal(found.predicted, expected)
    assert found.labels is found.correct is found.accuracy is found.interval is None


def test_fractions_of_full_intensity(trained: Path, expected: NDArray[np.int64]) -> None:
    found = predict(trained, IMAGES / 16, maximum=1)
    assert found.diagnostics == ()
    # A sixteenth is a whole number of steps of the grid: the same numbers are shown.
    np.testing.assert_array_equal(found.predicted, expected)


def test_other_backends(trained: Path, expected: NDArray[np.int64]) -> None:
    np.testing.assert_array_equal(predict(trained, IMAGES[:2], backend="plain").predicted, expected[:2])
    real = predict(trained, IMAGES, backend="reference").predicted
    # In real numbers the learned weights are not rounded, so that a few may differ.
    assert np.mean(real == expected) > 0.5


def test_faint_samples_are_told(trained: Path) -> None:
    (note,) = predict(trained, IMAGES[:1] / 16).diagnostics
    assert str(note) == (
        "warning[BC662]: the samples are shown faintly: the greatest value is 1, and 16 is full intensity\n"
        "  required: values in the scale of the training data    given: 0 to 1    "
        "hint: --maximum 1 where the values are fractions of full intensity"
    )


@pytest.mark.parametrize(
    ("values", "labels", "maximum", "message"),
    [
        (
            np.ones((2, 9, 7)),
            [3, 12],
            None,
            "error[BC658]: the samples do not fit the population 'image' of 'digits'\n"
            "  required: 64 values a sample    given: 63, 9 x 7\n"
            "error[BC658]: a label is of no neuron of the population 'readout' of 'digits'\n"
            "  required: labels from 0 to 9    given: 12 of sample 1",
        ),
        (
            np.full((1, 64), 255),
            None,
            None,
            "error[BC659]: values of the samples are beyond what the network is shown\n"
            "  required: 0 to 16, which is full intensity    given: 255 to 255    "
            "hint: --maximum 255 shows 255 at full intensity",
        ),
        (
            -np.ones((1, 64)),
            None,
            2.5,
            "error[BC659]: values of the samples are beyond what the network is shown\n"
            "  required: 0 to 2.5, which is full intensity    given: -1 to -1",
        ),
        (
            np.ones((1, 64)),
            None,
            0.0,
            "error[BC660]: full intensity cannot be\n"
            "  required: a finite number above 0, --maximum or `maximum`    given: 0",
        ),
    ],
)
def test_samples_that_cannot_be_shown(
    values: Any, labels: Any, maximum: float | None, message: str, trained: Path
) -> None:
    with pytest.raises(BurstchipError) as caught:
        predict(trained, values, labels, maximum=maximum)
    assert str(caught.value) == message


def test_weights_that_were_not_learned(trained: Path) -> None:
    with pytest.raises(BurstchipError) as caught:
        predict(trained / "net.burst", IMAGES)
    assert str(caught.value).endswith("given: weights that were not learned")


def test_a_data_set_of_unknown_intensity(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("burstchip.tasks.prediction.MAXIMUM", {})
    with pytest.raises(BurstchipError, match="BC660.*the value of full intensity is missing"):
        predict(trained, IMAGES)
