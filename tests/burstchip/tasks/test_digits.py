from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from burstchip.tasks.datasets import load_dataset
from hw_models.diagnostics import BurstchipError


def test_shapes_and_ranges() -> None:
    digits = load_dataset("digits", split=0)
    assert digits.train_images.shape == (1437, 64)
    assert digits.test_images.shape == (360, 64)
    assert digits.shape == (8, 8)
    assert digits.train_images.dtype == np.uint8
    assert digits.train_images.max() == digits.maximum == 16
    assert set(digits.test_labels.tolist()) == set(range(digits.n_classes))
    assert digits.diagnostics == ()


@pytest.mark.parametrize(
    ("split", "images", "labels"), [(0, 3142362505, 4166936904), (3, 2629289110, 2498100843)]
)
def test_the_order_of_the_training_samples_never_changes(split: int, images: int, labels: int) -> None:
    digits = load_dataset("digits", split=split)
    assert zlib.crc32(digits.train_images.tobytes()) == images
    assert zlib.crc32(digits.train_labels.astype("<i8").tobytes()) == labels


def test_every_image_is_in_one_of_the_sets_and_the_classes_are_balanced() -> None:
    digits = load_dataset("digits", split=4)
    all_images = np.concatenate([digits.train_images, digits.test_images])
    other = load_dataset("digits", split=2)
    all_of_other = np.concatenate([other.train_images, other.test_images])
    assert sorted(map(bytes, all_images)) == sorted(map(bytes, all_of_other))
    counts = np.bincount(digits.test_labels)
    assert counts.min() >= 34
    assert counts.max() <= 37


@pytest.mark.parametrize("split", [-1, 2**32])
def test_a_split_out_of_range(split: int) -> None:
    with pytest.raises(BurstchipError) as caught:
        load_dataset("digits", split=split)
    assert str(caught.value) == (
        "error[BC528]: the split of the digits is out of range\n"
        f"  required: an integer from 0 to 4294967295    given: {split}"
    )


def test_a_data_folder_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(BurstchipError) as caught:
        load_dataset("digits", split=0, data_dir=tmp_path)
    assert str(caught.value) == (
        "error[BC529]: the data set 'digits' does not read a data folder\n"
        f"  required: no such option with 'digits'    given: {tmp_path}    "
        "hint: the digits come with scikit-learn; remove the option"
    )


def test_an_unknown_data_set() -> None:
    with pytest.raises(BurstchipError) as caught:
        load_dataset("digit", split=0)
    assert str(caught.value) == (
        "error[BC528]: unknown data set 'digit'\n"
        "  required: one of digits, mnist    given: 'digit'    hint: did you mean: digits"
    )
