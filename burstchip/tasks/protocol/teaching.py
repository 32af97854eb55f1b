"""What a teacher adds, and what an answer costs: equations of `compiler.ir.protocol`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from compiler.ir.protocol import Teacher

Reals = NDArray[np.float64]

#: Answers are kept so far from 0 and 1, where the logarithm ends.
_NEAREST = 0.01


def taught(teacher: Teacher, target: int, rates: Reals) -> Reals:
    """What is added to the teacher's variable, [neuron], from running rates in Hz, [neuron]."""
    near_low, near_high = teacher.low + teacher.tolerance, teacher.high - teacher.tolerance
    # A distance below the tolerance is not divided by.
    if target:
        slope = teacher.tolerance / np.maximum(rates - teacher.low, teacher.tolerance)
        return np.where(rates >= near_high, 0.0, teacher.strength * slope)
    slope = teacher.tolerance / np.maximum(teacher.high - rates, teacher.tolerance)
    return np.where(rates <= near_low, 0.0, -teacher.strength * slope)


def answer(teacher: Teacher, rate: Reals) -> Reals:
    """Rates in Hz as answers from 0 to 1."""
    return np.asarray((rate - teacher.low) / (teacher.high - teacher.low))


def cost(teacher: Teacher, targets: NDArray[np.int64], rate: Reals) -> Reals:
    """The cross-entropy of mean rates in Hz, [judged]."""
    e = np.clip(answer(teacher, rate), _NEAREST, 1 - _NEAREST)
    return np.asarray(np.where(targets == 1, -np.log(e), -np.log(1 - e)))
