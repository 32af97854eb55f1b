"""Rows of numbers, [row] or [row, neuron], from a `.npy` file or a `.csv` file with one row a line."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

#: Numbers that a file may hold.
MOST_NUMBERS = 1 << 24
#: The greatest magnitude of one, as of those that a network's own text has (`burstchip.frontend.units`).
LARGEST = 1e15


#: numpy reads the header of a `.npy` file as Python's text, whose errors are its own.
_DAMAGED = (
    OSError,
    ValueError,
    TypeError,
    EOFError,
    SyntaxError,
    TokenError,
    OverflowError,
    RecursionError,
)


@dataclass(frozen=True)
class Unusable:
    """Why a file has no rows."""

    message: str
    required: str
    given: str


def _lines(file: TextIO) -> Iterator[str]:
    """The lines of a table, as long as they hold no more numbers than a file may.

    numpy's own limit of rows takes the memory of so many at once, each as wide as the first.
    """
    numbers = 0
    for line in file:
        numbers += line.count(",") + 1 if line.strip() else 0
        if numbers > MOST_NUMBERS:
            raise ValueError(f"more than {MOST_NUMBERS} numbers")
        yield line


def load_rows(path: Path, shape: str = "[row] or [row, neuron]") -> NDArray[np.float64] | Unusable:
    """The finite numbers of a file, or why they cannot be read; `shape` tells in messages how they lie."""
    try:
        if path.suffix == ".npy":
            loaded = np.load(path, allow_pickle=False, mmap_mode="r")
            if not isinstance(loaded, np.ndarray):
                raise ValueError("an archive of several arrays")
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8") as file, warnings.catch_warnings():
                # A file without numbers is refused below.
                warnings.simplefilter("ignore", UserWarning)
                loaded = np.loadtxt(_lines(file), delimiter=",", dtype=np.float64, ndmin=2)
        else:
            return Unusable("the file is of another kind", "a .npy or .csv file", f"'{path.name}'")
    except _DAMAGED as reason:
        missing = not path.exists()
        given = "the file is missing" if missing else (str(reason).splitlines() or ["unreadable"])[0]
        return Unusable("the file cannot be read", f"numbers, {shape}", f"'{path}': {given}")
    real = loaded.dtype.kind in "iuf" and loaded.dtype.itemsize <= 8
    if not real or loaded.ndim not in (1, 2) or not 0 < loaded.size <= MOST_NUMBERS:
        return Unusable(
            "the file does not hold rows of numbers",
            f"1 to {MOST_NUMBERS} real numbers, {shape}",
            f"{loaded.dtype} {list(loaded.shape)}",
        )
    rows = np.array(loaded, dtype=np.float64)
    rows = rows[:, 0] if rows.ndim == 2 and rows.shape[1] == 1 else rows
    if not np.isfinite(rows).all():
        place = tuple(np.argwhere(~np.isfinite(rows))[0])
        given = f"{rows[place]} in row {place[0] + 1}"
        return Unusable("a number is not finite", "finite numbers", given)
    if (beyond := np.abs(rows) > LARGEST).any():
        place = tuple(np.argwhere(beyond)[0])
        return Unusable(
            "a number is too large", f"at most {LARGEST:g}", f"{rows[place]:.6g} in row {place[0] + 1}"
        )
    return rows
