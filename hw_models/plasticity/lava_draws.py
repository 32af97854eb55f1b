"""Lava's random numbers, replayed from any step.

Lava draws from PCG64 streams (`numpy.random.default_rng`), one number for a whole population or matrix:

    rng_seed, rng_seed + 1    decay and impulse of the x traces
    rng_seed + 2, + 3         decay and impulse of the y traces
    2, whatever the seed      rounding of w, t and d

The trace generators advance twice a step, the rounding generator once a learning epoch. All are taken here
from the raw 64-bit outputs, which numpy promises to keep: `random()` is the upper 53 bits, and
`integers(0, 128)` the upper 7 bits of each 32-bit half, the lower half first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_models.plasticity.draws import DECAY_BITS, TraceDraws, epochs_within

_ROUNDING_SEED = 2


@dataclass(frozen=True)
class LavaDraws:
    """The draws of the traces, and `rounding[i]`, 0 to 127, of learning epoch `traces.first_epoch + i`."""

    traces: TraceDraws
    rounding: NDArray[np.int64]


def lava_draws(rng_seed: int, first_step: int, n_steps: int, epoch: int) -> LavaDraws:
    """What Lava draws in the `n_steps` steps from clock `first_step`, with learning epochs of `epoch` steps.

    `rng_seed` is not negative. Lava's step t = 1, 2, ... is clock t - 1; the caller counts in the steps that
    lead into a task.
    """
    first, count = epochs_within(first_step, n_steps, epoch)

    def at_epochs(seed: int) -> NDArray[np.uint64]:
        # A learning epoch that ends in Lava's step t uses draw number 2t; draw 0 is the one at construction.
        return _raw(seed, 2 * first * epoch, 2 * epoch * (count - 1) + 1)[:: 2 * epoch] if count else _NONE

    def impulses(seed: int) -> NDArray[np.int64]:
        # Draw number 2t is the lower half of output t.
        outputs = _raw(seed, first * epoch, epoch * (count - 1) + 1)[::epoch] if count else _NONE
        return _low7(outputs)

    # A second spike in step t uses draw number 2t - 1, the upper half of output t - 1.
    second = (_raw(rng_seed + 3, first_step, n_steps) >> np.uint64(57)).astype(np.int64)
    rounding = (_raw(_ROUNDING_SEED, first, count) >> np.uint64(57)).astype(np.int64)
    traces = TraceDraws(
        first_step,
        first,
        _double(at_epochs(rng_seed)),
        impulses(rng_seed + 1),
        _double(at_epochs(rng_seed + 2)),
        impulses(rng_seed + 3),
        second,
    )
    return LavaDraws(traces, rounding)


_NONE: NDArray[np.uint64] = np.zeros(0, dtype=np.uint64)


def _raw(seed: int, start: int, count: int) -> NDArray[np.uint64]:
    """Outputs `start`, `start + 1`, ... of the generator that `default_rng(seed)` makes."""
    generator = np.random.PCG64(seed)
    generator.advance(start)
    return np.asarray(generator.random_raw(count), dtype=np.uint64)


def _double(outputs: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (outputs >> np.uint64(64 - DECAY_BITS)).astype(np.int64)


def _low7(outputs: NDArray[np.uint64]) -> NDArray[np.int64]:
    return ((outputs & np.uint64(0xFFFFFFFF)) >> np.uint64(25)).astype(np.int64)
