"""Where an experiment that runs a network gets from real numbers to integers: the further runs."""

from __future__ import annotations

from burstchip.arguments import Overrides
from burstchip.experiments.checked import Checked
from burstchip.experiments.experiment import Experiment
from burstchip.experiments.running import NO_OVERRIDES, Outcome, Watch, run_experiment
from burstchip.experiments.stages import STAGES, Errors, Stage, shares_between

#: The backend of the further runs.
BACKEND = "reference"


def errors_of(
    outcome: Outcome, *, overrides: Overrides = NO_OVERRIDES, watch: Watch | None = None, threads: int = 1
) -> Errors:
    """What each stage changes in an experiment that has run in integers: further runs, in real numbers."""
    one = outcome.experiment
    assert isinstance(one, Experiment) and outcome.step_ms is not None, "it ran a network"
    integer_step = outcome.step_ms

    def real(stage: Stage) -> tuple[Checked, ...]:
        step = one.description.step if stage.own_step else integer_step

        def tell(which: str, done: int, total: int) -> None:
            if watch is not None:
                watch(f"{stage.label(step)}, {which}", done, total)

        return run_experiment(
            one,
            backend=BACKEND,
            seeds=outcome.seeds,
            step_ms=step,
            overrides=overrides,
            watch=tell,
            threads=threads,
            rounded=stage.rounded,
            drawn=False,
        ).checks

    return Errors(BACKEND, STAGES, shares_between([*map(real, STAGES), outcome.checks]))
