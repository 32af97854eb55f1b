"""Tensors of safetensors files, read one by one: what a file holds beside them does not matter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The types that are numbers of numpy's; others (bfloat16, float8, complex, packed) are refused.
REAL_TYPES = ("F64", "F32", "F16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")


class TensorError(ValueError):
    """A file that cannot be read, or a tensor that is missing or of a type without real numbers."""


class TensorFile:
    """An open safetensors file. `names` are sorted, `metadata` is text by name."""

    def __init__(self, path: str | Path) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            with open(path, "rb"):
                pass
            self._file: Any = safe_open(path, framework="numpy")  # type: ignore[no-untyped-call, unused-ignore]
            self.names: tuple[str, ...] = tuple(sorted(self._file.keys()))  # type: ignore[no-untyped-call, unused-ignore]
            self.metadata: Mapping[str, str] = self._file.metadata() or {}  # type: ignore[no-untyped-call, unused-ignore]
        except OSError as reason:
            raise TensorError(reason.strerror or str(reason)) from None
        except (SafetensorError, ValueError, TypeError, OverflowError) as reason:
            raise TensorError(f"not a safetensors file: {reason}") from None

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor of real numbers. Raises `TensorError`."""
        if name not in self.names:
            raise TensorError(f"no tensor '{name}', the file has: {', '.join(self.names) or 'none'}")
        found = self._file.get_slice(name)
        if (kind := str(found.get_dtype())) not in REAL_TYPES:
            raise TensorError(f"tensor '{name}' has the type {kind}, required: {', '.join(REAL_TYPES)}")
        return tuple(found.get_shape())

    def read(self, name: str) -> NDArray[Any]:
        """A tensor of real numbers. Raises `TensorError`."""
        from safetensors import SafetensorError

        self.shape(name)
        try:
            return np.asarray(self._file.get_tensor(name))
        except (SafetensorError, OSError, ValueError, TypeError, MemoryError) as reason:
            raise TensorError(f"tensor '{name}' cannot be read: {reason}") from None
