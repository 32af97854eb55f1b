"""The teacher's current is the one of the authors' simulation, and the slope of the cost."""

from __future__ import annotations

import numpy as np
import pytest

from burstchip.tasks.protocol.teaching import answer, cost, taught
from compiler.ir.protocol import Teacher

#: The paper's: 1000 pA, from 2 to 10 Hz, within 1 Hz.
TEACHER = Teacher("either", "output", "dendrite_bias", 2.0, 10.0, 1.0, 1000.0)


@pytest.mark.parametrize(
    ("target", "rate", "current"),
    [
        (1, 0.0, 1000.0),
        (1, 3.0, 1000.0),
        (1, 4.0, 500.0),
        (1, 8.9, 1000 / 6.9),
        (1, 9.0, 0.0),
        (1, 12.0, 0.0),
        (0, 0.0, 0.0),
        (0, 3.0, 0.0),
        (0, 3.1, -1000 / 6.9),
        (0, 6.0, -250.0),
        (0, 9.0, -1000.0),
        (0, 20.0, -1000.0),
    ],
)
def test_published_currents(target: int, rate: float, current: float) -> None:
    assert taught(TEACHER, target, np.array([rate]))[0] == pytest.approx(current)


@pytest.mark.parametrize("target", [0, 1])
def test_current_is_the_slope_of_the_cost(target: int) -> None:
    rates = np.linspace(3.5, 8.5, 11)
    near = 1e-5
    targets = np.full(rates.size, target)
    slope = (cost(TEACHER, targets, rates + near) - cost(TEACHER, targets, rates - near)) / (2 * near)
    # 1000 pA for a slope of one a tolerance.
    assert taught(TEACHER, target, rates) == pytest.approx(-1000 * slope, rel=1e-6)


def test_cost_of_a_sure_answer_is_bounded() -> None:
    assert answer(TEACHER, np.array([2.0, 10.0])).tolist() == [0.0, 1.0]
    assert cost(TEACHER, np.array([1, 0]), np.array([0.0, 30.0])) == pytest.approx(-np.log(0.01))
