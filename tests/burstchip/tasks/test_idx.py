from __future__ import annotations

import gzip
import hashlib
import struct
import zlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burstchip.tasks.idx import read_idx
from hw_models.diagnostics import BurstchipError

IMAGES = struct.pack(">4I", 0x803, 2, 2, 3) + bytes(range(12))


def refusal(content: bytes, dimensions: int = 3) -> str:
    with pytest.raises(BurstchipError) as caught:
        read_idx(content, dimensions, "'f'")
    return str(caught.value)


def gzip_data(content: bytes) -> bytes | None:
    """What a gzip file holds; None where it is damaged."""
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return None


@pytest.mark.parametrize(
    "content",
    [IMAGES, gzip.compress(IMAGES), gzip.compress(IMAGES, mtime=0)],
    ids=["plain", "packed", "packed without a time"],
)
def test_values_and_checksum_do_not_depend_on_the_packing(content: bytes) -> None:
    array = read_idx(content, 3, "'f'")
    assert np.array_equal(array.values, np.arange(12).reshape(2, 2, 3))
    assert array.sha256 == hashlib.sha256(IMAGES).hexdigest()


def test_another_kind_of_data() -> None:
    assert refusal(IMAGES, dimensions=1) == (
        "error[BC522]: 'f' is not an IDX file of unsigned bytes in 1 dimension\n"
        "  required: magic number 0x00000801    given: 0x00000803    "
        "hint: images have magic number 0x00000803, labels 0x00000801"
    )


def test_another_type_another_format_and_nothing() -> None:
    assert "given: 0x00000d03" in refusal(struct.pack(">I", 0xD03) + IMAGES[4:])
    assert "given: 0x89504e47" in refusal(b"\x89PNG\r\n\x1a\n" + bytes(20))
    assert "given: a file of 0 bytes" in refusal(b"")
    assert "given: a file of 0 bytes" in refusal(gzip.compress(b""))


def test_ends_within_the_header() -> None:
    assert refusal(IMAGES[:10]) == (
        "error[BC523]: 'f' ends within its header\n"
        "  required: a header of 16 bytes    given: 10 bytes    hint: copy or fetch the file again"
    )


@pytest.mark.parametrize(
    ("content", "length"), [(IMAGES[:-1], "11 bytes"), (IMAGES + b"\0", "more than 12 bytes")]
)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_length_that_disagrees(content: bytes, length: str, zipped: bool) -> None:
    assert refusal(gzip.compress(content) if zipped else content) == (
        "error[BC523]: the length of 'f' disagrees with its header\n"
        f"  required: 2 x 2 x 3 = 12 bytes of data    given: {length}    hint: copy or fetch the file again"
    )


@pytest.mark.parametrize("sizes", [(0, 2, 3), (2**32 - 1, 2**32 - 1, 2**32 - 1)])
def test_an_impossible_size(sizes: tuple[int, int, int]) -> None:
    message = refusal(struct.pack(">4I", 0x803, *sizes) + bytes(12))
    assert message.startswith("error[BC523]: the header of 'f' states an impossible size")


@given(st.integers(0, len(gzip.compress(IMAGES, mtime=0)) - 1))
def test_a_truncated_gzip_file_never_passes(length: int) -> None:
    assert refusal(gzip.compress(IMAGES, mtime=0)[:length]).startswith("error[BC52")


@given(st.integers(10, len(gzip.compress(IMAGES, mtime=0)) - 1), st.integers(1, 255))
@example(33, 64)
def test_damage_to_a_gzip_file_never_changes_the_data(position: int, flip: int) -> None:
    content = bytearray(gzip.compress(IMAGES, mtime=0))
    content[position] ^= flip
    # A few bits, behind the last block, are not read by anybody.
    if gzip_data(bytes(content)) == IMAGES:
        assert read_idx(bytes(content), 3, "'f'").sha256 == hashlib.sha256(IMAGES).hexdigest()
    else:
        assert refusal(bytes(content)).startswith("error[BC52")
