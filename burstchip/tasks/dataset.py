"""Labelled images, and what can be wrong with their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hw_models.diagnostics import Diagnostic, register_codes

DatasetName = Literal["digits", "mnist"]

#: The value of a pixel at full intensity, by the name of a data set.
MAXIMUM: Mapping[str, int] = {"digits": 16, "mnist": 255}

#: Called while a file is fetched: file name, bytes so far, bytes in all (0 where the server does not say).
FetchProgress = Callable[[str, int, int], None]

register_codes(
    {
        "BC520": "a data file is missing",
        "BC521": "a data file cannot be read or unpacked",
        "BC522": "a data file is not in the IDX format or holds another kind of data",
        "BC523": "the length of a data file disagrees with its header",
        "BC524": "a data file is not the official one",
        "BC525": "a data set could not be fetched",
        "BC526": "images and labels of a data set do not belong together",
        "BC527": "the data folder cannot be used",
        "BC528": "a data set or split that does not exist",
        "BC529": "a data option that the data set does not read",
    }
)


@dataclass(frozen=True)
class Dataset:
    """Labelled samples, split into a training and a test set: grey images, or a user's own.

    `train_images` and `test_images` are [sample, value], of images with the pixels row by row; a value
    lies in `minimum` .. `maximum`. Labels lie in 0 .. `n_classes` - 1. `shape` is that of a sample: (height,
    width) in pixels, or (values,) of other samples. `name` is the data set's, or the file's.
    The order of the samples is part of the data: training order is drawn over these indices.
    `diagnostics` holds the warnings that loading gave rise to.
    """

    name: str
    train_images: NDArray[Any]
    train_labels: NDArray[np.int64]
    test_images: NDArray[Any]
    test_labels: NDArray[np.int64]
    shape: tuple[int, ...]
    maximum: float
    n_classes: int
    minimum: float = 0.0
    diagnostics: tuple[Diagnostic, ...] = ()

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        counts = f"{len(self.train_labels):,} training and {len(self.test_labels):,} test samples"
        return f"<Dataset '{self.name}': {counts} of {shape}, {self.n_classes} classes>"
