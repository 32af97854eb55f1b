"""The random numbers that one plastic connection uses, as integers, for a range of steps.

Two sources fill the same table: Lava's own generators (`lava_draws`) and the counter-based generator
(`counter_draws`). Steps are clocks n; the learning epoch of E steps ends with each clock n for which
(n + 1) mod E = 0, and is numbered (n + 1) / E. Clocks before a task's first, and their epochs, are negative
or 0; the generator takes them modulo 2^32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_models.program.random import at, key

#: A decay rounds up where its draw, an integer below 2^53, is below its threshold.
DECAY_BITS = 53


@dataclass(frozen=True)
class TraceDraws:
    """One draw a learning epoch for all neurons, but for `y_second`, one a step.

    `x_decay`, `y_decay`: below 2^53. `x_impulse`, `y_impulse`, `y_second`: 0 to 127. `y_second[i]` is for
    postsynaptic neurons that fire in step `first_step + i` once more in the same epoch; the other arrays
    start with epoch `first_epoch`.
    """

    first_step: int
    first_epoch: int
    x_decay: NDArray[np.int64]
    x_impulse: NDArray[np.int64]
    y_decay: NDArray[np.int64]
    y_impulse: NDArray[np.int64]
    y_second: NDArray[np.int64]


def epochs_within(first_step: int, n_steps: int, epoch: int) -> tuple[int, int]:
    """The number of the first learning epoch that ends in these steps, and how many do."""
    before = first_step // epoch
    return before + 1, (first_step + n_steps) // epoch - before


def counter_draws(seed: int, stream: int, first_step: int, n_steps: int, epoch: int) -> TraceDraws:
    """Draws of `stream`, keyed by the clock at which each is used: index 0 x decay, 1 x impulse, 2 y decay,
    3 y impulse, 4 a second postsynaptic spike."""
    first, count = epochs_within(first_step, n_steps, epoch)
    ends = key(seed, stream, np.arange(first, first + count, dtype=np.int64) * epoch - 1)
    steps = key(seed, stream, np.arange(first_step, first_step + n_steps, dtype=np.int64))

    def decay(index: int) -> NDArray[np.int64]:
        return at(ends, index).astype(np.int64) << (DECAY_BITS - 32)

    def impulse(keys: NDArray[np.uint32], index: int) -> NDArray[np.int64]:
        return at(keys, index).astype(np.int64) >> 25

    return TraceDraws(
        first_step, first, decay(0), impulse(ends, 1), decay(2), impulse(ends, 3), impulse(steps, 4)
    )
