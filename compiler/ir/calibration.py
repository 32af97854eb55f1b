"""What a network's ports and states reach and its neurons send: from a run, or from worst-case bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["port", "state"]
#: A short run in real numbers, or interval analysis with every source at its worst.
Origin = Literal["run", "bounds"]


@dataclass(frozen=True)
class Reach:
    """The least and greatest value, of any neuron, of a port's sum in a step or a state at a step's end.

    `unit` is the port's base unit, or that of the state; what 0 stands for, such as rest, counts as 0. `rms`
    is the root mean square over steps and neurons, None from bounds.
    """

    population: str
    kind: Kind
    variable: str
    unit: str
    low: float
    high: float
    rms: float | None = None

    @property
    def greatest(self) -> float:
        """The greatest magnitude."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True)
class Sent:
    """What each neuron sends at an output in a step: mean and mean square of whole messages."""

    population: str
    output: str
    mean: tuple[float, ...]
    square: tuple[float, ...]


@dataclass(frozen=True)
class Calibration:
    """Of the network `network`, whose elaborated text has the hash `sha256`, over `steps` steps of `step_ms`.

    `steps` is 0 and `sent` empty from bounds. `sizes` are those of the populations.
    """

    origin: Origin
    network: str
    sha256: str
    step_ms: float
    steps: int
    sizes: Mapping[str, int]
    reaches: tuple[Reach, ...]
    sent: tuple[Sent, ...] = field(default=(), repr=False)

    @cached_property
    def _reached(self) -> Mapping[tuple[str, Kind, str], Reach]:
        return {(it.population, it.kind, it.variable): it for it in self.reaches}

    def reach(self, population: str, kind: Kind, variable: str) -> Reach | None:
        """What a port or a state reaches, None where that is not known."""
        return self._reached.get((population, kind, variable))

    def messages(self, population: str, output: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(mean, variance) of what each neuron sends in a step.

        From bounds nothing is known of what is sent: every neuron counts alike, and sends 0 on the average.
        """
        for it in self.sent:
            if (it.population, it.output) == (population, output):
                mean = np.array(it.mean, dtype=np.float64)
                return mean, np.maximum(np.array(it.square, dtype=np.float64) - mean**2, 0.0)
        size = self.sizes[population]
        return np.zeros(size), np.ones(size)

    def rate(self, population: str, output: str) -> float | None:
        """The mean rate in Hz of what the population's neurons send, None where it is not known."""
        for it in self.sent:
            if (it.population, it.output) == (population, output):
                return sum(it.mean) / len(it.mean) / self.step_ms * 1000
        return None
