"""Compiled code draws the numbers of `hw_models.program.random`."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from burstchip.backends.sim.code import draws
from hw_models.program.random import at, key, row

indices = st.integers(0, 2**31 - 1)


@njit
def compiled_draw(seed, stream, n, j, i):  # type: ignore[no-untyped-def]
    return draws.at(draws.row(draws.key(seed, stream, n), j), i)


@settings(deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 10_000), st.integers(-(2**40), 2**40), indices, indices)
def test_the_same_numbers(seed: int, stream: int, n: int, j: int, i: int) -> None:
    assert int(compiled_draw(seed, stream, n, j, i)) == int(at(row(key(seed, stream, n), j), i))
