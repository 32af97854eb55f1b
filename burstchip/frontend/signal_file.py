"""The rows of a signal from a file of numbers: `.npy`, or `.csv` with one row a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.frontend.fields import Fields
from burstchip.frontend.kinds import QuantityOf
from burstchip.frontend.report import Report
from burstchip.frontend.scalars import range_of, unit_scale
from hw_models.neurons.model import BASE_UNITS, Variable

#: Numbers that a file may hold; more belong into a stream.
MOST_NUMBERS = 1 << 24


def read_signal_file(
    fields: Fields, folder: Path, size: int | None, variable: Variable, report: Report
) -> NDArray[np.float64] | None:
    """The rows [row] or [row, neuron] in base units; reports a file that cannot be used and returns None."""
    name, unit = fields.get("file", str), fields.get("unit", str)
    assert name is not None and unit is not None
    path = folder / name

    def wrong(message: str, required: str, given: str) -> None:
        at, label = fields.nodes["file"], fields.name_of("file")
        report.add("BC173", at, f"{label}: {message}", required=required, given=given)

    scale = unit_scale(unit, variable.dimension, fields.nodes["unit"], fields.name_of("unit"), report)
    try:
        if path.suffix == ".npy":
            loaded = np.load(path, allow_pickle=False, mmap_mode="r")
        elif path.suffix == ".csv":
            loaded = np.loadtxt(path, delimiter=",", dtype=np.float64, ndmin=1, max_rows=MOST_NUMBERS)
        else:
            wrong("not a file of numbers", "a .npy or .csv file", f"'{name}'")
            return None
    except (OSError, ValueError, EOFError, UnicodeDecodeError) as reason:
        missing = not path.exists()
        given = "the file is missing" if missing else (str(reason).splitlines() or ["unreadable"])[0]
        wrong("the file cannot be read", "numbers, [row] or [row, neuron]", f"'{path}': {given}")
        return None
    kind = getattr(loaded, "dtype", np.dtype(object)).kind
    if kind not in "iuf" or loaded.ndim not in (1, 2) or not 0 < loaded.size <= MOST_NUMBERS:
        wrong(
            "the file does not hold the rows of a signal",
            f"1 to {MOST_NUMBERS} real numbers, [row] or [row, neuron]",
            f"{loaded.dtype} {list(loaded.shape)}",
        )
        return None
    # A flag is one for all neurons.
    size = size if variable.parameter or variable.dimension != "number" else 1
    if loaded.ndim == 2 and size is not None and loaded.shape[1] not in (1, size):
        wrong("the rows do not fit the population", f"[row, {size}]", f"{list(loaded.shape)}")
        return None
    rows = np.array(loaded, dtype=np.float64)
    rows = rows[:, 0] if rows.ndim == 2 and rows.shape[1] == 1 else rows
    if not np.isfinite(rows).all():
        wrong("a number is not finite", "finite numbers", str(rows[~np.isfinite(rows)][0]))
        return None
    if scale is None:
        return None
    rows = rows * scale
    low, high = variable.minimum, variable.maximum
    beyond = (rows < (-np.inf if low is None else low)) | (rows > (np.inf if high is None else high))
    if beyond.any():
        required = range_of(QuantityOf(variable.dimension, low, high))
        unit = BASE_UNITS[variable.dimension]
        wrong("a number is out of range", required, f"{rows[beyond][0]:.12g} {unit}".rstrip())
        return None
    return rows
