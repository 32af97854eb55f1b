from __future__ import annotations

import pytest

from compiler.passes.quantize_report import require_whole_steps
from compiler.steps import whole_steps
from hw_models.diagnostics import BurstchipError


@pytest.mark.parametrize(
    ("time", "step", "steps"),
    [(8.0, 1.0, 8), (0.3, 0.1, 3), (1e6, 0.1, 10_000_000), (0.0, 1.0, 0), (8.5, 1.0, None), (8.0, 3.0, None)],
)
def test_a_whole_number_up_to_the_rounding_of_the_division(
    time: float, step: float, steps: int | None
) -> None:
    assert whole_steps(time, step) == steps


def test_a_time_that_the_frontend_refuses_is_refused_by_the_pass() -> None:
    """The pass once allowed a thousand times more."""
    assert whole_steps(8.0000001, 1.0) is None
    with pytest.raises(BurstchipError, match="BC313"):
        require_whole_steps(8.0000001, 1.0, "'every'", None)
    assert whole_steps(8.000000001, 1.0) == require_whole_steps(8.000000001, 1.0, "'every'", None) == 8
