"""Lists of neurons that emit, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from burstchip.backends.sim.code.lists import count_flags, listed


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 128, 200])
def test_who_emits(dtype: str, size: int) -> None:
    random = np.random.default_rng(size)
    for share in (0.0, 0.02, 0.5, 1.0):
        flags = np.where(random.random(size) < share, random.integers(-3, 2, size), 0).astype(dtype)
        # The first and the last of a block, whose bit is the sign.
        flags[:1] = flags[63:64] = 1
        # One place more than neurons, as runs have it.
        events = np.full(size + 1, -1, dtype=np.int32)
        count = listed(flags, size, events)
        np.testing.assert_array_equal(events[:count], np.flatnonzero(flags))
        assert count_flags(flags, size) == count == np.count_nonzero(flags)
