"""The JSON files of a run folder: `summary.json`, `history.json`, `quantisation.json`, `errors.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from burstchip.report.problems import damaged
from hw_models.diagnostics import BurstchipError

Fraction = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]
_Content = TypeVar("_Content")


class TestActivity(Struct, frozen=True, kw_only=True):
    """What was emitted while `samples` test samples were shown, learning off, by population.

    `synaptic_operations`: messages that went through a synapse; None where the backend does not count them.
    """

    samples: Annotated[int, Meta(ge=1)]
    events: dict[str, Count]
    bursts: dict[str, Count] = {}
    synaptic_operations: Count | None = None


class Data(Struct, frozen=True, kw_only=True):
    """The data of a training: their numbers, and of a user's own file where it was and its SHA-256."""

    training_samples: Count
    test_samples: Count
    shape: Annotated[list[Annotated[int, Meta(ge=1)]], Meta(min_length=1, max_length=2)]
    range: Annotated[list[float], Meta(min_length=2, max_length=2)]
    file: str | None = None
    sha256: str | None = None
    test_share: Fraction | None = None


class Summary(Struct, frozen=True, kw_only=True):
    """`summary.json`: what came out of a training. Errors are fractions; rows of `confusion` are labels."""

    task: str
    name: str
    seed: int
    data: Data
    split: int | None = None
    epochs: Count
    weight_form: str
    backend: str
    train_error: Fraction | None
    test_error: Fraction
    samples_per_second: float | None = None
    synaptic_events_per_second: float | None = None
    artifact_sha256: str | None = None
    state_sha256: str | None = None
    confusion: list[list[Count]]
    classes: Annotated[int, Meta(ge=1)] | Annotated[list[str | int], Meta(min_length=1)]
    frozen: list[str] = []
    overrides: dict[str, str] = {}
    test_activity: TestActivity | None = None
    diagnostics: list[str] = []

    def __post_init__(self) -> None:
        size = len(self.class_names)
        if len(self.confusion) != size or any(len(row) != size for row in self.confusion):
            raise ValueError(f"confusion needs {size} rows of {size} counts, one for each class")

    @property
    def setting(self) -> str:
        """Seed and, for a task whose data is split by one, the split."""
        drawn = self.task == "digits" or self.data.test_share is not None
        has_split = self.split is not None and drawn
        return f"seed {self.seed}, split {self.split}" if has_split else f"seed {self.seed}"

    @property
    def class_names(self) -> list[str]:
        """The classes in the order of the confusion matrix."""
        names = range(self.classes) if isinstance(self.classes, int) else self.classes
        return [str(name) for name in names]


class Epoch(Struct, frozen=True, kw_only=True):
    """One entry of `history.json`; epoch 0 is the network before learning. Rates in Hz, errors fractions."""

    epoch: Count
    train_error: Fraction | None
    test_error: Fraction | None
    seconds: float | None = None
    event_rate: dict[str, Annotated[float, Meta(ge=0)] | None] = {}
    burst_probability: dict[str, Fraction | None] = {}


class QuantizedValue(Struct, frozen=True, kw_only=True):
    """One entry of `quantisation.json`: a physical parameter, and the value that its integers stand for."""

    where: str
    parameter: str
    unit: str = ""
    requested: float | list[float]
    #: None where it is infinite.
    represented: float | list[float] | None
    relative_error: float | None
    integers: str | int | list[int] | dict[str, int]


class ErrorShare(Struct, frozen=True, kw_only=True):
    """One variable of `errors.json`: root mean square errors, None where such an error does not exist."""

    population: str
    variable: str
    unit: str = ""
    rms: Annotated[float, Meta(ge=0)]
    step: Annotated[float, Meta(ge=0)] | None
    parameter: Annotated[float, Meta(ge=0)] | None
    state: Annotated[float, Meta(ge=0)] | None


class Errors(Struct, frozen=True, kw_only=True):
    """`errors.json`: what `burstchip errors` found over the first `steps` steps."""

    steps: Annotated[int, Meta(ge=1)]
    errors: list[ErrorShare]


def read_errors(path: Path) -> Errors:
    """`errors.json`. Raises `BurstchipError` (BC542)."""
    return _read(path, Errors)


def read_summary(path: Path) -> Summary:
    """`summary.json`. Raises `BurstchipError` (BC542)."""
    return _read(path, Summary)


def read_history(path: Path) -> list[Epoch]:
    """`history.json`, epochs ascending. Raises `BurstchipError` (BC542)."""
    history = _read(path, list[Epoch])
    numbers = [epoch.epoch for epoch in history]
    if not numbers or numbers != sorted(set(numbers)):
        given = ", ".join(map(str, numbers[:20])) or "none"
        raise BurstchipError(damaged("BC542", path, "epochs in ascending order, each once", given))
    return history


def read_quantisation(path: Path) -> list[QuantizedValue]:
    """`quantisation.json`. Raises `BurstchipError` (BC542)."""
    return _read(path, list[QuantizedValue])


def _read(path: Path, content: type[_Content]) -> _Content:
    try:
        return msgspec.json.decode(path.read_bytes(), type=content)
    except OSError as error:
        raise BurstchipError(damaged("BC542", path, "a file that can be read", str(error))) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BurstchipError(damaged("BC542", path, "what `burstchip train` writes", str(error))) from error
