"""The draws of `hw_models.program.random`, for use inside compiled loops. Importing this imports numba."""

from __future__ import annotations

import numpy as np
from numba import njit

from hw_models.program.random import (
    COUNTER_STEP,
    INDEX_STEP,
    MIX_1,
    MIX_2,
    ROW_STEP,
    SEED_STEP,
    STREAM_STEP,
)

_SEED_STEP = np.uint32(SEED_STEP)
_STREAM_STEP = np.uint32(STREAM_STEP)
_COUNTER_STEP = np.uint32(COUNTER_STEP)
_ROW_STEP = np.uint32(ROW_STEP)
_INDEX_STEP = np.uint32(INDEX_STEP)
_MIX_1 = np.uint32(MIX_1)
_MIX_2 = np.uint32(MIX_2)


@njit(inline="always")
def mix(h):  # type: ignore[no-untyped-def]
    """Scramble a uint32."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * _MIX_1)
    h = np.uint32(h ^ (h >> np.uint32(15)))
    h = np.uint32(h * _MIX_2)
    return np.uint32(h ^ (h >> np.uint32(16)))


@njit(inline="always")
def key(seed, stream, counter):  # type: ignore[no-untyped-def]
    """The key of one step of one stream, from integers of any width."""
    seeded = mix(np.uint32(np.uint32(seed) * _SEED_STEP + np.uint32(stream) * _STREAM_STEP))
    return mix(np.uint32(seeded + np.uint32(counter) * _COUNTER_STEP))


@njit(inline="always")
def row(k, j):  # type: ignore[no-untyped-def]
    """The key of row `j` under key `k`."""
    return np.uint32(k + np.uint32(j) * _ROW_STEP)


@njit(inline="always")
def at(k, i):  # type: ignore[no-untyped-def]
    """The 32 random bits of index `i` under key `k`."""
    return mix(np.uint32(k + np.uint32(i) * _INDEX_STEP))
