"""The samples of a task as signals: pixels become what the source is to emit, labels what a teacher asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.tasks.dataset import Dataset
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Rows
from compiler.passes.bind import LABELS, SAMPLES
from hw_models.neurons.sources import ENCODER_SHIFT


@dataclass(frozen=True)
class Pictures:
    """Images [sample, pixel] with their greatest and least intensity, and their labels."""

    images: NDArray[Any]
    maximum: float
    labels: NDArray[np.int64]
    minimum: float = 0.0


def pictures_of(dataset: Dataset) -> tuple[Pictures, Pictures]:
    """(training, test) pictures of a data set."""
    train, test = (
        Pictures(
            np.ascontiguousarray(images.reshape(len(images), -1)),
            dataset.maximum,
            labels.astype(np.int64),
            dataset.minimum,
        )
        for images, labels in (
            (dataset.train_images, dataset.train_labels),
            (dataset.test_images, dataset.test_labels),
        )
    )
    return train, test


@dataclass
class Presentation:
    """Which pictures a run shows: `order[k]` is the picture of sample first + k, none is shown elsewhere.

    The order may be replaced between two calls to a run's `advance`.
    """

    code: ChipProgram
    pictures: Pictures
    order: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    first: int = 0
    real: bool = False

    @property
    def streams(self) -> Mapping[str, Rows]:
        """What a run of the task is to be given."""
        return {SAMPLES: self.samples, LABELS: self.labels}

    def samples(self, first: int, count: int) -> NDArray[Any]:
        """Of each sample what the source adds in a step, in 2^-16 events a step, [sample, neuron].

        A full pixel is `full_rate` 2^-10 events a step, to which grid it is rounded unless `real`.
        """
        assert self.code.task is not None
        source = self.code.population(self.code.task.input)
        most, pictures = source.numbers(real=self.real)[source.roles.full_rate], self.pictures
        number, shown = self._shown(first, count)
        rows = np.zeros((count, source.size), dtype=np.float64 if self.real else np.int32)
        # The one rounding of a quotient of whole numbers keeps a half exact, which then goes up.
        above = pictures.images[number].astype(np.float64) - pictures.minimum
        scaled = above * most / (pictures.maximum - pictures.minimum)
        rows[shown] = (scaled if self.real else np.floor(scaled + 0.5)) * 2.0**ENCODER_SHIFT
        return rows

    def labels(self, first: int, count: int) -> NDArray[Any]:
        """Of each sample what is taught to each neuron of the read-out, [sample, neuron]."""
        assert self.code.task is not None
        readout = self.code.population(self.code.task.readout)
        parameters = readout.numbers(real=self.real)
        number, shown = self._shown(first, count)
        taught = np.zeros((count, readout.size), dtype=bool)
        taught[shown, self.pictures.labels[number]] = True
        on, otherwise = parameters[readout.roles.taught], parameters[readout.roles.taught_else]
        return np.where(taught, on, otherwise).astype(np.float64 if self.real else np.int32)

    def _shown(self, first: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(pictures, rows) of those of `count` samples that show one."""
        place = np.arange(first, first + count) - self.first
        there = (place >= 0) & (place < len(self.order))
        rows, number = np.flatnonzero(there), self.order[place[there]]
        return number[number >= 0], rows[number >= 0]
