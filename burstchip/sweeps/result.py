"""What came of a point of a sweep, and the file that keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, field

from burstchip.files.json_file import write_json

#: There once the point is done.
FILE = "point.json"


class Result(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of a point: the same on any machine, and however often it was interrupted.

    `error` is the share of wrong answers, in a task of the test; None where nothing is answered. Rates are in
    Hz a neuron by population, of a task in its last epoch. `state_sha256` is that of the whole state at the
    end. A point that `failed` has messages alone.
    """

    state: Literal["done", "failed"]
    error: float | None = None
    train_error: float | None = None
    event_rate: dict[str, float] = field(default_factory=dict)
    burst_probability: dict[str, float] = field(default_factory=dict)
    artifact_sha256: str | None = None
    state_sha256: str | None = None
    diagnostics: list[str] = field(default_factory=list)


class Kept(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contents of `point.json`; `seconds` of work since the last interruption, by the wall's clock."""

    result: Result
    seconds: float


def read_kept(folder: Path) -> Kept | None:
    """What came of the point in a folder; None where it is not done, or the file is damaged."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Kept)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def write_kept(folder: Path, result: Result, seconds: float) -> None:
    """Write what came of a point, whole or not at all. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / FILE, msgspec.to_builtins(Kept(result=result, seconds=seconds)))
