"""The carry form: one 16-bit number, or 8 bits of weight and 8 of tag, and its compiled twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from hw_models.plasticity.carry import (
    MOST_K,
    STORED_RANGE,
    Rounding,
    carry_draws,
    forward_weight,
    learn_carry,
)
from hw_models.plasticity.carry_numba import carry_source
from hw_models.program.random import at, mix, row


def compiled(**options: Any) -> Any:
    names: dict[str, Any] = {}
    exec(carry_source(**options), names)
    return njit(nogil=True, error_model="numpy")(names["learn_carry"])


def test_a_worked_step() -> None:
    """100 * -7 = -700; (-700 + r) >> 5 is -22 up to r = 27 and -21 from r = 28."""
    stored = np.array([[1000, 1000, -32640, 32639]])
    draws = np.array([[27, 28, 0, 31]])
    new = learn_carry(stored, np.array([100]), np.array([-7, -7, -127, 127]), 5, draws)
    assert new.tolist() == [[978, 979, -32640, 32639]]
    assert forward_weight(np.array([-32640, -129, -128, 127, 128, 32639])).tolist() == [
        -127,
        -1,
        0,
        0,
        1,
        127,
    ]


def test_draws() -> None:
    key = 123456789
    assert carry_draws(key, "lava", (3, 4), 5) == int(mix(key)) & 31
    drawn = carry_draws(key, "per_synapse", (3, 4), 13)
    assert drawn[2, 3] == int(at(row(key, 2), 3)) & 8191


@given(
    stored=st.integers(*STORED_RANGE),
    x=st.integers(0, 127),
    y=st.lists(st.integers(-127, 127), min_size=1, max_size=20),
    k=st.integers(0, MOST_K),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_is_a_weight_and_a_tag_with_carry(stored: int, x: int, y: list[int], k: int, seed: int) -> None:
    """The same steps in two 8-bit numbers, saturation included."""
    tag = (stored + 128) % 256 - 128
    weight = (stored - tag) // 256
    random = np.random.default_rng(seed)
    value = np.array([[stored]])
    for change in y:
        r = int(random.integers(0, 1 << k))
        value = learn_carry(value, np.array([x]), np.array([change]), k, np.array(r))
        tag += (x * change + r) >> k
        carry = (tag + 128) >> 8
        tag -= carry << 8
        weight += carry
        if weight > 127:
            weight, tag = 127, 127
        if weight < -127:
            weight, tag = -127, -128
        assert int(value[0, 0]) == 256 * weight + tag
        assert int(forward_weight(value)[0, 0]) == weight


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
