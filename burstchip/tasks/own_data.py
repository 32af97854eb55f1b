"""A user's own labelled samples as a data set: checked, split where that is asked for, their range known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.tasks.dataset import Dataset
from burstchip.tasks.npz_file import error, file_sha256, read_arrays
from compiler.ir.network import DataFile
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.program.random import at, key

register_codes(
    {
        "BC673": "a value of one's own data is not finite",
        "BC674": "a label of one's own data is not a class",
        "BC675": "a class of one's own data has too few samples",
        "BC677": "the range of one's own data is none",
        "BC678": "values of one's own data are beyond their range and were clipped",
        "BC679": "a data file is another than when the network was compiled",
    }
)

Arrays = Mapping[str, NDArray[Any]]

#: Numbers that are looked at together.
_LOOKED_AT = 1 << 20
#: Arrays of a file: all samples, or training and test set.
TOGETHER = frozenset({"x", "y"})
APART = frozenset({"x_train", "y_train", "x_test", "y_test"})


@dataclass(frozen=True)
class Reading:
    """How arrays become a data set.

    `test_share` of the samples, drawn by the seed `split`, are for the test; None where the arrays are split
    already. Labels are 0 .. `classes` - 1, of which None knows no end. `range` is (least, greatest) value,
    None that of the training set.
    """

    test_share: float | None
    split: int
    classes: int | None
    range: tuple[float, float] | None = None


def read_own_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a data file. Raises `BurstchipError` BC670, BC671, BC672, BC676."""
    # Held once as they are, once split and once in the order of an epoch.
    return read_arrays(path, (TOGETHER, APART), copies=3)


def own_dataset(name: str, arrays: Arrays, reading: Reading) -> Dataset:
    """The data set of these arrays.

    A warning (BC678) counts values beyond the range, which are clipped to it; another (BC675) names classes
    that the test set lacks. Raises `BurstchipError`: BC672 for shapes that do not fit, BC673 for values that
    are not finite, BC674 for labels that are not classes, BC675 for a class without training samples, BC677
    for values that are all equal.
    """
    sets = ("_train", "_test") if arrays.keys() >= APART else ("",)
    values, labels = {}, {}
    for which in sets:
        values[which], labels[which] = _values(f"x{which}", arrays), _labels(which, arrays, reading.classes)
    first = values[sets[0]]
    for which in sets[1:]:
        if values[which].shape[1:] != first.shape[1:]:
            raise error(
                "BC672",
                f"the samples of 'x{sets[0]}' and 'x{which}' of '{name}' differ in shape",
                "samples of one shape",
                f"{list(first.shape[1:])} and {list(values[which].shape[1:])}",
            )
    found = 1 + max(int(labels[which].max()) for which in sets)
    classes = found if reading.classes is None else reading.classes
    _require_every_class(f"y{sets[0]}", labels[sets[0]], classes, fewest=2 if len(sets) == 1 else 1)
    if len(sets) == 1:
        assert reading.test_share is not None
        test = _drawn(labels[""], classes, reading.test_share, reading.split)
        parts = [(values[""][rows], labels[""][rows]) for rows in (~test, test)]
    else:
        parts = [(values[which], labels[which]) for which in sets]
    (train, train_labels), (tested, test_labels) = parts
    low, high = _range(name, train, reading.range)
    notes = [*_clipped(name, (train, tested), low, high), *_untested(name, test_labels, classes)]
    flat = [_within(images.reshape(len(images), -1), low, high) for images in (train, tested)]
    return Dataset(
        name=name,
        train_images=flat[0],
        train_labels=train_labels,
        test_images=flat[1],
        test_labels=test_labels,
        shape=tuple(first.shape[1:]),
        maximum=high,
        minimum=low,
        n_classes=classes,
        diagnostics=tuple(notes),
    )


def data_path(name: str, file: DataFile, data_dir: Path | None) -> Path:
    """Where a task's file is looked for: in the folder that was named, or where its own name leads."""
    return Path(file.folder) / name if data_dir is None else data_dir / Path(name).name


def load_own_data(name: str, file: DataFile, split: int, data_dir: Path | None = None) -> Dataset:
    """The data set of a task's file, in `data_dir` or where the network's file was.

    Raises `BurstchipError` BC679 where the file is another than when the network was compiled, and what
    reading it raises.
    """
    path = data_path(name, file, data_dir)
    try:
        found = file_sha256(path)
    except BurstchipError as problem:
        hint = "--data DIR names the folder that the file is in"
        raise BurstchipError([replace(it, hint=hint) for it in problem.diagnostics]) from None
    if found != file.sha256:
        raise error(
            "BC679",
            f"data file '{path}' is another than when the network was compiled",
            f"SHA-256 {file.sha256}",
            found,
            "compile the network again for these data",
        )
    reading = Reading(file.test_share, split, file.classes, (file.low, file.high))
    return own_dataset(name, read_own_arrays(path), reading)


