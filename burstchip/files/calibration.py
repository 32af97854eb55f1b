"""Calibrations as JSON files: what `burstchip calibrate` writes and `burstchip compile --calibrate` reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from burstchip.files.json_file import write_json
from compiler.ir.calibration import Calibration, Reach, Sent
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC921": "a calibration that cannot be used"})

FORMAT, VERSION = "burstchip calibration", 1

_Name = Annotated[str, Meta(min_length=1, max_length=1000)]
_Text = Annotated[str, Meta(max_length=1000)]
_Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
#: Far more than any chip holds, and nothing reckoned with it overflows.
_Real = Annotated[float, Meta(ge=-1e30, le=1e30)]
#: One for each neuron.
_Reals = Annotated[tuple[_Real, ...], Meta(min_length=1, max_length=1 << 24)]
#: The clock has 31 bits.
_Steps = Annotated[int, Meta(ge=0, lt=1 << 31)]


class ReachFile(Struct, forbid_unknown_fields=True):
    """A `Reach`."""

    population: _Name
    kind: Literal["port", "state"]
    variable: _Name
    unit: _Text
    low: _Real
    high: _Real
    rms: Annotated[float, Meta(ge=0, le=1e30)] | None


class SentFile(Struct, forbid_unknown_fields=True):
    """A `Sent`."""

    population: _Name
    output: _Name
    mean: _Reals
    square: _Reals


class CalibrationFile(Struct, forbid_unknown_fields=True):
    """A `Calibration`, and the format that it is in."""

    format: Literal["burstchip calibration"]
    version: Literal[1]
    origin: Literal["run", "bounds"]
    network: _Name
    sha256: _Sha256
    step_ms: Annotated[float, Meta(gt=0, le=1e30)]
    steps: _Steps
    sizes: dict[_Name, Annotated[int, Meta(ge=1, lt=1 << 31)]]
    reaches: list[ReachFile]
    sent: list[SentFile]


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration, whole or not at all. Raises OSError."""
    content = {"format": FORMAT, "version": VERSION, **asdict(calibration)}
    write_json(path, content)


def read_calibration(path: Path) -> Calibration:
    """Read a calibration. Raises `BurstchipError` BC921 where the file is none, or is damaged."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=CalibrationFile)
    except OSError as reason:
        raise _unusable(path, reason.strerror or str(reason)) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as reason:
        raise _unusable(path, str(reason).splitlines()[0]) from None
    if (flaw := next(_flaws(found), None)) is not None:
        raise _unusable(path, flaw)
    return Calibration(
        found.origin,
        found.network,
        found.sha256,
        found.step_ms,
        found.steps,
        found.sizes,
        tuple(Reach(**msgspec.structs.asdict(it)) for it in found.reaches),
        tuple(Sent(**msgspec.structs.asdict(it)) for it in found.sent),
    )


def _flaws(it: CalibrationFile) -> Iterator[str]:
    """What types do not say."""
    for reach in it.reaches:
        if reach.low > reach.high:
            yield f"{reach.population}.{reach.variable} reaches from {reach.low} to {reach.high}"
    named = [(reach.population, reach.kind, reach.variable) for reach in it.reaches]
    if len(set(named)) < len(named):
        yield "a port or a state is there twice"
    for sent in it.sent:
        where = f"{sent.population}.{sent.output}"
        if len(sent.mean) != len(sent.square):
            yield f"what {where} sends has no mean and mean square for each neuron"
        elif any(square < 0 for square in sent.square):
            yield f"a mean square of {where} is below 0"


def _unusable(path: Path, given: str) -> BurstchipError:
    return BurstchipError(
        Diagnostic(
            "BC921",
            f"'{path}' cannot be used as a calibration",
            required="a file that `burstchip calibrate` wrote",
            given=given,
            hint="calibrate the network",
        )
    )
