"""Where a target is: the texts that name one.

tcp://127.0.0.1:5570                  a target that listens on a socket
serial:///dev/ttyACM0?baud=115200     a board on a serial line
child:COMMAND                         a command, lines of JSON on its standard input and output
child+msgpack:COMMAND                 the same with frames of MessagePack
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC886": "an address at which a target cannot be"})

FORMS = "tcp://HOST:PORT, serial:///dev/NAME?baud=N, child:COMMAND or child+msgpack:COMMAND"
BAUD = 115200
_MOST_BAUD = 4_000_000
_SCHEME = re.compile(r"(tcp|serial|child|child\+msgpack):(.*)", re.DOTALL)


@dataclass(frozen=True)
class Address:
    """A place of a target; `where` is a host, a device or a command, `number` a port or a baud rate."""

    kind: Literal["tcp", "serial", "child"]
    where: str
    number: int = 0
    lines: bool = False


def is_address(text: str) -> bool:
    """Whether a text names a target, and not a backend."""
    return _SCHEME.match(text) is not None


def parse_address(text: str) -> Address:
    """The address that a text stands for. Raises `BurstchipError` BC886."""
    split = _SCHEME.match(text)
    if split is None:
        raise _wrong(text, "no such scheme")
    scheme, rest = split[1], split[2]
    if scheme.startswith("child"):
        if not rest.strip():
            raise _wrong(text, "no command")
        return Address("child", rest, lines=scheme == "child")
    if scheme == "tcp":
        found = re.fullmatch(r"//(\[[0-9A-Fa-f:.]+\]|[^\s:/?#]+):(\d{1,5})/?", rest)
        if found is None or int(found[2]) > 65535:
            raise _wrong(text, "not a host and a port of 0 to 65535")
        return Address("tcp", found[1].strip("[]"), int(found[2]))
    found = re.fullmatch(r"//([^?]+)(?:\?baud=(\d{1,9}))?", rest)
    baud = BAUD if found is None or found[2] is None else int(found[2])
    if found is None or not 1 <= baud <= _MOST_BAUD:
        raise _wrong(text, f"not a device and a rate of 1 to {_MOST_BAUD} baud")
    return Address("serial", found[1], baud)


def _wrong(text: str, what: str) -> BurstchipError:
    message = f"'{text}' is not the address of a target: {what}"
    return BurstchipError(Diagnostic("BC886", message, required=FORMS, given=text or "nothing"))