def _values(array: str, arrays: Arrays) -> NDArray[Any]:
    values = arrays[array]
    if values.ndim not in (2, 3):
        raise error(
            "BC672",
            f"array '{array}' has the wrong shape",
            "[sample, feature] or [sample, row, column]",
            f"{list(values.shape)}",
        )
    if values.dtype.kind == "f":
        # Some samples after the other, lest a mask of all be built.
        some = max(1, _LOOKED_AT // max(1, values[0].size))
        for first in range(0, len(values), some):
            part = values[first : first + some]
            if not np.isfinite(part).all():
                place = tuple(np.argwhere(~np.isfinite(part))[0])
                raise error(
                    "BC673",
                    f"array '{array}' has a value that is not finite",
                    "finite numbers",
                    f"{part[place]} in sample {first + int(place[0])}",
                )
    return values.astype(np.uint8) if values.dtype.kind == "b" else values


def _labels(which: str, arrays: Arrays, classes: int | None) -> NDArray[np.int64]:
    name, labels, samples = f"y{which}", arrays[f"y{which}"], len(arrays[f"x{which}"])
    if labels.shape != (samples,):
        raise error(
            "BC672",
            f"array '{name}' has the wrong shape",
            f"one label for each sample of 'x{which}', [{samples}]",
            f"{list(labels.shape)}",
        )
    whole = np.isfinite(labels) & (labels == np.floor(labels)) if labels.dtype.kind == "f" else True
    # Numbers too large for an int64 are no classes either.
    most = (1 << 24) if classes is None else classes
    wrong = np.flatnonzero(~(whole & (labels >= 0) & (labels < most)))
    if len(wrong):
        raise error(
            "BC674",
            f"array '{name}' has a label that is not a class",
            "whole numbers from 0" if classes is None else f"whole numbers from 0 to {classes - 1}",
            f"{labels[wrong[0]]} for sample {wrong[0]}",
            None if classes is None else "the readout has one neuron for each class",
        )
    return labels.astype(np.int64)


def _require_every_class(array: str, labels: NDArray[np.int64], classes: int, fewest: int) -> None:
    """At least `fewest` samples of each class: one to learn and, where the test set is drawn, one to test."""
    counts = np.bincount(labels, minlength=classes)
    few = np.flatnonzero(counts < fewest)
    if len(few):
        raise error(
            "BC675",
            f"array '{array}' has too few samples of class {few[0]}",
            f"at least {fewest} of each class from 0 to {classes - 1}",
            f"{counts[few[0]]}" + (f"; {len(few) - 1} more classes have too few" if len(few) > 1 else ""),
            "the readout has one neuron for each class",
        )


def _untested(name: str, labels: NDArray[np.int64], classes: int) -> list[Diagnostic]:
    missing = np.flatnonzero(np.bincount(labels, minlength=classes) == 0)
    if not len(missing):
        return []
    listed = ", ".join(map(str, missing[:10])) + (", ..." if len(missing) > 10 else "")
    return [
        Diagnostic(
            "BC675",
            f"the test set of '{name}' has no sample of {len(missing)} of {classes} classes",
            severity="warning",
            required="samples of every class",
            given=f"none of class {listed}",
        )
    ]


def _drawn(labels: NDArray[np.int64], classes: int, share: float, split: int) -> NDArray[np.bool_]:
    """Which samples are for the test: of each class this share, at least one and never all."""
    test = np.zeros(len(labels), dtype=np.bool_)
    order = np.argsort(labels, kind="stable")
    bounds = np.cumsum(np.bincount(labels, minlength=classes))
    for label, of_class in enumerate(np.split(order, bounds[:-1])):
        count = min(max(int(np.floor(share * len(of_class) + 0.5)), 1), len(of_class) - 1)
        drawn = np.argsort(at(key(split, 0, label), np.arange(len(of_class))), kind="stable")
        test[of_class[drawn[:count]]] = True
    return test


def _range(name: str, train: NDArray[Any], wanted: tuple[float, float] | None) -> tuple[float, float]:
    low, high = (float(train.min()), float(train.max())) if wanted is None else wanted
    if not low < high or not isfinite(high - low):
        raise error(
            "BC677",
            f"the values of '{name}' have no range",
            "training samples with at least two different values",
            f"{low:.12g} to {high:.12g}",
        )
    return low, high


def _clipped(name: str, parts: tuple[NDArray[Any], ...], low: float, high: float) -> list[Diagnostic]:
    beyond = sum(int(np.count_nonzero(part < low) + np.count_nonzero(part > high)) for part in parts)
    if not beyond:
        return []
    return [
        Diagnostic(
            "BC678",
            f"{beyond} of {sum(part.size for part in parts)} values of '{name}' were clipped to the range",
            severity="warning",
            required=f"values from {low:.12g} to {high:.12g}",
            given=f"{min(part.min() for part in parts):.12g} to {max(part.max() for part in parts):.12g}",
            hint="'range' sets it; else it is that of the training set",
        )
    ]


def _within(images: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    if images.min() >= low and images.max() <= high:
        return images
    return np.asarray(np.clip(images, low, high))
