"""Rows of streams that came with a message, as a backend asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.remote.rows import bindings
from compiler.ir.chip_program import ChipProgram
from hw_models.program.widths import Width, signed


class ReceivedRows:
    """The rows of the last message, by stream; `names` are the program's streams."""

    def __init__(self, code: ChipProgram, *, real: bool) -> None:
        self._real = real
        self._sizes: dict[str, int] = {}
        self._widths: dict[str, list[Width]] = {}
        for population, name, signal in bindings(code):
            program, stream = population.program, signal.stream
            self._sizes[stream] = population.size
            # A sum at a port is clipped after what is streamed was added.
            declared = program.inputs.get(name) if name not in population.ports else None
            width = declared or program.parameters.get(name) or signed(31)
            self._widths.setdefault(stream, []).append(width)
        self.names = tuple(self._sizes)
        self._rows: dict[str, tuple[int, NDArray[Any]]] = {}

    def take(self, given: Mapping[str, tuple[int, NDArray[Any]]]) -> None:
        """Take the place of the rows before. Raises `ValueError` for what does not fit the program."""
        for name, (_, rows) in given.items():
            if name not in self._sizes:
                raise ValueError(f"no stream '{name}'")
            if rows.ndim != 2 or rows.shape[1] != self._sizes[name]:
                raise ValueError(
                    f"rows of '{name}' of shape {list(rows.shape)}, not [row, {self._sizes[name]}]"
                )
            if self._real:
                if not np.all(np.isfinite(rows)):
                    raise ValueError(f"rows of '{name}' that are not finite")
                continue
            if rows.dtype.kind == "f":
                raise ValueError(f"rows of '{name}' that are not integers")
            for width in self._widths[name]:
                if np.any((rows < width.low) | (rows > width.high)):
                    raise ValueError(f"rows of '{name}' outside {width}")
        self._rows = dict(given)

    def rows(self, name: str, first: int, count: int) -> NDArray[Any]:
        """Rows `first` to first + count - 1. Raises `ValueError` for rows that did not come.

        The one behind the last is 0: a backend may ask for it before it needs it, and asks again then.
        """
        begin, rows = self._rows.get(name, (first, np.zeros((0, self._sizes[name]), dtype=np.int64)))
        place = first - begin
        if place < 0 or place + count > len(rows) + 1:
            came = f"{begin} to {begin + len(rows) - 1}" if len(rows) else "none"
            raise ValueError(f"rows {first} to {first + count - 1} of '{name}' are needed, {came} came")
        found = np.zeros((count, self._sizes[name]), dtype=rows.dtype)
        there = rows[place : place + count]
        found[: len(there)] = there
        return found
