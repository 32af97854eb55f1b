"""The samples of a task as a run is given them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shown:
    """The samples of a run, in order: images [sample, pixel] with their greatest intensity, and labels."""

    images: NDArray[np.uint8]
    maximum: int
    labels: NDArray[np.int64]
