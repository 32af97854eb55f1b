"""The rows of a signal from a file of numbers, in the unit that the network's file names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.files.rows import Unusable, load_rows
from burstchip.frontend.fields import Fields
from burstchip.frontend.kinds import QuantityOf
from burstchip.frontend.report import Report
from burstchip.frontend.scalars import range_of, unit_scale
from hw_models.neurons.model import BASE_UNITS, Variable


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
    rows = load_rows(path)
    if isinstance(rows, Unusable):
        wrong(rows.message, rows.required, rows.given)
        return None
    # A flag is one for all neurons.
    size = size if variable.parameter or variable.dimension != "number" else 1
    if rows.ndim == 2 and size is not None and rows.shape[1] != size:
        wrong("the rows do not fit the population", f"[row, {size}]", f"{list(rows.shape)}")
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
