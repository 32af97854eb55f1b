"""All integers of the first steps of a run in one hash: what is to be the same on every target."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.runner.result import Same
from burstchip.variables import Place

#: Hexadecimal digits kept of the hash of each step, which name the first step that differs.
_DIGITS = 12


@dataclass
class Trajectory:
    """Hashes values as they come: [step, index] by place, little-endian 64-bit integers or floats."""

    places: Sequence[Place]
    values: int = 0
    steps: int = 0
    _whole: Any = field(default_factory=hashlib.sha256)
    _each: list[str] = field(default_factory=list)

    def add(self, recorded: Mapping[Place, NDArray[Any]]) -> None:
        """The values of some further steps."""
        rows = [_little(recorded[place]) for place in self.places]
        count = len(rows[0]) if rows else 0
        for step in range(count):
            one = hashlib.sha256()
            for row in rows:
                one.update(row[step].tobytes())
            self._whole.update(one.digest())
            self._each.append(one.hexdigest()[:_DIGITS])
        self.steps += count
        self.values += sum(row.size for row in rows)

    def result(self) -> Same:
        """What results keep of it."""
        return Same(
            steps=self.steps,
            values=self.values,
            sha256=self._whole.hexdigest(),
            each_step=list(self._each),
            variables=[".".join(place) for place in self.places],
        )


def _little(values: NDArray[Any]) -> NDArray[Any]:
    kind = "<f8" if values.dtype.kind == "f" else "<i8"
    return np.ascontiguousarray(values.astype(kind))


def first_difference(one: Same, other: Same) -> int | None:
    """The first step in which two differ; None where all that both have is the same."""
    for step, (a, b) in enumerate(zip(one.each_step, other.each_step, strict=False)):
        if a != b:
            return step
    return None


Sink = Callable[[Mapping[Place, NDArray[Any]]], None]
