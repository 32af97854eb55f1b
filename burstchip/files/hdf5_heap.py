"""What HDF5 lets a file say that is not so: heaps without an end, arrays that are not there.

Texts lie in heaps, of which the library follows some damaged ones for ever. A heap is `GCOL`, a version,
three zeros, its size in 8 bytes, then objects: a number and a count in 2 bytes each, four zeros, a length in
8 bytes, the content to a multiple of 8 bytes. Number 0 is the free space; its length counts from its own
first byte, and one of 0 leads nowhere.
Source: HDF5 File Format Specification 3.0, III.E, global heap.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

_SIGNATURE = b"GCOL\x01\x00\x00\x00"
_HEAD = 16
#: No compression that HDF5 comes with makes one byte of more than some thousand; an array of which nothing
#: was written takes none.
_MOST_UNPACKED, _SLACK = 2000, 1 << 20


def can_hold(file_bytes: int, array_bytes: int) -> bool:
    """Whether a file of this length can hold arrays of so many bytes, compressed as far as it goes."""
    return array_bytes <= _MOST_UNPACKED * file_bytes + _SLACK


def has_endless_heap(path: Path) -> bool:
    """Whether a heap of the file has free space without a length. Raises OSError, ValueError if empty."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return any(_is_endless(data, at) for at in _heaps(data))


def _heaps(data: mmap.mmap) -> Iterator[int]:
    at = data.find(_SIGNATURE)
    while at >= 0:
        yield at
        at = data.find(_SIGNATURE, at + 1)


def _is_endless(data: mmap.mmap, start: int) -> bool:
    end = min(start + _number(data, start + 8, 8), len(data))
    at = start + _HEAD
    while at + _HEAD <= end:
        length = _number(data, at + 8, 8)
        if _number(data, at, 2):
            at += _HEAD + (length + 7) // 8 * 8
        elif length == 0:
            return True
        else:
            at += length
    return False


def _number(data: mmap.mmap, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")
