"""The JSON files of a run folder: `summary.json`, `history.json`, `quantisation.json`, `errors.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from burstchip.report.problems import damaged
from hw_models.diagnostics import BurstchipError, Diagnostic

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
_Content = TypeVar("_Content")
_Names = Annotated[list[_Content], Field(min_length=1)]

#: A damaged file can break every rule at once; more messages than these are not readable.
MOST_MESSAGES = 8


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


class Summary(_Record):
    """`summary.json`: what came out of a training. Errors are fractions; rows of `confusion` are labels."""

    task: str
    name: str
    seed: int
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
    classes: Annotated[int, Field(ge=1)] | _Names[str] | _Names[int]
    frozen: list[str] = []
    diagnostics: list[str] = []

    @model_validator(mode="after")
    def _square(self) -> Summary:
        size = len(self.class_names)
        if len(self.confusion) != size or any(len(row) != size for row in self.confusion):
            raise ValueError(f"confusion needs {size} rows of {size} counts, one for each class")
        return self

    @property
    def setting(self) -> str:
        """Seed and, for a task whose data is split by one, the split."""
        has_split = self.split is not None and self.task == "digits"
        return f"seed {self.seed}, split {self.split}" if has_split else f"seed {self.seed}"

    @property
    def class_names(self) -> list[str]:
        """The classes in the order of the confusion matrix."""
        names = range(self.classes) if isinstance(self.classes, int) else self.classes
        return [str(name) for name in names]


class Epoch(_Record):
    """One entry of `history.json`; epoch 0 is the network before learning. Rates in Hz, errors fractions."""

    epoch: Count
    train_error: Fraction | None
    test_error: Fraction | None
    seconds: float | None = None
    event_rate: dict[str, Annotated[float, Field(ge=0)] | None] = {}
    burst_probability: dict[str, Fraction | None] = {}


class QuantizedValue(_Record):
    """One entry of `quantisation.json`: a physical parameter, and the value that its integers stand for."""

    where: str
    parameter: str
    unit: str = ""
    requested: float | list[float]
    represented: float | list[float]
    relative_error: float | None
    integers: str | int | list[int] | dict[str, int]


class ErrorShare(_Record):
    """One variable of `errors.json`: root mean square errors, None where there is no such error."""

    population: str
    variable: str
    unit: str = ""
    rms: Annotated[float, Field(ge=0)]
    step: Annotated[float, Field(ge=0)] | None
    parameter: Annotated[float, Field(ge=0)] | None
    state: Annotated[float, Field(ge=0)] | None


class Errors(_Record):
    """`errors.json`: what `burstchip errors` found over the first `steps` steps."""

    steps: Annotated[int, Field(ge=1)]
    errors: list[ErrorShare]


def read_errors(path: Path) -> Errors:
    """`errors.json`. Raises `BurstchipError` (BC542)."""
    return _read(path, TypeAdapter(Errors))


def read_summary(path: Path) -> Summary:
    """`summary.json`. Raises `BurstchipError` (BC542)."""
    return _read(path, TypeAdapter(Summary))


def read_history(path: Path) -> list[Epoch]:
    """`history.json`, epochs ascending. Raises `BurstchipError` (BC542)."""
    history = _read(path, TypeAdapter(list[Epoch]))
    numbers = [epoch.epoch for epoch in history]
    if not numbers or numbers != sorted(set(numbers)):
        given = ", ".join(map(str, numbers[:20])) or "none"
        raise BurstchipError(damaged("BC542", path, "epochs in ascending order, each once", given))
    return history


def read_quantisation(path: Path) -> list[QuantizedValue]:
    """`quantisation.json`. Raises `BurstchipError` (BC542)."""
    return _read(path, TypeAdapter(list[QuantizedValue]))


def _read(path: Path, content: TypeAdapter[_Content]) -> _Content:
    try:
        return content.validate_json(path.read_bytes())
    except OSError as error:
        raise BurstchipError(damaged("BC542", path, "a file that can be read", str(error))) from error
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        diagnostics = [
            _problem(path, tuple(problem["loc"]), problem["msg"]) for problem in problems[:MOST_MESSAGES]
        ]
        if len(problems) > MOST_MESSAGES:
            rest = f"{len(problems) - MOST_MESSAGES} more places like these"
            diagnostics.append(damaged("BC542", path, "what `burstchip train` writes", rest))
        raise BurstchipError(diagnostics) from error


def _problem(path: Path, location: tuple[int | str, ...], message: str) -> Diagnostic:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    return damaged(
        "BC542", path, "what `burstchip train` writes", f"{where}: {message}" if where else message
    )
