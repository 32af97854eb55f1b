"""How a run was made: `provenance.json` of a run folder, written when the training begins or goes on."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from burstchip.files.json_file import write_json
from burstchip.machine import cores, processor, version_of
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

FILE = "provenance.json"

register_codes({"BC634": "the record of how a run was made is damaged"})


class Session(Struct, frozen=True, kw_only=True):
    """One start of the program that worked at a run: when (UTC), with which versions, on which machine."""

    begun: str
    burstchip: str
    python: str
    numpy: str
    numba: str
    system: str
    processor: str
    cores: Annotated[int, Meta(ge=1)]


class Provenance(Struct, frozen=True, kw_only=True):
    """The command that makes a run again, and every session that worked at it, the first one first."""

    command: str
    sessions: Annotated[list[Session], Meta(min_length=1)]


def this_session() -> Session:
    """What is here and now."""
    return Session(
        begun=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC"),
        burstchip=version_of("burstchip"),
        python=platform.python_version(),
        numpy=version_of("numpy"),
        numba=version_of("numba"),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=processor(),
        cores=cores(),
    )


def origin_of(artifacts: Sequence[str]) -> list[tuple[str, str]]:
    """What pages say of this session and of the artifacts that ran."""
    session = this_session()
    return [
        ("Made", session.begun),
        ("burstchip", session.burstchip),
        ("Python, numpy, numba", f"{session.python}, {session.numpy}, {session.numba}"),
        ("Machine", f"{session.system}, {session.processor}, {session.cores} cores"),
        ("SHA-256 of the artifacts", ", ".join(artifacts) or "none"),
    ]


def note_session(folder: Path, command: str, *, resumed: bool, then: str | None = None) -> None:
    """Write how a run is made, or add this session, and the command `then`, to a run that goes on.

    Raises `BurstchipError` (BC634) where what a resumed run holds is damaged.
    """
    path = folder / FILE
    if resumed and path.exists():
        before = read_provenance(path)
        whole = before.command if then is None else f"{before.command} && {then}"
        found = Provenance(command=whole, sessions=[*before.sessions, this_session()])
    else:
        found = Provenance(command=command, sessions=[this_session()])
    write_json(path, msgspec.to_builtins(found))


def read_provenance(path: Path) -> Provenance:
    """`provenance.json`. Raises `BurstchipError` (BC634)."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Provenance)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BurstchipError(
            Diagnostic(
                "BC634",
                f"'{path}' is damaged",
                required="what `burstchip train` writes",
                given=str(error),
                hint="remove the file: only the record of command, versions and machine is lost",
            )
        ) from error
