"""Learned weights for later use: the artifact `trained.burst` of a training, and what an interrupted one has.

Weights are all that is taken: neurons begin at rest, as in the tests of a training, and gather their running
averages again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.running.run import Run, open_run
from burstchip.tasks.checkpoint import (
    FILE,
    read_checkpoint,
    require_alike,
    require_same,
    typed_progress,
    unusable,
)
from burstchip.tasks.presentation import Pictures, Presentation
from compiler.artifact import artifact_sha256, load_artifact
from compiler.ir.chip_program import CARRY_HIGH, CARRY_LOW, ChipProgram, Learned, ProjectionCode
from compiler.learned_weights import learned_projection, with_weights
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

#: The artifact that a training starts with, and the one that it ends with.
UNTRAINED = "net.burst"
TRAINED = "trained.burst"

#: What learning may store.
_RANGES = {"chip": (-256, 255), "carry": (CARRY_LOW, CARRY_HIGH)}

register_codes(
    {
        "BC650": "a folder without learned weights",
        "BC651": "an artifact with the weights before training, though learned ones are beside it",
    }
)


@dataclass(frozen=True)
class Program:
    """A program to use, the SHA-256 of its artifact, and what is to be said of its weights."""

    code: ChipProgram
    sha256: str
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def note(self) -> str | None:
        """Where learned weights come from; None where nothing was learned."""
        return None if self.code.learned is None else self.code.learned.text


def trained_program(
    code: ChipProgram,
    run: Run,
    *,
    sha256: str,
    backend: str,
    frozen: Collection[str],
    epoch: int,
    samples: int,
) -> ChipProgram:
    """The program with the weights that `run`, a training of it, has learned; those of `frozen` stay.

    `sha256` is that of its artifact; `epoch` epochs are over, and `samples` of the next.
    """
    assert code.task is not None
    projections, rounded, tags = {}, 0, 0
    for projection in code.projections:
        if projection.learning is None or projection.name in frozen:
            continue
        stored = learned_values(code, run, projection.name)
        projections[projection.name], lost = learned_projection(projection, stored)
        rounded += lost
        if projection.learning.form == "chip":
            tags += int(np.count_nonzero(run.read(projection.name, "t")))
    learned = Learned(sha256, backend, epoch, code.task.epochs, samples, rounded, tags)
    return with_weights(code, projections, learned)


def learned_values(code: ChipProgram, run: Run, name: str) -> NDArray[Any]:
    """What learning stores of a projection, shaped like its weights."""
    projection, values = code.projection(name), run.read(name, "w")
    if not projection.dense:
        return values
    shape = (code.population(projection.source).size, code.population(projection.target).size)
    return values.reshape(shape).T


def load_program(path: str | Path) -> Program:
    """What to run, verify or deploy: an artifact, or of a run folder the artifact with its learned weights.

    Of a training that was interrupted it is that of the last checkpoint. Raises `BurstchipError` BC401 to
    BC404 for a file, BC650 for a folder without learned weights, BC565 and BC566 for a checkpoint that
    cannot be used.
    """
    path = Path(path)
    if not path.is_dir():
        code, sha256 = load_artifact(path)
        return Program(code, sha256, _passed_over(path, code))
    if (path / TRAINED).exists():
        code, sha256 = load_artifact(path / TRAINED)
        if code.learned is None:
            raise none_learned(path, f"a {TRAINED} with weights that were not learned")
        return Program(code, sha256)
    missing = [name for name in (UNTRAINED, FILE) if not (path / name).exists()]
    if missing:
        raise none_learned(path, f"no {' and no '.join(missing)}")
    code = _of_checkpoint(path)
    return Program(code, artifact_sha256(code))


def trained_artifact(folder: str | Path) -> ChipProgram:
    """The program of a run folder with its learned weights, as `load_program` finds it.

    Raises `BurstchipError` as that does, and BC650 where `folder` is none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise none_learned(folder, "a file" if folder.exists() else "no such folder")
    return load_program(folder).code


def _passed_over(path: Path, code: ChipProgram) -> tuple[Diagnostic, ...]:
    """A warning where an artifact lies in a run folder but is not what was learned there."""
    beside = path.name == UNTRAINED and any((path.parent / name).exists() for name in (TRAINED, FILE))
    if code.learned is not None or not beside:
        return ()
    return (
        Diagnostic(
            "BC651",
            f"'{path}' holds the weights before training",
            severity="warning",
            required="learned weights, where the training is to be used",
            given=f"the artifact that the training in '{path.parent}' started with",
            hint=f"name the folder '{path.parent}' in its place",
        ),
    )


def none_learned(path: str | Path, given: str) -> BurstchipError:
    """BC650: why `path` has no learned weights."""
    return BurstchipError(
        Diagnostic(
            "BC650",
            f"'{path}' has no learned weights",
            required="a folder that `burstchip train --out` wrote, or its trained.burst",
            given=given,
        )
    )


def require_learnable(path: Path, projection: ProjectionCode, stored: NDArray[Any], *, real: bool) -> None:
    """Raise `BurstchipError` BC565 for weights of a checkpoint that no learning leaves."""
    assert projection.learning is not None
    low, high = (-np.inf, np.inf) if real else _RANGES[projection.learning.form]
    if not np.all(np.isfinite(stored) & (stored >= low) & (stored <= high)):
        raise unusable(path, f"weights of '{projection.name}' that no training has")


def _of_checkpoint(folder: Path) -> ChipProgram:
    """The program with the weights of the folder's checkpoint."""
    code, sha256 = load_artifact(folder / UNTRAINED)
    path = folder / FILE
    arrays, saved = read_checkpoint(path)
    progress = typed_progress(path, saved)
    require_same(path, saved, {"artifact_sha256": sha256})
    if code.task is None or progress.epoch > code.task.epochs:
        raise unusable(path, "a progress that contradicts itself or the network")
    # Nothing is shown: a run only takes the state up, whose layout is its backend's own.
    nothing = Pictures(np.zeros((0, 0), dtype=np.uint8), 1, np.zeros(0, dtype=np.int64))
    real = progress.backend == "reference"
    run = open_run(code, progress.backend, streams=Presentation(code, nothing, real=real).streams)
    require_alike(path, arrays, run.state())
    run.restore(arrays, progress.clock)
    for projection in code.projections:
        if projection.learning is not None:
            require_learnable(path, projection, run.read(projection.name, "w"), real=real)
    return trained_program(
        code,
        run,
        sha256=sha256,
        backend=progress.backend,
        frozen=progress.frozen,
        epoch=progress.epoch,
        samples=progress.shown,
    )
