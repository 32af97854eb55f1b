"""Draws are a pure function of (seed, stream, step, index), the same alone and in arrays."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_models.program.random import at, key, mix, row

M = 0xFFFFFFFF
words = st.integers(0, M)
seeds = st.integers(0, 2**40)
indices = st.integers(0, 2**31 - 1)


def slow_mix(h: int) -> int:
    h ^= h >> 16
    h = h * 0x7FEB352D & M
    h ^= h >> 15
    h = h * 0x846CA68B & M
    return h ^ (h >> 16)


def slow_key(seed: int, stream: int, n: int) -> int:
    return slow_mix(slow_mix((seed * 0x9E3779B1 + stream * 0x85EBCA77) & M) + n * 0xC2B2AE3D & M)


def slow_at(k: int, i: int) -> int:
    return slow_mix(k + i * 0x27D4EB2F & M)


@given(words)
def test_mix_is_as_published(h: int) -> None:
    assert int(mix(h)) == slow_mix(h)


@settings(deadline=None)
@given(seeds, st.integers(0, 10_000), st.integers(-(2**40), 2**40), indices, indices)
def test_plain_python_and_numpy_agree(seed: int, stream: int, n: int, j: int, i: int) -> None:
    wanted = slow_at(slow_key(seed, stream, n) + j * 0x165667B1 & M, i)
    assert int(at(row(key(seed, stream, n), j), i)) == wanted


def test_arrays_draw_what_each_index_draws_alone() -> None:
    k = key(5, 2, 1000)
    together = at(k, np.arange(50))
    assert [int(at(k, i)) for i in range(50)] == together.tolist()
    grid = at(row(k, np.arange(4)[:, None]), np.arange(6))
    assert grid.shape == (4, 6)
    assert int(grid[3, 5]) == int(at(row(k, 3), 5))


def test_known_values() -> None:
    """Pinned, since every result of every seed hangs on them."""
    assert [int(mix(h)) for h in (0, 1, M)] == [0, 1753845952, 1734902346]
    assert int(key(0, 1, 0)) == 1493166658
    assert at(key(0, 9, 0), np.arange(3)).tolist() == [3645089642, 4054895371, 1101826415]


def test_bits_are_even_and_streams_differ() -> None:
    draws = np.array([at(key(1, stream, 7), np.arange(20_000)) for stream in range(4)])
    ones = (draws[..., None] >> np.arange(32, dtype=np.uint32) & 1).mean(axis=1)
    assert np.all(np.abs(ones - 0.5) < 0.02)
    correlations = np.corrcoef(draws.astype(np.float64))
    assert np.all(np.abs(correlations - np.eye(4)) < 0.03)
