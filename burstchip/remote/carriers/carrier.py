"""A carrier: whole messages to the other side and back, each within its time."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from typing import Any, Protocol

from burstchip.remote.failures import Gone, Silence, TooLarge
from burstchip.remote.framing import FRAME_HEAD, Decoder, frame_of, line_of
from burstchip.remote.messages import MOST_FRAME, Message

#: Bytes that are read or written at once.
_PART = 1 << 16


class Carrier(Protocol):
    """What a connection sends messages by. Times are those of `time.monotonic`; None waits for ever.

    `most` are the bytes of the largest message that the other side takes.
    """

    most: int

    def send(self, message: Message, deadline: float | None = None) -> None:
        """Send a whole message. Raises `Silence` where it is not taken in time, `Gone`, `TooLarge`."""

    def receive(self, deadline: float | None = None) -> Any:
        """The next message. Raises `Silence`, `Gone`, or `BadFrame` for what is none."""

    def close(self) -> None:
        """Give back what the carrier holds."""


class Descriptors:
    """A carrier over two file descriptors, one to read and one to write, which may be the same.

    `lines` says whether messages are lines of JSON or frames of MessagePack. `said` tells what the other side
    left when it ended.
    """

    def __init__(
        self,
        read: int,
        write: int,
        decoder: Decoder,
        *,
        lines: bool,
        said: Callable[[], str] = str,
    ) -> None:
        self._read, self._write, self._decoder, self._said = read, write, decoder, said
        self._encode, self.most = line_of if lines else frame_of, MOST_FRAME
        for descriptor in {read, write}:
            os.set_blocking(descriptor, False)

    def send(self, message: Message, deadline: float | None = None) -> None:
        """Send a whole message. Raises `Silence`, `Gone`, `TooLarge`."""
        whole = self._encode(message)
        if len(whole) > self.most + FRAME_HEAD:
            raise TooLarge(len(whole), self.most)
        left = memoryview(whole)
        while left:
            try:
                left = left[os.write(self._write, left[:_PART]) :]
            except BlockingIOError:
                if not _ready(self._write, deadline, writing=True):
                    raise Silence(begun=False) from None
            except OSError:
                raise Gone(self._said()) from None

    def receive(self, deadline: float | None = None) -> Any:
        """The next message. Raises `Silence`, `Gone`, `BadFrame`."""
        while (message := self._decoder.take()) is None:
            # A serial line without data reads as one that has ended.
            if not _ready(self._read, deadline, writing=False):
                raise Silence(begun=self._decoder.begun)
            try:
                data = os.read(self._read, _PART)
            except BlockingIOError:
                continue
            except OSError:
                # A pseudo-terminal whose other side is closed, or a connection that was reset.
                data = b""
            if not data:
                raise Gone(self._said(), begun=self._decoder.begun)
            self._decoder.feed(data)
        return message

    def close(self) -> None:
        """The descriptors belong to who opened them."""


def _ready(descriptor: int, deadline: float | None, *, writing: bool) -> bool:
    """Whether the descriptor can be read or written before the deadline."""
    seconds = None if deadline is None else max(0.0, deadline - time.monotonic())
    watched = select.poll()
    watched.register(descriptor, select.POLLOUT if writing else select.POLLIN)
    return bool(watched.poll(None if seconds is None else seconds * 1000))
