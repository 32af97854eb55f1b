"""Samples of a user's own: a row of numbers or a picture each, from a `.npz` or `.npy` file or from Python.

    .npz   `x`, [sample, feature] or [sample, row, column], and, where there are labels, `y`, [sample]
    .npy   what `x` is there

Nothing is unpickled, and sizes are known, and limited, before an array is read.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC655": "a file of samples that cannot be read",
        "BC656": "samples that are not numbers in a shape that samples have",
        "BC657": "labels that do not belong to the samples",
    }
)

#: Numbers that one array may hold: as much as 85,000 pictures of 28 x 28.
MOST_NUMBERS = 1 << 26
#: The arrays of a `.npz` file: the values, and what they are labelled with.
VALUES, LABELS = "x", "y"


@dataclass(frozen=True)
class Samples:
    """Samples as [sample, feature], finite and real; labels are whole numbers from 0, one for each.

    A picture is a row of its pixels, row by row; `shape` is that of one sample, (feature,) or (row, column).
    """

    values: NDArray[Any]
    labels: NDArray[np.int64] | None
    shape: tuple[int, ...]


def read_samples(path: Path) -> Samples:
    """The samples of a file. Raises `BurstchipError` BC655 to BC657 for what they cannot be."""
    if path.suffix not in (".npz", ".npy"):
        raise _unreadable(path, f"a file called '{path.name}'")
    try:
        arrays = _zipped(path) if path.suffix == ".npz" else {VALUES: _plain(path)}
    except OSError as reason:
        raise _unreadable(path, str(reason.strerror or reason)) from None
    except (
        ValueError,
        EOFError,
        KeyError,
        TypeError,
        SyntaxError,
        OverflowError,
        NotImplementedError,
        RuntimeError,
        MemoryError,
        zipfile.BadZipFile,
        zlib.error,
    ) as reason:
        given = (str(reason).splitlines() or [""])[0] or type(reason).__name__
        raise _unreadable(path, given) from None
    unknown = sorted(arrays.keys() - {VALUES, LABELS})
    if VALUES not in arrays or unknown:
        raise BurstchipError(
            Diagnostic(
                "BC656",
                f"'{path}' does not hold samples",
                required=f"an array '{VALUES}' and, where there are labels, '{LABELS}'; no other",
                given=", ".join(f"'{name}'" for name in sorted(arrays)) or "no array",
                hint=f"numpy.savez(FILE, {VALUES}=values, {LABELS}=labels)",
            )
        )
    return samples_of(arrays[VALUES], arrays.get(LABELS), f"'{path}'")


def samples_of(values: ArrayLike, labels: ArrayLike | None = None, where: str = "the samples") -> Samples:
    """Arrays as samples; messages call them `where`. Raises `BurstchipError` BC656, BC657."""
    array = np.asarray(values)
    if array.dtype.kind not in "buif" or array.ndim not in (2, 3) or not 0 < array.size <= MOST_NUMBERS:
        one = array.ndim == 1 and array.dtype.kind in "buif"
        raise BurstchipError(
            Diagnostic(
                "BC656",
                f"{where}: the values are not those of samples",
                required=f"1 to {MOST_NUMBERS:,} real numbers, [sample, feature] or [sample, row, column]",
                given=f"{array.dtype} {list(array.shape)}",
                hint="values[numpy.newaxis] makes one sample of a row" if one else None,
            )
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        sample = int(np.argwhere(~np.isfinite(array))[0][0])
        raise BurstchipError(
            Diagnostic(
                "BC656",
                f"{where}: a value is not finite",
                required="finite numbers",
                given=f"{array[sample][~np.isfinite(array[sample])][0]} in sample {sample}",
            )
        )
    shape = tuple(int(length) for length in array.shape[1:])
    return Samples(array.reshape(len(array), -1), _labels(labels, len(array), where), shape)


def _labels(labels: ArrayLike | None, count: int, where: str) -> NDArray[np.int64] | None:
    if labels is None:
        return None
    array = np.asarray(labels)
    whole = array.dtype.kind in "ui" and array.shape == (count,)
    # 64 bits hold no more.
    if not whole or int(array.min()) < 0 or int(array.max()) >= 1 << 31:
        given = f"{array.dtype} {list(array.shape)}"
        if whole:
            given = f"from {array.min()} to {array.max()}"
        raise BurstchipError(
            Diagnostic(
                "BC657",
                f"{where}: the labels do not belong to the samples",
                required=f"a whole number from 0 for each of {count:,} samples",
                given=given,
            )
        )
    return array.astype(np.int64)


def _plain(path: Path) -> NDArray[Any]:
    with path.open("rb") as file:
        return _array(file, path.name)


def _zipped(path: Path) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(names) > 16 or len(set(names)) < len(names):
            raise ValueError(f"{len(names)} arrays, or several of one name")
        for name in names:
            with archive.open(name) as file:
                found[name.removesuffix(".npy")] = _array(file, name)
    return found


def _array(file: IO[bytes], name: str) -> NDArray[Any]:
    """One array, whose header is looked at before its numbers are read."""
    # These functions of numpy have no types.
    form: Any = np.lib.format
    kinds = {(1, 0): form.read_array_header_1_0, (2, 0): form.read_array_header_2_0}
    version = form.read_magic(file)
    if version not in kinds:
        raise ValueError(f"'{name}' is in version {version} of the format, not 1.0 or 2.0")
    shape, fortran, dtype = kinds[version](file)
    if dtype.hasobject:
        raise ValueError(f"'{name}' holds Python objects, which are not read")
    count = prod(shape)
    if not 0 <= count <= MOST_NUMBERS or dtype.itemsize > 16:
        raise ValueError(f"'{name}' holds {dtype} {list(shape)}, above the limit of {MOST_NUMBERS:,} numbers")
    data = file.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize or file.read(1):
        raise ValueError(f"'{name}' is shorter or longer than its header says")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _unreadable(path: Path, given: str) -> BurstchipError:
    return BurstchipError(
        Diagnostic(
            "BC655",
            f"the samples in '{path}' cannot be read",
            required=f"a .npz file with '{VALUES}' and '{LABELS}', or a .npy file, as numpy writes them",
            given=given,
        )
    )
