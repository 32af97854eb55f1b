"""The folder of a protocol: seeds with their checkpoints, and at the end results."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from burstchip.compilation import compile_file
from burstchip.files.json_file import write_json
from burstchip.running.recording import clipped_inputs
from burstchip.tasks.checkpoint import FILE
from burstchip.tasks.protocol.following import require_protocol
from burstchip.tasks.protocol.plan import plan_of
from burstchip.tasks.protocol.results import Done, recording
from burstchip.tasks.protocol.seeds import SeedFolder, Tell, follow_seeds
from burstchip.tasks.run_folder import held_folder
from burstchip.workers import Workers
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram
from compiler.strict_json import strict_json
from compiler.whole_file import write_all_whole
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC723": "a folder that following a protocol must not replace"})

#: What marks a folder as one of ours, from the beginning.
STARTED = "started.json"
RESULTS, RECORDING = "results.json", "protocol.nc"


@dataclass(frozen=True)
class FollowOptions:
    """What to follow, where to, and how; a seed that is None is the file's."""

    network: Path
    out: Path
    seeds: tuple[int | None, ...] = (None,)
    backend: str = "sim"
    threads: int = 1
    overrides: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    resume: bool = False
    overwrite: bool = False
    workers: Workers = field(default_factory=Workers)
    command: str = ""


def has_checkpoint(out: Path) -> bool:
    """Whether a seed in the folder has one."""
    return any(out.glob(f"seed_*/{FILE}"))


def _take(out: Path, *, resume: bool, overwrite: bool) -> None:
    """Make sure of the folder. Raises `BurstchipError` BC723 where it must not be used."""
    # What interrupted writers left is hidden.
    there = [it for it in out.iterdir() if not it.name.startswith(".")] if out.is_dir() else []
    ours = (out / STARTED).is_file()
    if there and not (ours and (resume or overwrite)):
        raise BurstchipError(
            Diagnostic(
                "BC723",
                f"'{out}' holds {'earlier results' if ours else 'something else'}",
                required="an empty or new folder",
                given="a folder of a protocol" if ours else "another folder",
                hint="--resume goes on with it, --overwrite replaces it" if ours else "name another folder",
            )
        )
    if there and overwrite:
        for folder in out.glob("seed_*"):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(out / "figures", ignore_errors=True)
        for name in (RESULTS, RECORDING, STARTED, "report.html"):
            with suppress(FileNotFoundError):
                (out / name).unlink()


def _require_same(out: Path, options: Mapping[str, Any]) -> None:
    """Raise `BurstchipError` BC722 where the folder was started with other options."""
    try:
        before = json.loads((out / STARTED).read_bytes())
        different = [name for name in options if before[name] != options[name]]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if different:
        raise BurstchipError(
            Diagnostic(
                "BC722",
                f"'{out}' was started with other options",
                required=", ".join(f"{name} = {before[name]}" for name in different),
                given=", ".join(f"{name} = {options[name]}" for name in different),
                hint="go on with what it was started with, or choose another folder",
            )
        )


def follow_into(options: FollowOptions, tell: Tell | None = None) -> Done:
    """Follow a network's protocol with all seeds, and write what came of it.

    Raises `BurstchipError`: BC720 for a network without a protocol, BC722 and BC723 for a folder that does
    not fit, and what compiling and `follow` raise. Raises OSError.
    """
    programs: dict[int, ChipProgram] = {}
    messages: dict[str, Diagnostic] = {}
    for seed in options.seeds:
        code, found = compile_file(options.network, options.overrides, seed, strict=options.strict)
        require_protocol(code)
        programs[code.seed] = code
        messages |= {str(message): message for message in found}
    first = next(iter(programs.values()))
    assert first.protocol is not None
    total = plan_of(first.protocol, first.step_ms, first.seed).total
    started = {"network": first.name, "seeds": list(programs), "backend": options.backend}
    with held_folder(options.out):
        _take(options.out, resume=options.resume, overwrite=options.overwrite)
        if options.resume:
            _require_same(options.out, started)
        write_json(options.out / STARTED, {**started, "command": options.command})
        folders: dict[str, SeedFolder] = {}
        for seed, code in programs.items():
            it = SeedFolder(options.out / f"seed_{seed}", options.backend, options.threads)
            it.prepare(code, resume=options.resume)
            folders[f"seed {seed}"] = it
        left = follow_seeds(folders, dict.fromkeys(folders, total), options.workers, tell)
        finished = dict(zip(programs, left.values(), strict=True))
        for code, it_ in zip(programs.values(), finished.values(), strict=True):
            messages |= {str(message): message for message in clipped_inputs(code, it_.clipped)}
        notes = tuple(messages.values())
        if options.strict and notes:
            raise BurstchipError([replace(note, severity="error") for note in notes])
        artifacts = [artifact_sha256(code) for code in programs.values()]
        done = Done(first.name, options.backend, first.step_ms, finished, tuple(artifacts), notes)
        write_all_whole(
            {
                options.out / RECORDING: recording(first.name, options.backend, finished, artifacts),
                options.out / RESULTS: (strict_json(done.summary, 1) + "\n").encode(),
            }
        )
        return done
