"""Compiled units, kept on disk: what was compiled once loads in a fraction of a millisecond.

A unit's machine code lies in the cache folder under the SHA-256 of all that it follows from: its text, what
the text imports, the versions of the compilers, and the machine.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock

import msgspec

from burstchip.backends.compiling import report_compiling
from burstchip.backends.sim.machine_code import MachineCode, compiled, load, machine
from burstchip.backends.sim.unit import Call
from burstchip.cache_folder import cache_folder
from burstchip.machine import version_of
from compiler.whole_file import write_whole
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC552": "the cache folder cannot be used"})

#: Modules that texts import, and what these import.
IMPORTED = (
    "burstchip.backends.sim.code.arithmetic",
    "burstchip.backends.sim.code.arriving",
    "burstchip.backends.sim.code.clock",
    "burstchip.backends.sim.code.courses",
    "burstchip.backends.sim.code.draws",
    "burstchip.backends.sim.code.frame",
    "burstchip.backends.sim.code.functions",
    "burstchip.backends.sim.code.lists",
    "burstchip.backends.sim.code.loop",
    "burstchip.backends.sim.code.meeting",
    "burstchip.backends.sim.code.prefetch",
    "burstchip.backends.sim.code.rows",
    "burstchip.backends.sim.code.scratch",
    "burstchip.backends.sim.code.subnormals",
    "burstchip.backends.sim.code.sums",
    "burstchip.backends.sim.code.traces",
    "burstchip.backends.sim.code.vector_draws",
    "burstchip.backends.sim.code.vectors",
    "burstchip.backends.sim.code.words",
    "hw_models.elementary",
    "hw_models.program.arrivals",
    "hw_models.program.random",
)
_LOOP = "burstchip.backends.sim.code.steps"
#: The type of a unit: it is given two addresses, and gives nothing back.
UNIT = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)

#: Threads that classify share units; each is compiled by one of them.
_lock = Lock()


@lru_cache(maxsize=1)
def _imported_hash() -> str:
    versions = [sys.version, *(version_of(it) for it in ("numba", "llvmlite", "numpy"))]
    digest = hashlib.sha256(" ".join([*versions, machine()]).encode())
    for name in IMPORTED:
        digest.update(_source(name))
    return digest.hexdigest()


def source_of(name: str) -> str:
    """The text of a module that is compiled as it is."""
    return _source(name).decode()


def _source(name: str) -> bytes:
    specification = importlib.util.find_spec(name)
    assert specification is not None and specification.origin is not None
    return Path(specification.origin).read_bytes()


def _digest(text: str) -> str:
    return hashlib.sha256((_imported_hash() + text).encode()).hexdigest()[:24]


def _kept(path: Path) -> MachineCode | None:
    """What the cache has, if it is whole."""
    try:
        data = path.read_bytes()
        code = msgspec.msgpack.decode(data[32:], type=MachineCode)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return code if hashlib.sha256(data[32:]).digest() == data[:32] else None


# Without a limit: a run holds the addresses of its units, which must stay as long as the process.
@cache
def _address(text: str) -> int:
    digest = _digest(text)
    path = cache_folder() / "units" / f"unit_{digest}"
    with _storing(path.parent):
        code = _kept(path)
        if code is None:
            report_compiling()
            code = compiled(text, f"burstchip_unit_{digest}")
            data = msgspec.msgpack.encode(code)
            write_whole(path, hashlib.sha256(data).digest() + data)
    return load(code)


@contextmanager
def _storing(folder: Path) -> Iterator[None]:
    """Raise `BurstchipError` BC552 where machine code cannot be stored."""
    try:
        yield
    except OSError as reason:
        raise BurstchipError(
            Diagnostic(
                "BC552",
                f"the compiled loop cannot be stored in '{folder}'",
                required="a cache folder that can be written to, with room",
                given=reason.strerror or str(reason),
                hint="name another one by the environment variable BURSTCHIP_CACHE",
            )
        ) from None


def load_text(text: str) -> int:
    """The address of the compiled unit of a text; it is compiled unless the cache has it."""
    with _lock:
        return _address(text)


def load_unit(call: Call) -> int:
    """The address of a call's compiled unit."""
    return load_text(call.text)


@cache
def load_loop() -> Callable[[int, int], None]:
    """The loop over steps: the text of `code.steps`, kept as a unit is."""
    return UNIT(load_text(source_of(_LOOP)))
