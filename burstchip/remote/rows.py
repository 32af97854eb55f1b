"""Which rows of a program's streams some steps need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.remote.arrays import packed
from burstchip.remote.messages import StreamRows
from compiler.ir.chip_program import ChipProgram, PopulationCode
from compiler.ir.signals import Rows, Streamed


def bindings(code: ChipProgram) -> list[tuple[PopulationCode, str, Streamed]]:
    """(population, what is bound, signal) of each streamed signal."""
    return [
        (population, name, signal)
        for population in code.populations
        for name, signal in population.signals.items()
        if isinstance(signal, Streamed)
    ]


def spans(code: ChipProgram, clock: int, steps: int, *, led_in: bool) -> dict[str, tuple[int, int]]:
    """(first row, number of rows) by stream that `steps` steps from `clock` on need.

    Sources run ahead of the neurons where a task runs; before the first step comes the lead-in.
    """
    found: dict[str, tuple[int, int]] = {}
    begin = clock if led_in else clock - max(code.lead, code.lead_in)
    for population, _, signal in bindings(code):
        ahead = code.lead if population.is_source else 0
        first = max(0, begin + ahead) // signal.hold
        last = max(0, clock + steps - 1 + ahead) // signal.hold
        if signal.stream in found:
            other, count = found[signal.stream]
            first, last = min(first, other), max(last, other + count - 1)
        found[signal.stream] = first, last - first + 1
    return found


def needed(
    code: ChipProgram, streams: Mapping[str, Rows], clock: int, steps: int, *, led_in: bool, real: bool
) -> tuple[StreamRows, ...]:
    """These rows as a message carries them."""
    if steps == 0:
        return ()
    found = []
    for name, (first, count) in spans(code, clock, steps, led_in=led_in).items():
        rows = np.asarray(streams[name](first, count))
        found.append(StreamRows(name, first, packed(rows if real else _narrow(rows))))
    return tuple(found)


def _narrow(rows: NDArray[Any]) -> NDArray[Any]:
    """Integers in 32 bits, which hold every number of a program, unless these are beyond."""
    if rows.dtype.kind not in "iub":
        rows = rows.astype(np.int64)
    if rows.dtype.itemsize > 4 and (not rows.size or np.abs(rows).max() < 1 << 31):
        return rows.astype(np.int32)
    return rows
