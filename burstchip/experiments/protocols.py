"""Run an experiment that follows its network's protocol: seeds side by side, interrupted and resumed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from burstchip.arguments import Overrides
from burstchip.backends.available import REAL, require_backend
from burstchip.experiments.checked import Checked, checked
from burstchip.experiments.experiment import Check, Drawing, Option, ProtocolExperiment
from burstchip.experiments.running import NO_OVERRIDES, Outcome, Watch, compiled
from burstchip.experiments.stages import (
    INTEGERS,
    LEARNING_STAGES,
    Errors,
    Rounding,
    Stage,
    shares_between,
)
from burstchip.report.protocol_pictures import draw_costs_beside, learning_part
from burstchip.report.style import WIDTH, figure_style, new_figure, picture, png
from burstchip.running.recording import clipped_inputs
from burstchip.tasks.protocol.followed import Followed
from burstchip.tasks.protocol.following import Finished
from burstchip.tasks.protocol.plan import plan_of
from burstchip.tasks.protocol.results import recording
from burstchip.tasks.protocol.seeds import SeedFolder, follow_seeds
from burstchip.workers import Workers
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes({"BC717": "an unknown variant of an experiment"})

#: The check of a variant that has none of its own.
SOLVED = "solved"
#: The backend of runs in real numbers beside integers: faster than `reference`, which the many rounds need.
BESIDE = "reference32"
#: The size of the picture of all costs in inches.
COSTS_SIZE = (WIDTH, 3.6)


def variant_of(it: ProtocolExperiment, name: str | None) -> Option:
    """The variant of a name, None: what was published. Raises `BurstchipError` BC717 for an unknown one."""
    if name is None:
        return Option(it.description.about, {}, checks=it.description.checks)
    known = tuple(it.description.options)
    if name not in known:
        raise BurstchipError(
            Diagnostic(
                "BC717",
                f"'{it.name}' has no variant '{name}'",
                required=" or ".join(known),
                given=name,
                hint=nearest(name, known),
            )
        )
    return it.description.options[name]


def checks_of(it: ProtocolExperiment, option: Option) -> tuple[Check, ...]:
    """What a variant is to show."""
    return option.checks or tuple(check for check in it.description.checks if check.quantity == SOLVED)


def checkpoints_of(folder: Path) -> Path:
    """Where seeds keep their checkpoints until the results are written."""
    return folder.with_name(f"{folder.name}.checkpoints")


@dataclass(frozen=True)
class _Leg:
    """One run of all seeds; `stage` is None for the one whose checks count."""

    stage: Stage | None
    backend: str
    step_ms: float
    rounded: Rounding | None = None

    def name(self, seed: int) -> str:
        """What is under way."""
        return f"seed {seed}" if self.stage is None else f"{self.stage.label(self.step_ms)}, seed {seed}"

    def path(self, checkpoints: Path, seed: int) -> Path:
        """The folder of a seed."""
        return (checkpoints if self.stage is None else checkpoints / self.stage.name) / f"seed_{seed}"


@dataclass(frozen=True)
class _Left:
    """What a leg left, by seed."""

    leg: _Leg
    programs: Mapping[int, ChipProgram]
    finished: Mapping[int, Finished]
    measured: tuple[Mapping[str, float], ...]
    checks: tuple[Checked, ...]

    @property
    def followed(self) -> list[Followed]:
        """Of all seeds."""
        return [it.followed for it in self.finished.values()]

    @property
    def artifacts(self) -> tuple[str, ...]:
        """Of all seeds."""
        return tuple(artifact_sha256(code) for code in self.programs.values())

    @property
    def recorded(self) -> bytes:
        """All of it in bins."""
        name = next(iter(self.programs.values())).name
        return recording(name, self.leg.backend, self.finished, self.artifacts)


def run_protocol_experiment(
    it: ProtocolExperiment,
    folder: Path,
    *,
    backend: str = "reference",
    seeds: Sequence[int] | None = None,
    step_ms: float | None = None,
    variant: str | None = None,
    overrides: Overrides = NO_OVERRIDES,
    errors: bool = False,
    resume: bool = False,
    workers: Workers | None = None,
    watch: Watch | None = None,
    threads: int = 1,
) -> Outcome:
    """Follow the protocol with all seeds; their checkpoints are in `checkpoints_of(folder)`.

    With `errors`, of a backend of integers, it is followed in each of `LEARNING_STAGES` too, with all seeds.

    Raises `BurstchipError`: BC717 for an unknown variant, BC722 where `resume` finds other programs, and
    those of compiling and following.
    """
    option = variant_of(it, variant)
    description = it.description
    step = step_ms or (description.step if backend in REAL else description.integer_step)
    legs = [_Leg(None, backend, step)]
    if errors:
        require_backend(BESIDE)
        legs += [
            _Leg(stage, BESIDE, description.step if stage.own_step else step, stage.rounded)
            for stage in LEARNING_STAGES
        ]
    chosen = tuple(range(1, description.seeds + 1) if seeds is None else seeds)
    programs: list[dict[int, ChipProgram]] = []
    messages: dict[str, Diagnostic] = {}
    for leg in legs:
        settings = {**it.settings(leg.step_ms, option.rate), **option.set, **overrides}
        programs.append({})
        for seed in chosen:
            code, found = compiled(it.network, leg.step_ms, seed, settings, leg.backend, leg.rounded)
            programs[-1][seed] = code
            messages |= {str(message): message for message in found}
    folders, steps = {}, {}
    for leg, compiled_ in zip(legs, programs, strict=True):
        for seed, code in compiled_.items():
            assert code.protocol is not None, f"{it.name} has no protocol"
            if leg.name(seed) in folders:
                continue
            one = SeedFolder(leg.path(checkpoints_of(folder), seed), leg.backend, threads)
            one.prepare(code, resume=resume)
            folders[leg.name(seed)] = one
            steps[leg.name(seed)] = plan_of(code.protocol, code.step_ms, code.seed).total
    done = follow_seeds(folders, steps, workers or Workers(), watch)
    left = [
        _left(it, option, leg, compiled_, {seed: done[leg.name(seed)] for seed in chosen})
        for leg, compiled_ in zip(legs, programs, strict=True)
    ]
    own = left[0]
    for seed, code in own.programs.items():
        found = clipped_inputs(code, own.finished[seed].clipped)
        messages |= {str(message): message for message in found}
    with figure_style():
        drawing = it.draw(own.followed)
    return Outcome(
        it,
        backend,
        step,
        chosen,
        own.artifacts,
        (),
        own.measured,
        own.checks,
        drawing,
        tuple(messages.values()),
        recorded=own.recorded,
        variant="" if variant is None else f"{variant}: {option.about}",
        errors=_errors(own, left[1:]) if errors else None,
    )


def _left(
    it: ProtocolExperiment,
    option: Option,
    leg: _Leg,
    programs: Mapping[int, ChipProgram],
    finished: Mapping[int, Finished],
) -> _Left:
    measured = tuple({**it.measure(one.followed), "seconds": one.seconds} for one in finished.values())
    return _Left(leg, programs, finished, measured, checked(checks_of(it, option), measured))


def _errors(integers: _Left, real: Sequence[_Left]) -> Errors:
    """What the stages changed, and one picture of all their costs."""
    shares = shares_between([it.checks for it in (*real, integers)])
    runs = {it.leg.stage.label(it.leg.step_ms): it.followed for it in real if it.leg.stage is not None}
    runs[INTEGERS.label(integers.leg.step_ms)] = integers.followed
    part = learning_part(integers.followed[0])
    last = {name: np.mean([one.costs(part)[-1] for one in found]) for name, found in runs.items()}
    with figure_style():
        figure = new_figure(*COSTS_SIZE)
        axes = figure.subplots()
        draw_costs_beside(axes, runs, part)
        axes.set_xlabel("epoch")
        title, said = "Cost over epochs", "; ".join(f"{name} {cost:.2f}" for name, cost in last.items())
        caption = "Thick: means. Thin: seeds." if len(integers.finished) > 1 else "One seed."
        panel = picture(figure, "costs", title, caption, f"The last epoch: {said}.")
        drawing = Drawing((panel,), png(figure))
    recorded = {it.leg.stage.name: it.recorded for it in real if it.leg.stage is not None}
    return Errors(BESIDE, LEARNING_STAGES, shares, drawing, recorded)


def forget_checkpoints(folder: Path) -> None:
    """Remove the checkpoints, once the results are written."""
    shutil.rmtree(checkpoints_of(folder), ignore_errors=True)
