"""Splits of a data set, kept in the cache folder: drawing one brings scikit-learn in, which takes a second.

A kept split is used only if it was drawn by the same versions of what draws it and is whole; it is then what
would be drawn again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.cache_folder import cache_folder
from compiler.whole_file import write_whole

Arrays = dict[str, NDArray[np.uint8]]

_DRAWN_BY = ("scikit-learn", "numpy")


def _path(name: str, split: int) -> Path:
    versions = "-".join(version(package) for package in _DRAWN_BY)
    return cache_folder() / "splits" / f"{name}-{split}-{versions}.safetensors"


def _sha256(arrays: Mapping[str, NDArray[np.uint8]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].shape}\n".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def kept_split(name: str, split: int) -> Arrays | None:
    """The arrays of a split as they were kept, or None where there are none, or they are damaged."""
    from safetensors import SafetensorError, safe_open

    path = _path(name, split)
    if not path.is_file():
        return None
    with suppress(SafetensorError, OSError, ValueError, TypeError), safe_open(path, framework="np") as file:
        arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        if (file.metadata() or {}).get("sha256") == _sha256(arrays):
            return arrays
    return None


def keep_split(name: str, split: int, arrays: Arrays) -> None:
    """Keep the arrays of a split, where the cache folder can be written to; nothing depends on it."""
    from safetensors.numpy import save

    with suppress(OSError):
        write_whole(_path(name, split), save(arrays, metadata={"sha256": _sha256(arrays)}))
