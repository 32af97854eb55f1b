"""The carry form of a plastic weight: 8 bits of weight and 8 of tag in one 16-bit number (emulation only).

    stored = 256 w + tag,  tag in -128 .. 127;   the forward path sees w = (stored + 128) >> 8
    stored = clip(stored + ((x y1 + r) >> K), -32640, 32639),   r a draw below 2^K

`x` is a plain trace from 0 to 127, `y1` a burst error from -127 to 127, K the learning rate 2^-K. Whole units
of the tag carry into the weight as soon as they arise, which no sum of products can do, so no chip of this
family offers it. This is the executable specification; the simulator generates its fast twin.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hw_models.program.random import at, mix, row

Integers = NDArray[np.int64]
Rounding = Literal["lava", "per_synapse"]

STORED_RANGE = (-32640, 32639)
#: x y1 + r fits 16 bits with sign up to this K.
MOST_K = 14


def carry_draws(key: int, rounding: Rounding, shape: tuple[int, int], k: int) -> Integers:
    """The draws below 2^k of one learning step: `lava`, one for the matrix; `per_synapse`, [pre, post]."""
    if rounding == "lava":
        return np.asarray(mix(key).astype(np.int64) & ((1 << k) - 1))
    rows = row(key, np.arange(shape[0]))[:, np.newaxis]
    return np.asarray(at(rows, np.arange(shape[1])[np.newaxis, :]).astype(np.int64) & ((1 << k) - 1))


def learn_carry(stored: Integers, x: Integers, y1: Integers, k: int, draws: Integers) -> Integers:
    """The stored weights [pre, post] after a learning step with rate 2^-k."""
    assert 0 <= k <= MOST_K
    change = (np.outer(x, y1) + draws) >> k
    # A row without a trace learns nothing; r < 2^k gives the same.
    return np.clip(stored + change, *STORED_RANGE)


def forward_weight(stored: Integers) -> Integers:
    """The 8-bit weight that spikes see."""
    return (stored + 128) >> 8
