"""The carry form: one 16-bit number, or 8 bits of weight and 8 of tag."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hw_models.plasticity.carry import (
    MOST_K,
    STORED_RANGE,
    carry_draws,
    forward_weight,
    learn_carry,
)
from hw_models.program.random import at, mix, row


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
