"""Bytes of any file: flipped, lost, put in, doubled, moved, or a great number where a small one was."""

from __future__ import annotations

import struct
from random import Random

#: Numbers at the ends of the types that headers use.
EDGES = (
    0,
    1,
    127,
    128,
    255,
    1 << 15,
    (1 << 16) - 1,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    (1 << 63) - 1,
    (1 << 64) - 1,
)
WAYS = (
    "flip",
    "set",
    "delete",
    "insert",
    "end",
    "double",
    "move",
    "zero",
    "number",
    "number",
    "append",
    "empty",
)


def alter_bytes(data: bytes, draw: Random) -> tuple[bytes, str]:
    """(other bytes, what was done)."""
    if not data:
        return draw.randbytes(draw.choice((1, 8, 64))), "bytes where there were none"
    how = draw.choice(WAYS)
    if how == "empty" and draw.random() < 0.7:
        how = "flip"
    # Headers decide more than what follows them.
    at = draw.randrange(min(len(data), draw.choice((16, 256, 1 << 30))))
    length = draw.choice((1, 1, 2, 4, 8, 64, 512))
    changed = bytearray(data)
    if how == "flip":
        changed[at] ^= 1 << draw.randrange(8)
    elif how == "set":
        changed[at] = draw.choice((0, 1, 10, 34, 127, 128, 255, draw.randrange(256)))
    elif how == "delete":
        del changed[at : at + length]
    elif how == "insert":
        changed[at:at] = draw.randbytes(length)
    elif how == "end":
        del changed[at:]
    elif how == "double":
        changed[at:at] = changed[at : at + length]
    elif how == "move":
        part = bytes(changed[at : at + length])
        to = draw.randrange(len(data))
        changed[to : to + len(part)] = part
    elif how == "zero":
        changed[at : at + length] = bytes(len(changed[at : at + length]))
    elif how == "number":
        form = draw.choice((">I", "<I", "<Q", "<H", ">H"))
        size = struct.calcsize(form)
        changed[at : at + size] = struct.pack(form, draw.choice(EDGES) & ((1 << 8 * size) - 1))
    elif how == "append":
        changed += draw.choice((draw.randbytes(length), bytes(changed[:length])))
    else:
        changed.clear()
    return bytes(changed), f"{how} at {at}"
