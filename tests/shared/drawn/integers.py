"""Integers of a width."""

from __future__ import annotations

from typing import Any

import numpy as np

from hw_models.program.widths import Width


def corners(width: Width, random: np.random.Generator, count: int) -> Any:
    """Integers of a width: its ends and their neighbours, zero, powers of two, and whatever lies between."""
    special = {width.low, width.low + 1, width.high - 1, width.high, -1, 0, 1}
    special |= {sign * 2**bit + off for sign in (-1, 1) for bit in range(64) for off in (-1, 0, 1)}
    inside = np.array(sorted(v for v in special if width.low <= v <= width.high), dtype=np.int64)
    uniform = random.integers(width.low, width.high, count, dtype=np.int64, endpoint=True)
    # Most values of a wide uniform draw are huge: a share of them is made small.
    small = np.clip(uniform >> random.integers(0, 63, count), width.low, width.high)
    return np.choose(random.integers(0, 3, count), [uniform, small, random.choice(inside, count)])
