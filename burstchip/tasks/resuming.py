"""What a training was started with, kept in its checkpoint: to name what differs, and to go on without it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from msgspec import Struct, ValidationError, convert, to_builtins

from burstchip.machine import version_of
from burstchip.tasks.checkpoint import unusable
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC572": "a training that would end before what it has done",
        "BC573": "epochs that are over learned at the rates of another number of epochs",
    }
)


class Started(Struct, frozen=True, kw_only=True):
    """The options of a training's start, and what they made; `program_sha256` is but for the epochs."""

    network: str
    network_sha256: str
    overrides: dict[str, str]
    seed: int
    epochs: int
    backend: str
    frozen: list[str]
    data_sha256: str | None
    learned_sha256: str | None
    program_sha256: str
    version: str


def started(
    code: ChipProgram,
    network: Path,
    text: bytes,
    overrides: Mapping[str, str],
    *,
    backend: str,
    frozen: tuple[str, ...],
) -> Started:
    """The start of a training of `code`, which the file `network` with this text became."""
    assert code.task is not None
    learned = None if code.learned is None else repr(sorted(asdict(code.learned).items())).encode()
    return Started(
        network=str(network.absolute()),
        network_sha256=hashlib.sha256(text).hexdigest(),
        overrides=dict(overrides),
        seed=code.seed,
        epochs=code.task.epochs,
        backend=backend,
        frozen=sorted(frozen),
        data_sha256=None if code.task.file is None else code.task.file.sha256,
        learned_sha256=None if learned is None else hashlib.sha256(learned).hexdigest(),
        program_sha256=artifact_sha256(replace(code, task=replace(code.task, epochs=1))),
        version=version_of("burstchip"),
    )


def as_values(start: Started) -> dict[str, Any]:
    """The start as a checkpoint holds it."""
    found: dict[str, Any] = to_builtins(start)
    return found


def start_of(path: Path, progress: Mapping[str, Any]) -> Started:
    """The start that a checkpoint's progress holds. Raises `BurstchipError` BC565 where it holds none."""
    try:
        return convert(progress.get("started"), Started)
    except ValidationError as reason:
        raise unusable(path, str(reason)) from None


def _freeze(names: list[str]) -> str:
    return " ".join(f"--freeze {name}" for name in names) or "no --freeze"


def _differences(before: Started, now: Started) -> Iterator[tuple[str, str]]:
    """(what the training was started with, what is given), in the words of the command line."""
    if before.backend != now.backend:
        yield f"--backend {before.backend}", f"--backend {now.backend}"
    if before.frozen != now.frozen:
        yield _freeze(before.frozen), _freeze(now.frozen)
    if before.data_sha256 != now.data_sha256:
        yield "the task's data as they were", "other data"
    if before.program_sha256 == now.program_sha256:
        return
    named = False
    if before.seed != now.seed:
        named = True
        yield f"--seed {before.seed}", f"--seed {now.seed}"
    for name in sorted({**before.overrides, **now.overrides}):
        texts = [
            f"--set {name}={it.overrides[name]}" if name in it.overrides else f"no --set {name}"
            for it in (before, now)
        ]
        if texts[0] != texts[1]:
            named = True
            yield texts[0], texts[1]
    if before.network_sha256 != now.network_sha256:
        named = True
        yield f"the network's file as it was, '{before.network}'", f"another text in '{now.network}'"
    if before.learned_sha256 != now.learned_sha256:
        named = True
        yield "the weights of --from as they were", "other weights, or none"
    if not named and before.version != now.version:
        named = True
        yield f"version {before.version} of burstchip", f"version {now.version}"
    if not named:
        yield "the files that the network names as they were", "other content, or another compiler"


def require_same_start(path: Path, before: Started, now: Started) -> None:
    """Raise `BurstchipError` BC566, with everything that differs, where another training is resumed."""
    different = list(_differences(before, now))
    if different:
        raise BurstchipError(
            Diagnostic(
                "BC566",
                f"checkpoint '{path}' belongs to another training",
                required=", ".join(required for required, _ in different),
                given=", ".join(given for _, given in different),
                hint="resume with the network and options of the first start, or choose another folder",
            )
        )


def require_enough_epochs(path: Path, epoch: int, shown: int, epochs: int) -> None:
    """Raise `BurstchipError` BC572 where a training has already done more than `epochs` epochs."""
    begun = epoch + (shown > 0)
    if begun > epochs:
        raise BurstchipError(
            Diagnostic(
                "BC572",
                f"the training in '{path.parent}' has begun epoch {begun}",
                required=f"--epochs {begun} or more",
                given=f"--epochs {epochs}",
                hint="train in another folder for fewer epochs",
            )
        )
