"""The IDX format of unsigned bytes: a big-endian magic number, the sizes of the dimensions, then the data.

The magic number is 0x0000TTDD: type TT (0x08: unsigned byte, the only one read here) and number of
dimensions DD. Source: the description that accompanies the MNIST files (LeCun, Cortes, Burges).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import zlib
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from hw_models.diagnostics import BurstchipError, Diagnostic

#: No data set read here comes near it; a header that claims more is damage or malice.
GREATEST_LENGTH = 1 << 30
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class IdxArray:
    """The array of an IDX file and the SHA-256 of the whole unpacked file, by which it is recognised."""

    values: NDArray[np.uint8]
    sha256: str


def read_idx(content: bytes, dimensions: int, source: str) -> IdxArray:
    """The unsigned bytes in `content`, an IDX file of `dimensions` dimensions, gzipped or plain.

    Its content, not its name, decides whether it is gzipped. `source` names the file in messages.
    Raises `BurstchipError`: BC521 for a gzip stream that does not unpack, BC522 for another format,
    type or number of dimensions, BC523 for a length other than the header states.
    """
    if not content.startswith(_GZIP_MAGIC):
        return _parse(io.BytesIO(content), dimensions, source)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as unpacked:
            return _parse(cast(BinaryIO, unpacked), dimensions, source)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BurstchipError(
            Diagnostic(
                id="BC521",
                message=f"{source} does not unpack: it is truncated or damaged",
                required="a complete gzip file",
                given=f"{len(content):,} bytes; {error}",
                hint="copy or fetch the file again",
            )
        ) from error


def _parse(stream: BinaryIO, dimensions: int, source: str) -> IdxArray:
    header = stream.read(4 + 4 * dimensions)
    magic = 0x0800 + dimensions
    given = int.from_bytes(header[:4], "big")
    if len(header) < 4 or given != magic:
        raise BurstchipError(
            Diagnostic(
                id="BC522",
                message=f"{source} is not an IDX file of unsigned bytes in {_dimensions(dimensions)}",
                required=f"magic number 0x{magic:08x}",
                given=f"0x{given:08x}" if len(header) >= 4 else f"a file of {len(header)} bytes",
                hint="images have magic number 0x00000803, labels 0x00000801",
            )
        )
    if len(header) < 4 + 4 * dimensions:
        raise BurstchipError(
            Diagnostic(
                id="BC523",
                message=f"{source} ends within its header",
                required=f"a header of {4 + 4 * dimensions} bytes",
                given=f"{len(header)} bytes",
                hint="copy or fetch the file again",
            )
        )
    shape = tuple(int(size) for size in np.frombuffer(header, ">u4", offset=4))
    length = math.prod(shape)
    sizes = " x ".join(str(size) for size in shape)
    if not 0 < length <= GREATEST_LENGTH:
        raise BurstchipError(
            Diagnostic(
                id="BC523",
                message=f"the header of {source} states an impossible size",
                required=f"1 to {GREATEST_LENGTH:,} bytes of data",
                given=f"{sizes} = {length:,} bytes",
                hint="copy or fetch the file again",
            )
        )
    # One byte more than stated shows what follows the data; for gzip it also has the checksum verified.
    data = stream.read(length)
    surplus = stream.read(1)
    if len(data) != length or surplus:
        raise BurstchipError(
            Diagnostic(
                id="BC523",
                message=f"the length of {source} disagrees with its header",
                required=f"{sizes} = {length:,} bytes of data",
                given=f"{len(data):,} bytes" if not surplus else f"more than {length:,} bytes",
                hint="copy or fetch the file again",
            )
        )
    digest = hashlib.sha256(header)
    digest.update(data)
    return IdxArray(np.frombuffer(data, np.uint8).reshape(shape), digest.hexdigest())


def _dimensions(number: int) -> str:
    return "1 dimension" if number == 1 else f"{number} dimensions"
