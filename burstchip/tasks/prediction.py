"""What a trained network says of samples: the class that it reads out for each, with learning off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from burstchip.backends.available import require_backend
from burstchip.running.recording import clipped_inputs
from burstchip.running.run import open_run
from burstchip.tasks.dataset import MAXIMUM
from burstchip.tasks.presentation import Pictures, Presentation
from burstchip.tasks.proportion import wilson_interval
from burstchip.tasks.samples_file import Samples, samples_of
from burstchip.tasks.showing import TEST_SEED, show
from burstchip.tasks.trained import load_program, none_learned
from compiler.ir.chip_program import ChipProgram, Learned, TaskCode
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC654": "samples for a network without a task",
        "BC658": "samples that do not fit the network",
        "BC659": "values of samples beyond what the network is shown",
        "BC660": "a full intensity that is missing or cannot be",
        "BC662": "samples that are shown faintly",
    }
)

#: Samples of one call, between which progress is told.
_AT_ONCE = 64


@dataclass(frozen=True)
class Predictions:
    """The class read out for each sample, in `predicted`; `labels` where these are known.

    `maximum` is the value that was shown at full intensity, `values` the least and the greatest that were
    given. `learned` and `sha256` say which weights it was, and of which artifact.
    """

    predicted: NDArray[np.int64]
    labels: NDArray[np.int64] | None
    n_classes: int
    network: str
    backend: str
    maximum: float
    values: tuple[float, float]
    learned: Learned
    sha256: str
    diagnostics: tuple[Diagnostic, ...]

    @cached_property
    def correct(self) -> int | None:
        """How many samples were read out as labelled."""
        return None if self.labels is None else int(np.count_nonzero(self.predicted == self.labels))

    @property
    def accuracy(self) -> float | None:
        """The share of samples that were read out as labelled."""
        return None if self.correct is None else self.correct / len(self.predicted)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the accuracy, by Wilson's score; samples are taken as independent."""
        if self.correct is None:
            return None
        low, high = wilson_interval(self.correct, len(self.predicted))
        return float(low), float(high)


def predict(
    run: str | Path,
    values: ArrayLike | Samples,
    labels: ArrayLike | None = None,
    *,
    maximum: float | None = None,
    backend: str = "sim",
    watch: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Classify samples with the weights that the training in the folder `run` learned; nothing learns.

    `run` may be a `trained.burst` as well. `values` are [sample, feature] or [sample, row, column], from 0 to
    `maximum`, which is shown at full intensity; by default that of the training data. Samples are shown in
    order, under the seed under which a training tests. `watch` receives samples done and samples in all.
    Raises `BurstchipError` as `load_program` does, BC650 for weights that were not learned, BC654 and BC656
    to BC660 for samples that cannot be shown.
    """
    require_backend(backend)
    found = load_program(run)
    code = found.code
    if code.learned is None:
        raise none_learned(run, "weights that were not learned")
    samples = values if isinstance(values, Samples) else samples_of(values, labels)
    if code.task is None:
        raise BurstchipError(
            Diagnostic("BC654", f"'{code.name}' has no task", required="a network that was trained")
        )
    none = 0.0 if code.task.file is None else code.task.file.low
    full = _full(code.task, maximum)
    extent = _fit(code, code.task, samples, none, full)
    dummies = np.zeros(len(samples.values), dtype=np.int64)
    labelled = dummies if samples.labels is None else samples.labels
    pictures = Pictures(samples.values, full, labelled, none)
    shown = Presentation(code, pictures, real=backend == "reference")
    under_way = open_run(code, backend, streams=shown.streams, learning=False, seed=code.seed + TEST_SEED)
    count, predicted = len(samples.values), []
    for first in range(0, count, _AT_ONCE):
        part = np.arange(first, min(first + _AT_ONCE, count), dtype=np.int64)
        following = -1 if part[-1] + 1 == count else int(part[-1]) + 1
        predicted.append(show(under_way, shown, part, following))
        if watch is not None:
            watch(int(part[-1]) + 1, count)
    notes = [*found.diagnostics, *_faint(extent, full), *clipped_inputs(code, under_way.clipped)]
    return Predictions(
        predicted=np.concatenate(predicted),
        labels=samples.labels,
        n_classes=code.population(code.task.readout).size,
        network=code.name,
        backend=backend,
        maximum=full,
        values=extent,
        learned=code.learned,
        sha256=found.sha256,
        diagnostics=tuple(notes),
    )


def _full(task: TaskCode, maximum: float | None) -> float:
    """The value that is shown at full intensity."""
    known = MAXIMUM.get(task.data) if task.file is None else task.file.high
    full = known if maximum is None else maximum
    if full is None or not 0 < full < np.inf:
        raise BurstchipError(
            Diagnostic(
                "BC660",
                "the value of full intensity is missing" if full is None else "full intensity cannot be",
                required="a finite number above 0, --maximum or `maximum`",
                given="none" if full is None else f"{full:g}",
            )
        )
    return float(full)


def _fit(
    code: ChipProgram, task: TaskCode, samples: Samples, none: float, full: float
) -> tuple[float, float]:
    """The least and the greatest value. Raises `BurstchipError` with all that does not fit the network."""
    problems = []
    pixels, classes = code.population(task.input).size, code.population(task.readout).size
    if samples.values.shape[1] != pixels:
        problems.append(
            Diagnostic(
                "BC658",
                f"the samples do not fit the population '{task.input}' of '{code.name}'",
                required=f"{pixels} values a sample",
                given=f"{samples.values.shape[1]}, {' x '.join(map(str, samples.shape))}",
            )
        )
    if samples.labels is not None and samples.labels.max() >= classes:
        place = int(np.argmax(samples.labels >= classes))
        problems.append(
            Diagnostic(
                "BC658",
                f"a label is of no neuron of the population '{task.readout}' of '{code.name}'",
                required=f"labels from 0 to {classes - 1}",
                given=f"{samples.labels[place]} of sample {place}",
            )
        )
    low, high = float(samples.values.min()), float(samples.values.max())
    if low < none or high > full:
        problems.append(
            Diagnostic(
                "BC659",
                "values of the samples are beyond what the network is shown",
                required=f"{none:g} to {full:g}, which is full intensity",
                given=f"{low:g} to {high:g}",
                hint=None if low < none else f"--maximum {high:g} shows {high:g} at full intensity",
            )
        )
    if problems:
        raise BurstchipError(problems)
    return low, high


def _faint(extent: tuple[float, float], full: float) -> tuple[Diagnostic, ...]:
    """A warning where the values seem to be fractions, and full intensity is not 1."""
    high = extent[1]
    if high > 1 or full <= 1:
        return ()
    return (
        Diagnostic(
            "BC662",
            f"the samples are shown faintly: the greatest value is {high:g}, and {full:g} is full intensity",
            severity="warning",
            required="values in the scale of the training data",
            given=f"{extent[0]:g} to {high:g}",
            hint="--maximum 1 where the values are fractions of full intensity",
        ),
    )
