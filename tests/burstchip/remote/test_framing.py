"""Messages to bytes and back, whatever the parts in which they arrive; and bytes that are no message."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstchip.remote.arrays import packed, state_sha256, unpacked
from burstchip.remote.failures import BadFrame, Failure
from burstchip.remote.framing import decoder, frame_of, line_of
from burstchip.remote.messages import (
    Advance,
    Answer,
    Array,
    Hello,
    Request,
    StreamRows,
    Timestamp,
    Write,
    name_of,
)

MESSAGES = [
    Hello(protocol=1, host="here", id=0),
    Write("drive", packed(np.arange(4)), id=1),
    Advance(3, (StreamRows("s", 7, packed(np.zeros((2, 3), dtype=np.int16))),), id=2),
    Timestamp(id=(1 << 53) - 1),
]


@given(cuts=st.lists(st.integers(1, 40), min_size=1), lines=st.booleans())
def test_messages_arrive_in_any_parts(cuts: list[int], lines: bool) -> None:
    data = b"".join((line_of if lines else frame_of)(it) for it in MESSAGES)
    reading, found, place = decoder(lines=lines, requests=True), [], 0
    while place < len(data):
        size = cuts[place % len(cuts)]
        reading.feed(data[place : place + size])
        place += size
        while (message := reading.take()) is not None:
            found.append(message)
    assert found == MESSAGES and not reading.begun


BAD: list[tuple[bool, bytes, Failure]] = [
    (True, b"hello\n", Failure.rubbish),
    (True, b'{"type": "hello", "id": 0, "protocol": "one", "host": ""}\n', Failure.rubbish),
    (True, b'{"type": "nothing", "id": 0}\n', Failure.rubbish),
    (True, b'{"type": "timestamp", "id": 0, "more": 1}\n', Failure.rubbish),
    (True, b'{"type": "timestamp", "id": -1}\n', Failure.rubbish),
    (True, b"[" * 5000 + b"\n", Failure.rubbish),
    (True, b"\xff\xfe\n", Failure.rubbish),
    (True, b"x" * 10_001, Failure.too_large),
    (False, b"\xff\xff\xff\x7f" + bytes(4), Failure.too_large),
    (False, frame_of(Timestamp(id=5))[:-1] + b"\0", Failure.damaged),
    (False, b"\1\0\0\0\x1b\xdf\x05\xa5\xc1", Failure.damaged),
]


@pytest.mark.parametrize(("lines", "data", "reason"), BAD)
def test_what_is_not_a_message_has_a_name(lines: bool, data: bytes, reason: Failure) -> None:
    reading = decoder(lines=lines, requests=True, most=10_000)
    reading.feed(data)
    with pytest.raises(BadFrame) as raised:
        reading.take()
    assert raised.value.reason is reason


@pytest.mark.parametrize("lines", [True, False])
def test_the_message_behind_a_bad_one_is_read(lines: bool) -> None:
    reading, encode = decoder(lines=lines, requests=True), line_of if lines else frame_of
    reading.feed(encode(Timestamp(id=1)).replace(b"timestamp", b"timestomp"))
    reading.feed(encode(MESSAGES[3]))
    with pytest.raises(BadFrame):
        reading.take()
    assert reading.take() == MESSAGES[3]


@pytest.mark.parametrize(
    "kind", ["int8", "uint8", "bool", "int16", "int32", "int64", "float32", "float64", ">i4"]
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
def test_arrays_keep_type_shape_and_numbers(kind: str, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(1).integers(0, 2, shape).astype(kind)
    again = unpacked(packed(values))
    assert again.shape == shape and again.dtype == values.dtype.newbyteorder("=") and again.flags.writeable
    np.testing.assert_array_equal(values, again)


@pytest.mark.parametrize(
    "array",
    [Array("<i4", (3,), b"1234"), Array("<i2", (1 << 30, 1 << 30, 1 << 30), b""), Array("|b1", (1,), b"\2")],
)
def test_arrays_whose_parts_do_not_fit(array: Array) -> None:
    with pytest.raises(ValueError, match="bytes for|truth values"):
        unpacked(array)


def test_both_encodings_hold_the_same() -> None:
    for message in MESSAGES:
        line: Any = msgspec.json.decode(line_of(message), type=Request)
        frame: Any = msgspec.msgpack.decode(frame_of(message)[8:], type=Request)
        assert line == frame == message


def test_names_of_messages_are_told_apart() -> None:
    names = [it.__struct_config__.tag for union in (Request, Answer) for it in union.__args__]  # type: ignore[attr-defined]
    assert len(set(names)) == len(names)
    assert name_of(MESSAGES[0]) == "hello"


def test_the_hash_of_a_state_is_over_names_types_shapes_and_values() -> None:
    first = {"b": np.array([1, -2], dtype=np.int64), "a": np.zeros((2, 1), dtype=np.int8)}
    text = b"a |i1 [2, 1]\n\0\0b <i8 [2]\n" + np.array([1, -2], dtype="<i8").tobytes()
    assert state_sha256(first) == hashlib.sha256(text).hexdigest()
    for other in (
        {"b": first["b"]},
        {**first, "a": np.zeros(2, dtype=np.int8)},
        {**first, "b": first["b"] * 2},
    ):
        assert state_sha256(other) != state_sha256(first)
