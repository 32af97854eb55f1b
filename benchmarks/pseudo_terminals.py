"""A serial line without a cable: two pseudo-terminals, each of which hears what the other is sent."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

#: Bytes that are carried at once.
_PART = 1 << 12


@contextmanager
def serial_line() -> Iterator[tuple[str, str]]:
    """The names of the two devices, which exist until the end of the block."""
    ends = [os.openpty() for _ in range(2)]
    for _, device in ends:
        # Nothing is echoed or translated, whoever opens it first.
        tty.setraw(device)
    masters = [master for master, _ in ends]
    told_to_stop, stop = os.pipe()
    carrying = threading.Thread(target=_carry, args=(masters, told_to_stop), daemon=True)
    carrying.start()
    try:
        yield os.ttyname(ends[0][1]), os.ttyname(ends[1][1])
    finally:
        os.write(stop, b"x")
        carrying.join()
        for descriptor in (*masters, *(device for _, device in ends), told_to_stop, stop):
            os.close(descriptor)


def _carry(masters: list[int], stop: int) -> None:
    one, other = masters
    while True:
        ready, _, _ = select.select([one, other, stop], [], [])
        if stop in ready:
            return
        for master in ready:
            os.write(other if master == one else one, os.read(master, _PART))
