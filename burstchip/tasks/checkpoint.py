"""Checkpoints: the complete state of a training in one file, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta, Struct, ValidationError, convert
from numpy.typing import NDArray

from compiler.ir.chip_program import ChipProgram
from compiler.whole_file import write_whole
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

KEY = "burstchip_checkpoint"
FILE = "checkpoint.safetensors"

register_codes(
    {
        "BC565": "a checkpoint cannot be used",
        "BC566": "a checkpoint belongs to another training",
    }
)

Arrays = dict[str, NDArray[Any]]


def state_sha256(arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over all arrays: names, types, shapes and little-endian contents, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name} {little.dtype.str} {list(little.shape)}\n".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()


def _sha256(arrays: Mapping[str, NDArray[Any]], progress: Mapping[str, Any]) -> str:
    text = state_sha256(arrays) + json.dumps(progress, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


_Count = Annotated[int, Meta(ge=0)]


class _Line(Struct, frozen=True, kw_only=True):
    """One entry of the history that a checkpoint holds."""

    epoch: _Count
    train_error: float | None
    test_error: float
    seconds: float
    event_rate: dict[str, float]
    burst_probability: dict[str, float]


class Progress(Struct, frozen=True, kw_only=True):
    """How far a training was: samples shown in the epoch under way, and the history of those before."""

    clock: _Count
    epoch: _Count
    shown: _Count
    wrong: _Count
    seconds: float
    epoch_seconds: float
    totals: list[list[_Count]]
    train_error: float | None
    history: list[_Line]
    backend: Literal["sim", "plain", "reference"]
    frozen: list[str]
    artifact_sha256: str


def save_checkpoint(path: Path, arrays: Mapping[str, NDArray[Any]], progress: Mapping[str, Any]) -> None:
    """Write state and progress; an earlier checkpoint stays until this one is complete."""
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = json.dumps({"progress": progress, "sha256": _sha256(arrays, progress)}, sort_keys=True)
    write_whole(path, save(contiguous, metadata={KEY: text}))


def unusable(path: Path, given: str) -> BurstchipError:
    """BC565: what is wrong with a checkpoint."""
    return BurstchipError(
        Diagnostic(
            "BC565",
            f"checkpoint '{path}' cannot be used",
            required="a file that `burstchip train` wrote, whole",
            given=given,
            hint="start again in another folder, or with --overwrite",
        )
    )


def typed_progress(path: Path, progress: Mapping[str, Any]) -> Progress:
    """The progress that a checkpoint holds. Raises `BurstchipError` BC565 where it is none."""
    try:
        return convert(progress, Progress)
    except ValidationError as reason:
        raise unusable(path, str(reason)) from None


def require_progress(path: Path, progress: Mapping[str, Any], code: ChipProgram, samples: int) -> None:
    """Raise `BurstchipError` BC565 where no training of `samples` samples an epoch has such a progress."""
    assert code.task is not None
    found = typed_progress(path, progress)
    done = found.epoch * samples + found.shown
    sound = (
        found.epoch <= code.task.epochs
        and found.shown <= samples
        and found.wrong <= found.shown
        and len(found.history) == found.epoch + 1
        and found.clock == done * code.task.present
        and found.totals
        and all(len(pair) == 2 for pair in found.totals)
        and len(found.totals) == len(code.populations)
    )
    if not sound:
        raise unusable(path, "a progress that contradicts itself or the network")


def read_checkpoint(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """(state, progress), as they were saved.

    Raises `BurstchipError` BC565 for a file that is foreign or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        text = json.loads(header["__metadata__"][KEY])
        progress, sha256 = dict(text["progress"]), text["sha256"]
        arrays = load(data)
    except OSError as reason:
        raise unusable(path, str(reason.strerror)) from None
    except (
        SafetensorError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as reason:
        raise unusable(path, f"{type(reason).__name__}: {reason}") from None
    if _sha256(arrays, progress) != sha256:
        raise unusable(path, "content that does not match its SHA-256")
    return arrays, progress


def require_alike(path: Path, arrays: Arrays, like: Mapping[str, NDArray[Any]]) -> None:
    """Raise `BurstchipError` BC565 where names, types or shapes are not those of the state `like`."""
    if _shapes(arrays) != _shapes(like):
        raise unusable(path, "the state of another version of burstchip")


def _shapes(arrays: Mapping[str, NDArray[Any]]) -> dict[str, tuple[object, ...]]:
    return {name: (array.dtype, array.shape) for name, array in arrays.items()}


def require_same(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise `BurstchipError` BC566 where a checkpoint was made with other settings."""
    different = [name for name in wanted if found.get(name) != wanted[name]]
    if different:
        raise BurstchipError(
            Diagnostic(
                "BC566",
                f"checkpoint '{path}' belongs to another training",
                required=", ".join(f"{name} = {found.get(name)}" for name in different),
                given=", ".join(f"{name} = {wanted[name]}" for name in different),
                hint="resume with the network, seed and options of the first start, or choose another folder",
            )
        )
