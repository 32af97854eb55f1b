"""What an experiment was to show, with what each seed showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from burstchip.experiments.experiment import Check


@dataclass(frozen=True)
class Checked:
    """A check with the quantity of each seed."""

    check: Check
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over all seeds."""
        return float(np.mean(self.values))

    @property
    def spread(self) -> float:
        """The standard deviation over seeds; 0 for one, and where all are the same."""
        # A mean of equal numbers may differ from them in its last digit.
        return float(np.std(self.values, ddof=1)) if len(set(self.values)) > 1 else 0.0

    @property
    def passes(self) -> bool:
        """Whether the mean is accepted, as any is without bounds."""
        return not self.check.bounded or self.check.passes(self.mean)


def checked(checks: Sequence[Check], measured: Sequence[Mapping[str, float]]) -> tuple[Checked, ...]:
    """The checks with what was measured with each seed."""
    return tuple(Checked(it, tuple(found[it.quantity] for found in measured)) for it in checks)
