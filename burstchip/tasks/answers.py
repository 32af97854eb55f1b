"""What a trained network answered to the test samples, and pictures of those that it got wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.tasks.presentation import Pictures
from compiler.whole_file import write_whole

FILE = "answers.safetensors"

#: Pictures of wrong answers that are kept, the first ones of the test set.
MOST_PICTURES = 60


def write_answers(path: Path, pictures: Pictures, answers: NDArray[np.int64], shape: tuple[int, ...]) -> None:
    """Label and answer of every test sample; of the first wrong ones number and picture (0 to 255).

    `shape`, height and width of a sample, goes into the metadata; a sample that is not an image is one row.
    """
    from safetensors.numpy import save

    wrong = np.flatnonzero(answers != pictures.labels)[:MOST_PICTURES]
    above = pictures.images[wrong].astype(np.float64) - pictures.minimum
    shown = np.rint(above * (255 / (pictures.maximum - pictures.minimum)))
    tensors: dict[str, NDArray[Any]] = {
        "label": pictures.labels.astype(np.int32),
        "answer": answers.astype(np.int32),
        "wrong": wrong.astype(np.int32),
        "pictures": np.clip(shown, 0, 255).astype(np.uint8),
    }
    write_whole(path, save(tensors, metadata={"shape": json.dumps([1, *shape][-2:])}))
