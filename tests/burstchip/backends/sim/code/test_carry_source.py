"""The compiled twins of the carry form against the specification."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from burstchip.backends.sim.code.carry_source import carry_source
from hw_models.plasticity.carry import MOST_K, STORED_RANGE, Rounding, carry_draws, learn_carry


def compiled(**options: Any) -> Any:
    names: dict[str, Any] = {}
    exec(carry_source(**options), names)
    return njit(nogil=True, error_model="numpy")(names["learn_carry"])


@pytest.mark.parametrize("rounding", ["lava", "per_synapse"])
@pytest.mark.parametrize("storage", ["dense", "csr"])
def test_the_compiled_twin(storage: Any, rounding: Rounding) -> None:
    kernel = compiled(storage=storage, rounding=rounding)
    random = np.random.default_rng(7)
    for _ in range(300):
        pre, post, k = (
            int(random.integers(1, 9)),
            int(random.integers(1, 101)),
            int(random.integers(0, MOST_K + 1)),
        )
        stored = random.integers(*STORED_RANGE, (pre, post), endpoint=True)
        stored[random.random(stored.shape) < 0.2] = random.choice(STORED_RANGE)
        x = random.choice([0, 1, 127, 50], pre)
        y1 = random.choice([-127, 127, 0, -1, 33], post)
        key = np.uint32(random.integers(2**32))
        expected = learn_carry(stored, x, y1, k, carry_draws(int(key), rounding, (pre, post), k))
        if storage == "dense":
            ours = stored.astype(np.int16)
            visited = kernel(ours, x.astype(np.int32), y1.astype(np.int32), k, key)
            assert visited == np.count_nonzero(x) * post
        else:
            present = random.random((pre, post)) < 0.5
            indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
            posts = np.nonzero(present)[1].astype(np.int32)
            ours = stored[present].astype(np.int16)
            visited = kernel(indptr, posts, ours, x.astype(np.int32), y1.astype(np.int32), k, key)
            assert visited == np.count_nonzero(present[x != 0])
            expected = expected[present]
        assert np.array_equal(ours, expected)


def test_a_rate_that_16_bits_do_not_hold_is_refused() -> None:
    kernel = compiled(storage="dense", rounding="lava")
    with pytest.raises(AssertionError):
        kernel(
            np.zeros((1, 1), np.int16), np.ones(1, np.int32), np.ones(1, np.int32), MOST_K + 1, np.uint32(0)
        )


@pytest.mark.parametrize("storage", ["dense", "csr"])
def test_real(storage: Any) -> None:
    kernel = compiled(storage=storage, rounding="lava", real=True)
    stored = np.array([[10.0, 32639.0], [1.0, 2.0]])
    ours = stored.copy() if storage == "dense" else stored.ravel().copy()
    layout = (np.array([0, 2, 4]), np.array([0, 1, 0, 1])) if storage == "csr" else ()
    visited = kernel(*layout, ours, np.array([6.5, 0.0]), np.array([-4.0, 8.0]), 5.0, -32640.0, 32639.0)
    assert visited == 2
    assert ours.ravel().tolist() == [10 - 6.5 * 4 / 32, 32639.0, 1.0, 2.0]
