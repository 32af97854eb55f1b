"""From a unit's text to machine code, kept on disk: what was compiled once loads in a fraction of a second.

The text is written to the cache folder under its own SHA-256, so that numba's file cache finds it again in
any later process. The hash covers what the text imports too: numba itself looks at the file alone, and would
go on with a function that another version of an imported module was compiled into.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from types import ModuleType

from burstchip.backends.compiling import report_compiling
from burstchip.backends.sim.unit import Call
from burstchip.cache_folder import cache_folder
from compiler.whole_file import used_together, write_whole
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC552": "the cache folder cannot be used"})

#: Modules that texts import, and what these import.
IMPORTED = (
    "burstchip.backends.sim.code.arithmetic",
    "burstchip.backends.sim.code.clock",
    "burstchip.backends.sim.code.courses",
    "burstchip.backends.sim.code.draws",
    "burstchip.backends.sim.code.frame",
    "burstchip.backends.sim.code.lists",
    "burstchip.backends.sim.code.loop",
    "burstchip.backends.sim.code.prefetch",
    "burstchip.backends.sim.code.sums",
    "burstchip.backends.sim.code.traces",
    "burstchip.backends.sim.code.vector_draws",
    "burstchip.backends.sim.code.vectors",
    "burstchip.backends.sim.code.words",
    "hw_models.program.random",
)


#: Threads that classify share units; each is compiled by one of them.
_lock = Lock()


@lru_cache(maxsize=1)
def _imported_hash() -> str:
    import llvmlite
    import numba
    import numpy

    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__} {numpy.__version__}".encode())
    for name in IMPORTED:
        digest.update(_source(name))
    return digest.hexdigest()


def _source(name: str) -> bytes:
    specification = importlib.util.find_spec(name)
    assert specification is not None and specification.origin is not None
    return Path(specification.origin).read_bytes()


def _load(path: Path, name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # numba's cache finds the functions of a module again by its name.
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


# Without a limit: a run holds the addresses of its units, which must stay as long as the process.
@cache
def _module(text: str) -> ModuleType:
    digest = hashlib.sha256((_imported_hash() + text).encode()).hexdigest()[:24]
    path = cache_folder() / "units" / f"unit_{digest}.py"
    with storing(path.parent):
        _share(path.parent)
        # An existing file is never rewritten: numba's cache goes by its time stamp.
        if not path.is_file():
            report_compiling()
            write_whole(path, text.encode())
        return _load(path, f"burstchip_unit_{digest}")


@cache
def _share(folder: Path) -> int | None:
    """Hold the folder as long as the process, and remove numba's files that killed processes left."""
    folder.mkdir(parents=True, exist_ok=True)
    return used_together(folder, "__pycache__/*.tmp.*")


@contextmanager
def storing(folder: Path | None = None) -> Iterator[None]:
    """Raise `BurstchipError` BC552 where numba, or a text, cannot be stored."""
    try:
        yield
    except (OSError, RuntimeError) as reason:
        given = (isinstance(reason, OSError) and reason.strerror) or str(reason)
        # numba's own words where neither the folder nor one of the user's can be written to.
        if isinstance(reason, RuntimeError) and not given.startswith("cannot cache function"):
            raise
        raise BurstchipError(
            Diagnostic(
                "BC552",
                f"the compiled loop cannot be stored in '{folder or cache_folder() / 'units'}'",
                required="a cache folder that can be written to, with room",
                given=given,
                hint="name another one by the environment variable BURSTCHIP_CACHE",
            )
        ) from None


def load_module(text: str) -> ModuleType:
    """The module of a text: its `unit`, and the functions that this calls."""
    with _lock:
        return _module(text)


def load_unit(call: Call) -> int:
    """The address of a call's compiled unit; it is compiled unless the cache has it."""
    address: int = load_module(call.text).unit.address
    return address


def load_loop() -> Callable[..., None]:
    """The loop over steps: the text of `code.steps`, kept as a unit is."""
    loop: Callable[..., None] = load_module(_source("burstchip.backends.sim.code.steps").decode()).run
    return loop
