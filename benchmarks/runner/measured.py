"""What measuring one program on one target gives, before it is written down."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.runner.result import Number, Same
from benchmarks.runner.target import Target
from benchmarks.runner.unknown import unknown

#: Called with a text for people and the share that is done, 0 to 1.
Tell = Callable[[str, float], None]
Mode = Literal["accuracy", "performance", "energy"]
MODES: tuple[Mode, ...] = ("accuracy", "performance", "energy")


def modes_of(text: str) -> tuple[Mode, ...]:
    """The modes that a text names between commas. Raises `BurstchipError` BC851."""
    given = [it.strip() for it in text.split(",")]
    for name in given:
        if name not in MODES:
            raise unknown("mode", name, ", ".join(MODES), MODES, text)
    return tuple(it for it in MODES if it in given)


@dataclass(frozen=True)
class Desk:
    """Where something is measured: the target, what is wanted, the file for raw samples of power."""

    target: Target
    tell: Tell
    modes: Collection[Mode]
    trace: Path


@dataclass
class Measured:
    """Numbers by name, and what several targets are compared by."""

    same: Same | None = None
    numbers: dict[str, Number] = field(default_factory=dict)
    neurobench: dict[str, Any] = field(default_factory=dict)
    test_error: list[float] = field(default_factory=list)
    state_sha256: str = ""
    answers_sha256: str = ""
    #: Weights at the end as events see them, by projection.
    weights: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def answers_sha256(answers: Sequence[int]) -> str:
    """SHA-256 of classes in their order."""
    return hashlib.sha256(np.asarray(answers, dtype="<i8").tobytes()).hexdigest()
