"""Reads a file into text: bytes, encoding, size and the characters that YAML allows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from burstchip.frontend.report import Report
from burstchip.frontend.tree import Span
from hw_models.diagnostics import register_codes

register_codes({"BC695": "an artifact where a network is wanted"})

#: Larger files hold lists that belong into a tensor file: parsing takes about three seconds a MiB.
MOST_BYTES = 4 * 2**20

#: How an artifact begins, behind the length of its header.
_ARTIFACT = b'{"__metadata__":{"burstchip":'

#: What ends a line in YAML 1.1.
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")

#: Everything that YAML 1.1 does not allow in a text.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Wanted:
    """What a file is to hold, how a user gets one, its greatest size and how to stay below it."""

    what: str
    begin: str
    most_bytes: int
    smaller: str


NETWORK = Wanted(
    "a network",
    "`burstchip new digits DIR` writes one to begin with",
    MOST_BYTES,
    "long lists come from files: pairs: {file: ...}, events: {file: ..., unit: ms}",
)


def read_text(path: Path, report: Report, wanted: Wanted = NETWORK) -> str | None:
    """The text of the file, or None where `report` says why not. Sets the report's lines."""
    try:
        with path.open("rb") as file:
            data = file.read(wanted.most_bytes + 1)
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        report.add("BC001", None, f"cannot read {report.file}", required="a file", given=reason)
        return None
    if data[8:].startswith(_ARTIFACT):
        report.add(
            "BC695",
            None,
            f"{report.file} is an artifact, not {wanted.what}",
            required=f"{wanted.what}'s YAML file",
            given="what `burstchip compile` wrote",
            hint=f"burstchip run {report.file} --steps 1000 -o out.nc" if wanted is NETWORK else None,
        )
        return None
    if len(data) > wanted.most_bytes:
        most = wanted.most_bytes
        report.add(
            "BC008",
            None,
            f"{report.file} is too large",
            required=f"at most {most >> 20} MiB" if most >= 1 << 20 else f"at most {most >> 10} KiB",
            hint=wanted.smaller,
        )
        return None
    text = _decoded(data, report)
    if text is None:
        return None
    report.lines = _LINE_END.split(text)
    bad = _FORBIDDEN.search(text)
    if bad is not None:
        report.add(
            "BC004",
            _span_at(text, bad.start()),
            "a character that YAML does not allow",
            required="printable text",
            given=f"U+{ord(bad.group()):04X}",
        )
        return None
    if all(not line.strip() or line.lstrip().startswith("#") for line in report.lines):
        report.add(
            "BC003",
            Span(1, 1, 1),
            "the file is empty",
            required=wanted.what,
            hint=wanted.begin,
        )
        return None
    return text


def _decoded(data: bytes, report: Report) -> str | None:
    try:
        # The byte order mark that some editors put first is not part of the text.
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as problem:
        before = data[: problem.start].decode("utf-8").removeprefix("\ufeff")
        report.lines = _LINE_END.split(before + "\ufffd")
        hint = None
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            hint = "the file looks like UTF-16: save it as UTF-8"
        report.add(
            "BC002",
            _span_at(before + "\ufffd", len(before)),
            "the file is not UTF-8 text",
            required="UTF-8",
            given=f"byte 0x{data[problem.start]:02x}",
            hint=hint,
        )
        return None


def _span_at(text: str, index: int) -> Span:
    before = _LINE_END.split(text[:index])
    return Span(len(before), len(before[-1]) + 1, 1)
