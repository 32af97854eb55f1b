"""The arrays of a `.npz` file, read strictly: sizes are known before anything is unpacked, nothing is run."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from compiler.machine_memory import as_bytes, available_memory
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC670": "a file of one's own data is missing or cannot be read",
        "BC671": "a file of one's own data does not hold the arrays that it must",
        "BC672": "an array of one's own data has the wrong type or shape",
        "BC676": "one's own data are empty or do not fit in memory",
    }
)

#: Its functions are not typed in every numpy.
_FORMAT: Any = np.lib.format
#: Bytes of a file that are hashed at a time.
_PART = 1 << 20
#: What a zip file and the arrays in it fail with where they are damaged.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    ValueError,
    EOFError,
    KeyError,
    TypeError,
    SyntaxError,
    TokenError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
)


@dataclass(frozen=True)
class Header:
    """What an array is, said before its numbers."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        """What its numbers take."""
        return prod(self.shape) * self.dtype.itemsize


def error(id: str, message: str, required: str, given: str, hint: str | None = None) -> BurstchipError:
    """A `BurstchipError` with one message."""
    return BurstchipError(Diagnostic(id, message, required=required, given=given, hint=hint))


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes. Raises `BurstchipError` BC670 where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(_PART):
                digest.update(part)
    except OSError as reason:
        raise _unreadable(path, reason) from None
    return digest.hexdigest()


def read_arrays(
    path: Path, forms: Collection[frozenset[str]], *, copies: int = 1, available: int | None = None
) -> dict[str, NDArray[Any]]:
    """The arrays of that set of names in `forms` which the file has.

    `copies` says how often the arrays will be held in memory, of which `available` bytes may be taken (None:
    what the machine says). Raises `BurstchipError`: BC670 for a file that is none or damaged, BC671 for
    arrays that are missing or too many, BC672 for one of objects or of no numbers, BC676 for empty or too
    large ones.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            names = _form(path, frozenset(members), forms)
            headers = {}
            for name in names:
                with archive.open(members[name]) as stream:
                    headers[name] = _header(path, name, stream)
            _require_room(path, headers, copies, available_memory() if available is None else available)
            return {name: _array(path, name, archive, members[name]) for name in names}
    except DAMAGED as reason:
        raise _unreadable(path, reason) from None


def _unreadable(path: Path, reason: BaseException) -> BurstchipError:
    missing = isinstance(reason, FileNotFoundError)
    given = "no such file" if missing else (str(reason).splitlines() or [type(reason).__name__])[0]
    return error(
        "BC670",
        f"data file '{path}' {'is missing' if missing else 'cannot be read'}",
        "a .npz file, as numpy.savez writes it",
        given,
    )


def _form(path: Path, found: frozenset[str], forms: Collection[frozenset[str]]) -> list[str]:
    """The names of the arrays to read."""
    whole = [form for form in forms if form <= found]
    ways = " or ".join(", ".join(sorted(form)) for form in forms)
    if len(whole) != 1:
        raise error(
            "BC671",
            f"data file '{path}' " + ("holds both forms of data" if whole else "does not hold the arrays"),
            f"the arrays {ways}",
            ", ".join(sorted(found)) or "an empty file",
        )
    unread = sorted(found - whole[0])
    if unread:
        raise error(
            "BC671",
            f"data file '{path}' holds arrays that nothing reads",
            f"the arrays {ways} alone",
            ", ".join(unread),
        )
    return sorted(whole[0])


def read_header(stream: IO[bytes], name: str) -> Header:
    """The header at the beginning of an array in numpy's format; raises one of `DAMAGED`."""
    version = _FORMAT.read_magic(stream)
    read = {(1, 0): _FORMAT.read_array_header_1_0, (2, 0): _FORMAT.read_array_header_2_0}
    if version not in read:
        raise ValueError(f"'{name}' is in version {version} of the format, not 1.0 or 2.0")
    return Header(*read[version](stream))


def _header(path: Path, name: str, stream: IO[bytes]) -> Header:
    header = read_header(stream, name)
    dtype = header.dtype
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        pickled = dtype.hasobject
        raise error(
            "BC672",
            f"array '{name}' of '{path}' does not hold real numbers",
            "integers, booleans or floats of at most 64 bits",
            "pickled objects, which are not read" if pickled else str(dtype),
        )
    return header


def _require_room(path: Path, headers: dict[str, Header], copies: int, available: int | None) -> None:
    for name, header in headers.items():
        if prod(header.shape) == 0:
            raise error("BC676", f"array '{name}' of '{path}' is empty", "at least one sample", _text(header))
    needed = copies * sum(header.bytes for header in headers.values())
    if available is not None and needed > available:
        raise error(
            "BC676",
            f"the data of '{path}' do not fit in memory",
            f"at most {as_bytes(available)}, which is available",
            f"{as_bytes(needed)}: {', '.join(f'{name} {_text(header)}' for name, header in headers.items())}",
            "fewer samples, or numbers of fewer bits, such as uint8",
        )


def _text(header: Header) -> str:
    return f"{header.dtype} {list(header.shape)}"


def _array(path: Path, name: str, archive: zipfile.ZipFile, member: str) -> NDArray[Any]:
    with archive.open(member) as stream:
        array: NDArray[Any] = _FORMAT.read_array(stream, allow_pickle=False)
        # The stream's checksum is compared at its end alone.
        if stream.read(1):
            raise ValueError(f"array '{name}' is followed by more than its shape says")
    native: NDArray[Any] = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    return native
