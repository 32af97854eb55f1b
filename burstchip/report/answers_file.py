"""The answers to the test samples in a run folder, and pictures of samples that got a wrong one."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.report.problems import damaged
from compiler.tensor_file import TensorError, TensorFile
from hw_models.diagnostics import BurstchipError


@dataclass(frozen=True)
class Answers:
    """Label and answer of every test sample; numbers of wrong ones, and their pictures, 0 to 255.

    `pictures` is [wrong one, pixel]; `shape` is height and width of a sample.
    """

    label: NDArray[np.int64]
    answer: NDArray[np.int64]
    wrong: NDArray[np.int64]
    pictures: NDArray[np.uint8]
    shape: tuple[int, int]


def read_answers(path: Path) -> Answers:
    """The answers in the safetensors file `path`. Raises `BurstchipError` (BC635)."""
    try:
        file = TensorFile(path)
        read = {name: np.asarray(file.read(name)) for name in ("label", "answer", "wrong", "pictures")}
        return _answers(read, json.loads(file.metadata["shape"]))
    except (TensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        given = f"{type(error).__name__}: {error}".splitlines()[0]
        raise BurstchipError(damaged("BC635", path, "the answers to the test samples", given)) from error


def _answers(read: dict[str, NDArray[Any]], shape: object) -> Answers:
    sizes = shape if isinstance(shape, list) else []
    if len(sizes) != 2 or not all(type(size) is int and 0 < size < 1 << 24 for size in sizes):
        raise ValueError("the shape of a sample is not a height and a width")
    label, answer, wrong, pictures = (read[name] for name in ("label", "answer", "wrong", "pictures"))
    if any(it.dtype.kind != "i" or it.ndim != 1 for it in (label, answer, wrong)) or pictures.ndim != 2:
        raise ValueError("labels, answers and numbers are not lists of whole numbers")
    if len(label) == 0 or label.shape != answer.shape or pictures.dtype != np.uint8:
        raise ValueError(f"{len(label)} labels, {len(answer)} answers and pictures of {pictures.dtype}")
    if pictures.shape != (len(wrong), math.prod(sizes)):
        raise ValueError(f"{len(wrong)} pictures of {sizes} values have the shape {list(pictures.shape)}")
    if len(wrong) and not (wrong.min() >= 0 and wrong.max() < len(label)):
        raise ValueError("a picture of a sample that does not exist")
    found = Answers(
        label.astype(np.int64),
        answer.astype(np.int64),
        wrong.astype(np.int64),
        pictures.astype(np.uint8),
        (sizes[0], sizes[1]),
    )
    if not (found.label[found.wrong] != found.answer[found.wrong]).all():
        raise ValueError("a picture of a sample that was answered rightly")
    return found
