"""Run an experiment that follows its network's protocol: seeds side by side, interrupted and resumed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from burstchip.arguments import Overrides
from burstchip.backends.available import REAL
from burstchip.experiments.experiment import Check, Option, ProtocolExperiment
from burstchip.experiments.running import NO_OVERRIDES, Outcome, Watch, checked, compiled
from burstchip.report.style import figure_style
from burstchip.running.recording import clipped_inputs
from burstchip.tasks.protocol.plan import plan_of
from burstchip.tasks.protocol.results import recording
from burstchip.tasks.protocol.seeds import SeedFolder, Workers, follow_seeds
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes({"BC717": "an unknown variant of an experiment"})

#: The check of a variant that has none of its own.
SOLVED = "solved"


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


def run_protocol_experiment(
    it: ProtocolExperiment,
    folder: Path,
    *,
    backend: str = "reference",
    seeds: Sequence[int] | None = None,
    step_ms: float | None = None,
    variant: str | None = None,
    overrides: Overrides = NO_OVERRIDES,
    resume: bool = False,
    workers: Workers | None = None,
    watch: Watch | None = None,
    threads: int = 1,
) -> Outcome:
    """Follow the protocol with all seeds; their checkpoints are in `checkpoints_of(folder)`.

    Raises `BurstchipError`: BC717 for an unknown variant, BC722 where `resume` finds other programs, and
    those of compiling and following.
    """
    option = variant_of(it, variant)
    description = it.description
    step = step_ms or (description.step if backend in REAL else description.integer_step)
    settings = {**it.settings(step, option.rate), **option.set, **overrides}
    programs: dict[int, ChipProgram] = {}
    messages: dict[str, Diagnostic] = {}
    for seed in range(1, description.seeds + 1) if seeds is None else seeds:
        programs[seed], found = compiled(it.network, step, seed, settings, exact=backend in REAL)
        messages |= {str(message): message for message in found}
    first = next(iter(programs.values()))
    assert first.protocol is not None, f"{it.name} has no protocol"
    folders = {}
    for seed, code in programs.items():
        one = SeedFolder(checkpoints_of(folder) / f"seed_{seed}", backend, threads)
        one.prepare(code, resume=resume)
        folders[f"seed {seed}"] = one
    total = plan_of(first.protocol, first.step_ms, first.seed).total
    done = follow_seeds(folders, total, workers or Workers(), watch)
    finished = dict(zip(programs, done.values(), strict=True))
    for code, one_ in zip(programs.values(), finished.values(), strict=True):
        messages |= {str(message): message for message in clipped_inputs(code, one_.clipped)}
    followed = [one_.followed for one_ in finished.values()]
    measured = tuple({**it.measure(one_.followed), "seconds": one_.seconds} for one_ in finished.values())
    with figure_style():
        drawing = it.draw(followed)
    artifacts = tuple(artifact_sha256(code) for code in programs.values())
    return Outcome(
        it,
        backend,
        step,
        tuple(programs),
        artifacts,
        (),
        measured,
        checked(checks_of(it, option), measured),
        drawing,
        tuple(messages.values()),
        recorded=recording(first.name, backend, finished, artifacts),
        variant="" if variant is None else f"{variant}: {option.about}",
    )


def forget_checkpoints(folder: Path) -> None:
    """Remove the checkpoints, once the results are written."""
    shutil.rmtree(checkpoints_of(folder), ignore_errors=True)
