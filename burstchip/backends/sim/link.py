"""From a kernel's calls to what the compiled loop reads: addresses of units, and a frame for each call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.unit import Call, Entry, Kernel

Words = NDArray[np.int64]


@dataclass(frozen=True)
class Linked:
    """The loop's tables, one entry a call, and the words of all frames, one after the other."""

    functions: Words
    starts: Words
    gates: Words
    periods: Words
    ahead: Words
    entries: tuple[Entry, ...]

    def frames(self, values: Mapping[str, Any]) -> Words:
        """The words of all frames; while they are used, the arrays of `values` must live where they are."""
        words: list[int] = []
        for entry in self.entries:
            words += _words(entry, values)
        return np.array(words, dtype=np.int64)


def link(kernel: Kernel, load: Callable[[Call], int]) -> Linked:
    """Load every unit; the tables of the loop."""
    calls = kernel.calls
    lengths = [sum(1 + entry.dimensions for entry in call.frame) for call in calls]

    def table(values: list[int]) -> Words:
        return np.array(values, dtype=np.int64)

    return Linked(
        functions=table([load(call) for call in calls]),
        starts=table([8 * sum(lengths[:k]) for k in range(len(calls))]),
        gates=table([call.gate for call in calls]),
        periods=table([call.period for call in calls]),
        ahead=table([call.ahead for call in calls]),
        entries=tuple(entry for call in calls for entry in call.frame),
    )


def addressed(*arrays: NDArray[Any]) -> list[int]:
    """The address and the shape of each."""
    return [word for it in arrays for word in (it.ctypes.data, *it.shape)]


def _words(entry: Entry, values: Mapping[str, Any]) -> list[int]:
    value: Any = values[entry.value] if isinstance(entry.value, str) else entry.value
    if entry.kind == "word":
        return [int(value)]
    if entry.kind == "real":
        return [int(np.float64(value).view(np.int64))]
    # The unit takes the array at its word, so what is wrong here would be written over other memory.
    assert value.dtype == entry.dtype, f"{entry.value} is {value.dtype}, its unit needs {entry.dtype}"
    assert value.ndim == entry.dimensions, f"{entry.value} has {value.ndim} dimensions"
    assert value.flags.c_contiguous, f"{entry.value} is not contiguous"
    return addressed(value)
