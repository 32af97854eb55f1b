"""The 8 x 8 handwritten digits that scikit-learn carries (UCI Optical Recognition of Handwritten Digits)."""

from __future__ import annotations

import numpy as np

from burstchip.tasks.dataset import MAXIMUM, Dataset
from burstchip.tasks.kept_split import Arrays, keep_split, kept_split
from hw_models.diagnostics import BurstchipError, Diagnostic

TEST_SAMPLES = 360


def load_digits(split: int) -> Dataset:
    """1437 training and 360 test images, stratified by class; `split` (0 .. 2^32 - 1) seeds the draw.

    Both sets keep the order in which `train_test_split` returns them, since results depend on it.
    Raises `BurstchipError` (BC528) for a split that is out of range.
    """
    if not 0 <= split < 2**32:
        raise BurstchipError(
            Diagnostic(
                id="BC528",
                message="the split of the digits is out of range",
                required="an integer from 0 to 4294967295",
                given=str(split),
            )
        )
    arrays = kept_split("digits", split)
    if arrays is None:
        arrays = _draw(split)
        keep_split("digits", split, arrays)
    return Dataset(
        name="digits",
        train_images=arrays["train_images"],
        train_labels=arrays["train_labels"].astype(np.int64),
        test_images=arrays["test_images"],
        test_labels=arrays["test_labels"].astype(np.int64),
        shape=(8, 8),
        maximum=MAXIMUM["digits"],
        n_classes=10,
    )


def _draw(split: int) -> Arrays:
    import sklearn.datasets
    from sklearn.model_selection import train_test_split

    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    parts = train_test_split(images, labels, test_size=TEST_SAMPLES, stratify=labels, random_state=split)
    names = ("train_images", "test_images", "train_labels", "test_labels")
    return {name: part.astype(np.uint8) for name, part in zip(names, parts, strict=True)}
