"""A task's file of the user's own samples: read, and checked against the keys and the readout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from burstchip.frontend.fields import Amount, Fields, Items
from burstchip.frontend.report import Report
from compiler.ir.network import DataFile
from hw_models.diagnostics import BurstchipError


def read_data_file(
    task: Fields, classes: int | None, report: Report
) -> tuple[str, DataFile] | tuple[None, None]:
    """(the file's name as written, the file); reports what cannot be used and returns (None, None).

    `classes` is the size of the readout, None where it is not known.
    """
    # Imported here: most networks have no data of their own.
    from burstchip.tasks.npz_file import file_sha256
    from burstchip.tasks.own_data import APART, Reading, own_dataset, read_own_arrays

    data = task.get("data", Fields)
    name = None if data is None else data.get("file", str)
    if data is None or name is None or data.lost("range") or task.lost("split", "test_share"):
        return None, None
    path = Path(report.file).parent / name
    try:
        sha256, arrays = file_sha256(path), read_own_arrays(path)
        own_test_set = arrays.keys() >= APART
        if not _check_split(task, name, own_test_set, report):
            return None, None
        split = task.get("split", int) or 0
        share = task.number("test_share")
        limits = _range(data, report)
        if limits is None and data.given("range"):
            return None, None
        found = own_dataset(name, arrays, Reading(share, split, classes, limits))
    except BurstchipError as problem:
        for message in problem.diagnostics:
            report.append(replace(message, place=report.place(data.nodes["file"])))
        return None, None
    for message in found.diagnostics:
        report.append(replace(message, place=report.place(data.nodes["file"])))
    values = found.train_images.shape[1]
    folder = str(Path(report.file).parent)
    return name, DataFile(sha256, values, found.n_classes, found.minimum, found.maximum, share, folder)


def _check_split(task: Fields, name: str, own_test_set: bool, report: Report) -> bool:
    """Whether the keys of the split fit the file: they are for one whose samples are not split yet."""
    if not own_test_set and not task.given("test_share"):
        report.add(
            "BC174",
            task.nodes["data"],
            f"{task.label} does not say which samples of '{name}' are for the test",
            required="'test_share', or a file with x_train, y_train, x_test, y_test",
            given="a file with x, y",
            hint="add for example test_share: 20 %",
        )
        return False
    unread = [key for key in ("test_share", "split") if own_test_set and task.given(key)]
    for key in unread:
        report.add(
            "BC174",
            task.nodes[key],
            f"{task.name_of(key)} is not read: '{name}' has a test set of its own",
            required=f"no '{key}', or a file with x, y",
        )
    return not unread


def _range(data: Fields, report: Report) -> tuple[float, float] | None:
    limits = data.get("range", Items)
    ends = [] if limits is None else [amount.value for _, amount, _ in limits.of(Amount)]
    if len(ends) != 2:
        return None
    if ends[0] >= ends[1]:
        report.add(
            "BC136",
            data.nodes["range"],
            f"{data.name_of('range')} has its ends in the wrong order",
            required="[least, greatest]",
        )
        return None
    return ends[0], ends[1]
