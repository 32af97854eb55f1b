"""Messages as bytes: lines of JSON, or MessagePack behind its length and checksum.

    line    JSON without line breaks, then "\\n"; bytes within it are in base64
    frame   length of the payload, its CRC-32 (4 bytes each, little-endian), the payload in MessagePack

A decoder takes whatever arrives and gives the messages that are whole. It holds at most one message of the
declared size, and reads nothing but what the schema allows.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, Protocol

import msgspec

from burstchip.remote.failures import BadFrame, Failure
from burstchip.remote.messages import MOST_FRAME, Answer, Message, Request

_HEAD = struct.Struct("<II")
#: Bytes before the payload of a frame.
FRAME_HEAD = _HEAD.size
_JSON, _PACKED = msgspec.json.Encoder(), msgspec.msgpack.Encoder()


class Decoder(Protocol):
    """Bytes to messages."""

    @property
    def begun(self) -> bool:
        """Whether a part of a message is held."""

    def feed(self, data: bytes) -> None:
        """Take bytes that arrived."""

    def take(self) -> Any:
        """The next whole message, or None. Raises `BadFrame`; the message after a bad one can be taken."""


def line_of(message: Message) -> bytes:
    """The message as a line of JSON."""
    return _JSON.encode(message) + b"\n"


def frame_of(message: Message) -> bytes:
    """The message as a frame of MessagePack."""
    payload = _PACKED.encode(message)
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


class LineDecoder:
    """Lines of JSON, of at most `most` bytes each."""

    def __init__(self, kind: Any, most: int = MOST_FRAME) -> None:
        self._decode, self._most = msgspec.json.Decoder(kind).decode, most
        self._held = bytearray()
        #: Bytes in which there is no line's end.
        self._searched = 0

    @property
    def begun(self) -> bool:
        """Whether a part of a message is held."""
        return bool(self._held)

    def feed(self, data: bytes) -> None:
        """Take bytes that arrived."""
        self._held += data

    def take(self) -> Any:
        """The next whole message, or None. Raises `BadFrame`."""
        end = self._held.find(b"\n", self._searched)
        length = len(self._held) if end < 0 else end
        if length > self._most:
            raise too_large(self._most, f"{length:,} bytes or more")
        if end < 0:
            self._searched = length
            return None
        line = bytes(memoryview(self._held)[:end])
        del self._held[: end + 1]
        self._searched = 0
        return _decoded(self._decode, line)


class FrameDecoder:
    """Frames of MessagePack, of at most `most` bytes each."""

    def __init__(self, kind: Any, most: int = MOST_FRAME) -> None:
        self._decode, self._most = msgspec.msgpack.Decoder(kind).decode, most
        self._held = bytearray()

    @property
    def begun(self) -> bool:
        """Whether a part of a message is held."""
        return bool(self._held)

    def feed(self, data: bytes) -> None:
        """Take bytes that arrived."""
        self._held += data

    def take(self) -> Any:
        """The next whole message, or None. Raises `BadFrame`."""
        if len(self._held) < _HEAD.size:
            return None
        length, checksum = _HEAD.unpack_from(self._held)
        if length > self._most:
            raise too_large(self._most, f"a length of {length:,} bytes")
        end = _HEAD.size + length
        if len(self._held) < end:
            return None
        payload = bytes(memoryview(self._held)[_HEAD.size : end])
        del self._held[:end]
        found = zlib.crc32(payload)
        if found != checksum:
            expected = f"a payload with the checksum {checksum:08x}"
            raise BadFrame(Failure.damaged, expected, f"one with {found:08x}")
        return _decoded(self._decode, payload)


def too_large(most: int, given: str) -> BadFrame:
    """The error of a message beyond the limit."""
    return BadFrame(Failure.too_large, f"a message of at most {most:,} bytes", given)


def _decoded(decode: Any, payload: bytes) -> Any:
    try:
        return decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as reason:
        given = f"{payload[:40]!r}{'...' if len(payload) > 40 else ''} ({reason})"
        raise BadFrame(Failure.rubbish, "a message of the protocol", given) from None


def decoder(*, lines: bool, requests: bool, most: int = MOST_FRAME) -> Decoder:
    """What reads the requests of a host or the answers of a target."""
    kind = Request if requests else Answer
    return LineDecoder(kind, most) if lines else FrameDecoder(kind, most)
