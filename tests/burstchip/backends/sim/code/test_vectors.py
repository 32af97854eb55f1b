"""Vectors inside compiled functions: partial loads and stores, and the random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from burstchip.backends.sim.code.vector_draws import index_halves, random_7, random_low
from burstchip.backends.sim.code.vectors import load, load_part, lowest_lane, splat, store, store_part, widen
from hw_models.program.random import INDEX_STEP, at


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_a_part_leaves_the_rest_alone(dtype: Any) -> None:
    @njit
    def copy(source: Any, target: Any, count: int) -> None:
        store_part(target, 1, load_part(source, 2, count, 32), count)

    source = np.arange(1, 41, dtype=dtype)
    for count in (0, 1, 15, 31, 32):
        target = np.full((2, 20), -1, dtype=dtype)
        copy(source, target, count)
        expected = np.full(40, -1)
        expected[1 : 1 + count] = source[2 : 2 + count]
        assert target.ravel().tolist() == expected.tolist()


def test_the_lanes_beyond_a_part_are_zero() -> None:
    @njit
    def lowest(source: Any, count: int) -> Any:
        return lowest_lane(load_part(source, 0, count, 32))

    assert lowest(np.full(32, 5, np.int16), 32) == 5
    assert lowest(np.full(32, 5, np.int16), 31) == 0


def test_widening_keeps_the_sign() -> None:
    @njit
    def widened(source: Any, target: Any) -> None:
        store(target, 0, widen(load(source, 0, 32)))

    source, target = np.arange(-16, 16).astype(np.int16) * 2000, np.zeros(32, np.int32)
    widened(source, target)
    assert np.array_equal(source, target)


def test_random_numbers_are_those_of_the_counter() -> None:
    @njit
    def draw(key: Any, low: Any, high: Any, out_low: Any, out_7: Any) -> None:
        key_low, key_high = splat(key, 16, 32), splat(key >> np.uint32(16), 16, 32)
        for i in range(0, len(low), 32):
            halves = load(low, i, 32), load(high, i, 32)
            store(out_low, i, random_low(key_low, key_high, halves[0], halves[1]))
            store(out_7, i, random_7(key_low, key_high, halves[0], halves[1]))

    n = 320
    low, high = index_halves(n)
    step = np.arange(n) * INDEX_STEP
    assert np.array_equal(low.view(np.uint16), step & 0xFFFF)
    assert np.array_equal(high.view(np.uint16), step >> 16 & 0xFFFF)
    for key in (0, 1, 0xFFFFFFFF, 0x12345678, 0xFFFF, 0xFFFF0000):
        out = np.zeros(n, np.int16), np.zeros(n, np.int16)
        draw(np.uint32(key), low, high, *out)
        drawn = at(key, np.arange(n))
        assert np.array_equal(out[0].view(np.uint16), drawn & 0xFFFF)
        assert np.array_equal(out[1], drawn >> 25)
