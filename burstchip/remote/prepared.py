"""A program in the form that a target reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from burstchip.remote.flat import flat_of
from burstchip.remote.messages import Form
from compiler.artifact import artifact_sha256, dump_with_sha256
from compiler.ir.chip_program import ChipProgram


@dataclass(frozen=True)
class Prepared:
    """What a host announces of a program: its hashes, and how many bytes it has."""

    code: ChipProgram
    artifact: str
    sha256: str
    size: int


def prepare(code: ChipProgram, form: Form) -> tuple[Prepared, bytes]:
    """(the announcement of a program in this form, its bytes). Raises `BurstchipError` BC888 without one."""
    data, artifact = bytes_of(code, form)
    return Prepared(code, artifact, hashlib.sha256(data).hexdigest(), len(data)), data


def bytes_of(code: ChipProgram, form: Form) -> tuple[bytes, str]:
    """(the bytes of a program in this form, the hash of its artifact)."""
    if form == "artifact":
        return dump_with_sha256(code)
    artifact = artifact_sha256(code)
    return flat_of(code, artifact), artifact
