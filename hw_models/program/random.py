"""Counter-based random numbers: every draw is a pure function of (seed, stream, counter, index).

    mix(h):  h ^= h >> 16;  h *= 0x7FEB352D;  h ^= h >> 15;  h *= 0x846CA68B;  return h ^ (h >> 16)
    key(seed, stream, n) = mix(mix(seed * 0x9E3779B1 + stream * 0x85EBCA77) + n * 0xC2B2AE3D)
    row(k, j)            = k + j * 0x165667B1
    at(k, i)             = mix(k + i * 0x27D4EB2F)

All arithmetic is unsigned, 32 bits, with wrap. `mix` is the lowbias32 hash of C. Wellons. The simulator's
compiled code draws the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

U32 = NDArray[np.uint32]

SEED_STEP = 0x9E3779B1
STREAM_STEP = 0x85EBCA77
COUNTER_STEP = 0xC2B2AE3D
ROW_STEP = 0x165667B1
INDEX_STEP = 0x27D4EB2F
MIX_1 = 0x7FEB352D
MIX_2 = 0x846CA68B
MASK = 0xFFFFFFFF


def _u32(value: Any) -> U32:
    given = np.asarray(value)
    return given if given.dtype == np.uint32 else np.asarray(given.astype(np.int64).astype(np.uint32))


def _times(value: Any, factor: int) -> U32:
    # The function, unlike the operator, wraps scalars without a warning.
    return np.asarray(np.multiply(_u32(value), np.uint32(factor)))


def _plus(one: U32, other: U32) -> U32:
    return np.asarray(np.add(one, other))


def mix(value: Any) -> U32:
    """Scramble 32 bits; a bijection."""
    h = _u32(value)
    h = h ^ (h >> np.uint32(16))
    h = _times(h, MIX_1)
    h = h ^ (h >> np.uint32(15))
    h = _times(h, MIX_2)
    return np.asarray(h ^ (h >> np.uint32(16)), dtype=np.uint32)


def key(seed: int, stream: int, counter: Any) -> U32:
    """The key of one step of one stream; arrays of counters give arrays of keys."""
    seeded = mix((seed * SEED_STEP + stream * STREAM_STEP) & MASK)
    return mix(_plus(seeded, _times(counter, COUNTER_STEP)))


def row(k: Any, j: Any) -> U32:
    """The key of row `j` under key `k`."""
    return _plus(_u32(k), _times(j, ROW_STEP))


def at(k: Any, i: Any) -> U32:
    """The 32 random bits of index `i` under key `k`."""
    return mix(_plus(_u32(k), _times(i, INDEX_STEP)))
