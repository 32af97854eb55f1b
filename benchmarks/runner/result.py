"""What a benchmark session leaves: `results.json`, of one published form, each number with its origin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from burstchip.files.json_file import write_json
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC852": "a file of results that cannot be used",
        "BC856": "a workload that was not measured, or not the same on two targets",
    }
)

FILE = "results.json"
#: What is said of an entry that is not what it should be.
UNDONE = "BC856"
FORMAT = 1
#: More bytes than any session writes.
MOST_BYTES = 1 << 28

Origin = Literal["measured", "estimated", "assumed"]
Status = Literal["done", "failed", "skipped"]
_Text = Annotated[str, Meta(max_length=100_000)]
_Count = Annotated[int, Meta(ge=0)]


class Number(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number, its unit, where it comes from and how; `low` and `high` are its interval or range."""

    value: float
    unit: _Text
    source: Origin
    method: _Text
    low: float | None = None
    high: float | None = None
    #: The value was not reached; it is what there was to reach it in.
    beyond: bool = False


class Same(Struct, frozen=True, kw_only=True):
    """The part of a run that all targets do: every integer of every step in one hash, and one a step."""

    steps: _Count
    values: _Count
    sha256: _Text
    each_step: list[_Text]
    #: Which variables were hashed; a target may not tell all.
    variables: list[_Text]


class Entry(Struct, frozen=True, kw_only=True):
    """One case on one target with one seed."""

    workload: _Text
    kind: Literal["learn", "adapt", "infer", "run", "follow"]
    target: _Text
    seed: int
    status: Status
    reason: _Text = ""
    artifact_sha256: _Text = ""
    arithmetic: Literal["integers", "real numbers", ""] = ""
    same: Same | None = None
    numbers: dict[str, Number] = {}
    #: NeuroBench's own keys and layout.
    neurobench: dict[str, Any] = {}
    #: Test error after each epoch, from the untrained network on, in percent.
    test_error: list[float] = []
    #: What the target's state hashes to when all is done.
    state_sha256: _Text = ""
    #: SHA-256 of all classes that were read out, in order.
    answers_sha256: _Text = ""

    #: How exactly it did what the other targets of integers did.
    exactness: _Text = ""

    @property
    def unequal(self) -> bool:
        """Whether it computed something else than the target that the others are compared with."""
        return self.exactness.startswith("parts") or self.exactness.endswith("later")

    @property
    def key(self) -> tuple[str, str, int]:
        """What an entry is about."""
        return self.workload, self.target, self.seed


class Results(Struct, frozen=True, kw_only=True):
    """A session: when, of which commit, where, on which devices, and what came out."""

    format: Literal[1] = 1
    begun: _Text
    burstchip: _Text
    commit: _Text
    command: _Text
    machine: dict[str, str | int | float | None]
    targets: dict[str, dict[str, str]]
    entries: list[Entry]


def write_results(path: Path, results: Results) -> None:
    """Write the file, whole or not at all."""
    write_json(path, msgspec.to_builtins(results))


def read_results(path: Path) -> Results:
    """The results of a session's folder or file. Raises `BurstchipError` BC852."""
    path = path / FILE if path.is_dir() else path
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES >> 20} MiB")
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except (OSError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        given = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BurstchipError(
            Diagnostic(
                "BC852",
                f"'{path}' cannot be used",
                required="results that `burstchip bench run` wrote",
                given=given,
            )
        ) from None


def results_schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    return msgspec.json.schema(Results)
