"""Arrays as messages carry them, and the hash over a state."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.remote.messages import Array


def packed(values: Any) -> Array:
    """Numbers as a message carries them; of integers the type stays as it is."""
    array = np.asarray(values)
    # An array of one number stays one: `ascontiguousarray` would make it a list.
    little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    return Array(little.dtype.str, little.shape, little.tobytes())  # type: ignore[arg-type]


def unpacked(array: Array) -> NDArray[Any]:
    """The numbers of a message, in memory of their own. Raises `ValueError` where its parts do not fit."""
    kind = np.dtype(array.dtype)
    count = 1
    for length in array.shape:
        count *= length
    if count * kind.itemsize != len(array.data):
        raise ValueError(f"{len(array.data)} bytes for {list(array.shape)} of {array.dtype}")
    if kind.kind == "b" and array.data.strip(b"\0\1"):
        raise ValueError("truth values that are neither 0 nor 1")
    found = np.frombuffer(array.data, dtype=kind).reshape(array.shape)
    return found.astype(kind.newbyteorder("="), copy=True)


def state_sha256(state: Mapping[str, NDArray[Any]]) -> str:
    """The hash over a state: of each array, by name, its name, type and shape in a line, and its bytes."""
    digest = hashlib.sha256()
    for name in sorted(state):
        array = packed(state[name])
        digest.update(f"{name} {array.dtype} {list(array.shape)}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()
