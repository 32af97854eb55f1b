"""The runs between what was published and the chip's integers, and what each stage adds to a quantity.

`STAGES` is the one list of them, `LEARNING_STAGES` where weights learn for long: runs, tables and pictures
follow it. Each share is the difference of two means over the same seeds, so that they add up to the whole.
Runs part from one another within some hundred steps; what chance alone makes of a quantity is its spread over
seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from burstchip.error_shares import with_rounded_parameters, with_whole_weights
from burstchip.experiments.checked import Checked
from burstchip.experiments.experiment import Check, Drawing
from compiler.ir.chip_program import ChipProgram

#: Makes of a program for the chip one of real numbers that has some of what the chip rounds.
Rounding = Callable[[ChipProgram], ChipProgram]


@dataclass(frozen=True)
class Stage:
    """A run, by what it has in place of what the stage before it has.

    `name` is that of its share in results and of its folder of checkpoints, `short` and `heading` head the
    columns on a terminal and a page, `what` is in legends, before the step, and `about` in a sentence. Two of
    one `what` at one step are the same run.
    """

    name: str
    short: str
    heading: str
    what: str
    about: str
    #: Whether its step is the experiment's for real numbers, in place of that of the integers.
    own_step: bool = False
    #: What is rounded; without it the network is compiled for no chip, and nothing is.
    rounded: Rounding | None = None

    def label(self, step_ms: float) -> str:
        """In a legend, of a run at a step."""
        return f"{self.what}, {step_ms:g} ms"


#: The runs in real numbers, from what was published on; the integers come after them.
STAGES = (
    Stage(
        "exact",
        "real",
        "Real numbers, its own step",
        "real numbers",
        "real numbers at the experiment's own step",
        own_step=True,
    ),
    Stage("step", "step", "This step", "real numbers", "real numbers at the step of the integers"),
    Stage(
        "parameter",
        "parameters",
        "Rounded parameters",
        "rounded parameters",
        "with the parameters and weights that these stand for",
        rounded=with_rounded_parameters,
    ),
)
#: Those of a network whose weights learn for long.
LEARNING_STAGES = (
    *STAGES,
    Stage(
        "weight",
        "weights",
        "Whole weights",
        "whole weights",
        "with weights that are whole numbers of the chip while they learn",
        rounded=with_whole_weights,
    ),
)
INTEGERS = Stage("state", "states", "Rounded states", "integers", "the integers")


@dataclass(frozen=True)
class Shares:
    """Of one check: the quantity in real numbers at the experiment's own step, and what each stage adds.

    `chance` is the standard error of a difference of two such means, NaN for a single seed.
    """

    check: Check
    exact: float
    parts: tuple[float, ...]
    chance: float


@dataclass(frozen=True)
class Errors:
    """How an experiment gets from real numbers, of `backend`, through `stages` to integers.

    Where a protocol was followed `drawing` has the costs of all stages, and `recorded` netCDF files by name.
    """

    backend: str
    stages: tuple[Stage, ...]
    shares: tuple[Shares, ...]
    drawing: Drawing | None = None
    recorded: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def added(self) -> tuple[Stage, ...]:
        """What adds a share, the integers last."""
        return (*self.stages[1:], INTEGERS)


def shares_between(chain: Sequence[Sequence[Checked]]) -> tuple[Shares, ...]:
    """The shares of each check; `chain` has the checks of the stages, in their order, and of the integers."""
    found = []
    for runs in zip(*chain, strict=True):
        means = [it.mean for it in runs]
        parts = tuple(after - before for before, after in pairwise(means))
        found.append(Shares(runs[0].check, means[0], parts, _error_of_difference(runs[0], runs[-1])))
    return tuple(found)


def _error_of_difference(one: Checked, other: Checked) -> float:
    count = len(one.values)
    return float(np.sqrt((one.spread**2 + other.spread**2) / count)) if count > 1 else float("nan")
