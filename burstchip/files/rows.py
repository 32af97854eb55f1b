"""Rows of numbers, [row] or [row, neuron], from a `.npy` file or a `.csv` file with one row a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Numbers that a file may hold.
MOST_NUMBERS = 1 << 24


@dataclass(frozen=True)
class Unusable:
    """Why a file has no rows."""

    message: str
    required: str
    given: str


def load_rows(path: Path, shape: str = "[row] or [row, neuron]") -> NDArray[np.float64] | Unusable:
    """The finite numbers of a file, or why they cannot be read; `shape` tells in messages how they lie."""
    try:
        if path.suffix == ".npy":
            loaded = np.load(path, allow_pickle=False, mmap_mode="r")
        elif path.suffix == ".csv":
            loaded = np.loadtxt(path, delimiter=",", dtype=np.float64, ndmin=2, max_rows=MOST_NUMBERS + 1)
        else:
            return Unusable("the file is of another kind", "a .npy or .csv file", f"'{path.name}'")
    except (OSError, ValueError, EOFError, UnicodeDecodeError) as reason:
        missing = not path.exists()
        given = "the file is missing" if missing else (str(reason).splitlines() or ["unreadable"])[0]
        return Unusable("the file cannot be read", f"numbers, {shape}", f"'{path}': {given}")
    kind = getattr(loaded, "dtype", np.dtype(object)).kind
    if kind not in "iuf" or loaded.ndim not in (1, 2) or not 0 < loaded.size <= MOST_NUMBERS:
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
    return rows
