"""How an experiment's quantities get from real numbers to integers: by the step, and by rounding.

    step       real numbers at the step of the integers, against real numbers at the experiment's own
    parameter  the parameters and weights that the integers stand for, still in real numbers
    state      the integers themselves

Each is the difference of two means over the same seeds, so that they add up to the whole. Runs part from one
another within some hundred steps; what chance alone makes of a quantity is its spread over seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from burstchip.arguments import Overrides
from burstchip.experiments.experiment import Check, Experiment
from burstchip.experiments.running import NO_OVERRIDES, Checked, Outcome, Watch, run_experiment


@dataclass(frozen=True)
class Shares:
    """Of one check: the quantity in real numbers at the experiment's own step, and what each stage adds.

    `chance` is the standard error of a difference of two such means, NaN for a single seed.
    """

    check: Check
    exact: float
    step: float
    parameter: float
    state: float
    chance: float


def shares_of(
    outcome: Outcome, *, overrides: Overrides = NO_OVERRIDES, watch: Watch | None = None, threads: int = 1
) -> tuple[Shares, ...]:
    """The shares of an experiment that has run in integers: three further runs, in real numbers."""
    one = outcome.experiment
    assert isinstance(one, Experiment), "it ran a network"

    def real(what: str, step_ms: float | None, *, rounded: bool = False) -> tuple[Checked, ...]:
        def tell(which: str, done: int, total: int) -> None:
            if watch is not None:
                watch(f"{what}, {which}", done, total)

        return run_experiment(
            one,
            seeds=outcome.seeds,
            step_ms=step_ms,
            overrides=overrides,
            watch=tell,
            threads=threads,
            rounded=rounded,
        ).checks

    exact = real("real numbers", None)
    at_step = real("at this step", outcome.step_ms)
    rounded = real("rounded parameters", outcome.step_ms, rounded=True)
    return tuple(
        Shares(
            one.check,
            one.mean,
            two.mean - one.mean,
            three.mean - two.mean,
            four.mean - three.mean,
            _error_of_difference(one, four),
        )
        for one, two, three, four in zip(exact, at_step, rounded, outcome.checks, strict=True)
    )


def _error_of_difference(one: Checked, other: Checked) -> float:
    count = len(one.values)
    return float(np.sqrt((one.spread**2 + other.spread**2) / count)) if count > 1 else float("nan")
