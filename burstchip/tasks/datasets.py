"""The labelled images that a task learns, by name."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from burstchip.tasks.dataset import Dataset, DatasetName, FetchProgress
from compiler.ir.chip_program import TaskCode
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest


def load_dataset(
    name: str,
    *,
    split: int = 0,
    data_dir: Path | None = None,
    download: bool = False,
    progress: FetchProgress | None = None,
) -> Dataset:
    """The data set called `name`.

    `digits` (1797 images, 8 x 8) comes with scikit-learn and is split by `split`: 360 test samples,
    stratified by class. `mnist` (60,000 + 10,000 images, 28 x 28) has a test set of its own and is read
    from IDX files; see `burstchip.tasks.mnist` for where they are looked for. `download` allows fetching
    them into the cache folder, reported to `progress`; nothing else here uses the network.

    Raises `BurstchipError` (BC520 to BC529) for an unknown name or split, for files that are missing or
    damaged, and for an option that the data set does not read.
    """
    if name not in get_args(DatasetName):
        raise BurstchipError(
            Diagnostic(
                id="BC528",
                message=f"unknown data set '{name}'",
                required="one of " + ", ".join(get_args(DatasetName)),
                given=f"'{name}'",
                hint=nearest(name, get_args(DatasetName)),
            )
        )
    # Each loader is imported when it is wanted: scikit-learn alone takes a second.
    if name == "digits":
        from burstchip.tasks.digits import load_digits

        if data_dir is not None:
            raise _not_read(
                "digits",
                "a data folder",
                str(data_dir),
                "the digits come with scikit-learn; remove the option",
            )
        return load_digits(split)
    from burstchip.tasks.mnist import load_mnist

    if split != 0:
        raise _not_read("mnist", "a split other than 0", f"split {split}", "mnist has a test set of its own")
    return load_mnist(data_dir, download=download, progress=progress)


def task_dataset(
    task: TaskCode,
    *,
    data_dir: Path | None = None,
    download: bool = False,
    progress: FetchProgress | None = None,
) -> Dataset:
    """The data set of a task, one of `load_dataset` or a file of the user's own.

    Raises `BurstchipError` as `load_dataset` does, and BC670 to BC679 for a file.
    """
    if task.file is None:
        return load_dataset(
            task.data, split=task.split, data_dir=data_dir, download=download, progress=progress
        )
    from burstchip.tasks.own_data import load_own_data

    return load_own_data(task.data, task.file, task.split, data_dir)


def _not_read(name: str, what: str, given: str, hint: str) -> BurstchipError:
    return BurstchipError(
        Diagnostic(
            id="BC529",
            message=f"the data set '{name}' does not read {what}",
            required=f"no such option with '{name}'",
            given=given,
            hint=hint,
        )
    )
