"""From generated text to machine code, kept on disk: what was compiled once loads in a fraction of a second.

The text is written to the cache folder under its own SHA-256, so that numba's file cache finds it again in
any later process. The hash covers what the text imports too.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from burstchip.backends.sim.kernel_source import Kernel
from burstchip.cache_folder import cache_folder
from compiler.artifact import write_whole
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC552": "the cache folder cannot be used"})

#: Modules whose functions the generated text calls.
IMPORTED = (
    "hw_models.program.arithmetic_numba",
    "hw_models.program.loop_numba",
    "hw_models.program.random",
    "hw_models.program.random_numba",
)


@lru_cache(maxsize=1)
def _imported_hash() -> str:
    import llvmlite
    import numba
    import numpy

    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__} {numpy.__version__}".encode())
    for name in IMPORTED:
        specification = importlib.util.find_spec(name)
        assert specification is not None and specification.origin is not None
        digest.update(Path(specification.origin).read_bytes())
    return digest.hexdigest()


def _load(path: Path, name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # numba's cache finds the functions of a module again by its name.
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


@lru_cache(maxsize=64)
def _module(text: str) -> ModuleType:
    digest = hashlib.sha256((_imported_hash() + text).encode()).hexdigest()[:24]
    path = cache_folder() / "kernels" / f"kernel_{digest}.py"
    # An existing file is never rewritten: numba's cache goes by its time stamp.
    try:
        if not path.is_file():
            write_whole(path, text.encode())
    except OSError as reason:
        raise BurstchipError(
            Diagnostic(
                "BC552",
                f"the compiled loop cannot be kept in '{path.parent}'",
                required="a cache folder that can be written to",
                given=reason.strerror or str(reason),
                hint="name another one by the environment variable BURSTCHIP_CACHE",
            )
        ) from None
    return _load(path, f"burstchip_kernel_{digest}")


def load_module(kernel: Kernel) -> ModuleType:
    """The module of a kernel: its `run`, and every function that `run` calls, each compiled on its own."""
    return _module(kernel.text)


def load_kernel(kernel: Kernel) -> Callable[..., Any]:
    """The compiled `run` of a kernel; it is compiled at its first call unless the cache has it."""
    function: Callable[..., Any] = load_module(kernel).run
    return function
