"""The frames of units, kept from call to call."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from burstchip.backends.sim.link import Frames, addressed
from burstchip.backends.sim.unit import Entry

ENTRIES = (
    Entry("array", "states", "float32", 2),
    Entry("word", 7),
    Entry("real", "rate", "float64"),
    Entry("array", "flags", "int32", 1),
    Entry("word", "size"),
    Entry("array", "states", "float32", 2),
)


def words(states: np.ndarray, rate: float, flags: np.ndarray, size: int) -> list[int]:
    bits = int(np.float64(rate).view(np.int64))
    return [*addressed(states), 7, bits, *addressed(flags), size, *addressed(states)]


def test_frames_follow_what_they_are_given() -> None:
    frames = Frames(ENTRIES)
    states, flags = np.zeros((2, 3), np.float32), np.zeros(4, np.int32)
    first = {"states": states, "rate": 2.5, "flags": flags, "size": 3}
    assert frames.of(first).tolist() == words(states, 2.5, flags, 3)
    place = frames.words.ctypes.data
    others, more = np.zeros((4, 1), np.float32), np.zeros(9, np.int32)
    for given in (
        {**first, "states": others},
        {**first, "rate": -1.0, "size": 100_000},
        {**first, "flags": more[1:4]},
        first,
    ):
        assert frames.of(given).tolist() == words(*given.values())  # type: ignore[arg-type]
    assert frames.words.ctypes.data == place


def test_an_array_is_not_kept_alive() -> None:
    frames = Frames(ENTRIES)
    given = {"states": np.zeros((2, 3), np.float32), "rate": 1.0, "flags": np.zeros(4, np.int32), "size": 3}
    frames.of(given)
    held = weakref.ref(given["states"])
    # One that takes its room has another address or another shape, which must be seen.
    given["states"] = np.zeros((3, 2), np.float32)
    gc.collect()
    assert held() is None
    assert frames.of(given).tolist() == words(*given.values())  # type: ignore[arg-type]


def test_an_array_of_another_type_is_refused() -> None:
    frames = Frames(ENTRIES)
    given = {"states": np.zeros((2, 3)), "rate": 1.0, "flags": np.zeros(4, np.int32), "size": 3}
    with pytest.raises(AssertionError, match="states is float64, its unit needs float32"):
        frames.of(given)
