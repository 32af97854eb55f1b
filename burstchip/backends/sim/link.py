"""From a kernel's calls to what the compiled loop reads: addresses of units, and a frame for each call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.unit import Call, Entry, Kernel

Words = NDArray[np.int64]


def _itself(value: Any) -> Any:
    return value


class Frames:
    """The words of the frames of all calls, one after the other, kept from one run of the loop to the next.

    What was written for a value stays as long as that is the same object, for most of a program's arrays and
    numbers as long as it runs.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.words = np.zeros(sum(1 + entry.dimensions for entry in entries), dtype=np.int64)
        self._places: dict[str, list[tuple[int, Entry]]] = {}
        #: What was written last, arrays without keeping them alive.
        self._held: dict[str, Callable[[], Any]] = {}
        place = 0
        for entry in entries:
            if isinstance(entry.value, str):
                self._places.setdefault(entry.value, []).append((place, entry))
            else:
                self._write(place, entry, entry.value)
            place += 1 + entry.dimensions

    def _write(self, place: int, entry: Entry, value: Any) -> None:
        self.words[place : place + 1 + entry.dimensions] = _words(entry, value)

    def of(self, values: Mapping[str, Any]) -> Words:
        """The words for these values, until the next call; arrays must live where they are meanwhile."""
        for name, places in self._places.items():
            value, held = values[name], self._held.get(name)
            if held is None or held() is not value:
                for place, entry in places:
                    self._write(place, entry, value)
                self._held[name] = ref(value) if isinstance(value, np.ndarray) else partial(_itself, value)
        return self.words


@dataclass(frozen=True)
class Linked:
    """The loop's tables, one entry a call, and the frames that `starts` points into, in bytes."""

    functions: Words
    starts: Words
    gates: Words
    periods: Words
    ahead: Words
    frames: Frames


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
        frames=Frames([entry for call in calls for entry in call.frame]),
    )


def addressed(*arrays: NDArray[Any]) -> list[int]:
    """The address and the shape of each."""
    return [word for it in arrays for word in (it.ctypes.data, *it.shape)]


def _words(entry: Entry, value: Any) -> list[int]:
    if entry.kind == "word":
        return [int(value)]
    if entry.kind == "real":
        return [int(np.float64(value).view(np.int64))]
    # The unit takes the array at its word, so what is wrong here would be written over other memory.
    assert value.dtype == entry.dtype, f"{entry.value} is {value.dtype}, its unit needs {entry.dtype}"
    assert value.ndim == entry.dimensions, f"{entry.value} has {value.ndim} dimensions"
    assert value.flags.c_contiguous, f"{entry.value} is not contiguous"
    return addressed(value)
