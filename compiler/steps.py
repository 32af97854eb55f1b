"""Times in steps: the one rule for when a time is a whole number of them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def whole_steps(time_ms: float, step_ms: float) -> int | None:
    """`time_ms` in steps of `step_ms` (> 0), or None where it is not a whole number of them.

    A time within 1e-9 of a whole number, relative to the time or the step, is one: the division rounds.
    """
    steps = round(time_ms / step_ms)
    whole = math.isclose(steps * step_ms, time_ms, rel_tol=1e-9, abs_tol=1e-9 * step_ms)
    return steps if whole else None


def are_whole_steps(times_ms: NDArray[np.float64], step_ms: float) -> NDArray[np.bool_]:
    """For each of many times whether it is a whole number of steps, as `whole_steps` tells it."""
    whole = np.rint(times_ms / step_ms) * step_ms
    allowed = np.maximum(1e-9 * np.maximum(np.abs(whole), np.abs(times_ms)), 1e-9 * step_ms)
    found: NDArray[np.bool_] = np.abs(whole - times_ms) <= allowed
    return found
