"""A population of bursting neurons in plain numpy: `hw_models.neurons.burst_unit` in training.

No sum is clipped that never leaves its width, and nothing is reckoned that nothing reads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.plain.integers import Integers, bounded, decayed, draws, index_bits, repeated
from compiler.ir.chip_program import PopulationCode

_BURST, _CONSOLIDATE = 64, 32
_VOLTAGE_MAX = (1 << 23) - 1
_DITHER_BITS = 17


class BurstUnits:
    """The states of a population; `p` are its integer parameters."""

    def __init__(self, code: PopulationCode) -> None:
        self.code = code
        self.p = {name: int(value) for name, value in code.parameters.items()}
        self.places = index_bits(code.size)
        self.usual = np.full(code.size, 1 << 17, dtype=np.int64)
        self.rate = np.full(code.size, self.p["rate_target"], dtype=np.int64)
        self.homeostasis: Integers | int = 0
        self.begin_sample()

    def begin_sample(self) -> None:
        """Reset everything but the long averages."""
        size, p = self.code.size, self.p
        self.u, self.v, self.d, self.count, self.gathered = (np.zeros(size, dtype=np.int64) for _ in range(5))
        if p["rate_limit"]:
            wanted = (p["rate_target"] - self.rate) * p["rate_gain"] >> 16
            self.homeostasis = bounded(wanted, -p["rate_limit"], p["rate_limit"])

    def forget(self) -> None:
        """Reset the gathered burst errors."""
        self.gathered = np.zeros_like(self.gathered)

    def step(
        self, soma: Integers, dendrite: Integers | int, lesson: Integers | int, plastic: bool, k: int
    ) -> tuple[NDArray[np.bool_], Integers | None]:
        """One step under the random key `k`: (who emits an event, burst errors or None where not plastic)."""
        p = self.p
        threshold = p["vth"] << 6
        self.u = decayed(self.u, 4096 - p["du"]) + (soma << p["soma_exp"])
        v = decayed(self.v, 4096 - p["dv"]) + self.u + (p["bias_mant"] << p["bias_exp"])
        event = v > threshold
        self.v = bounded(np.where(event, v - threshold, v), -threshold, _VOLTAGE_MAX)
        self.count += event
        self.d = decayed(self.d, 4096 - p["dd"]) + (dendrite << p["dendrite_exp"])
        if p["rate_limit"]:
            self.rate += ((event.astype(np.int64) << 20) - self.rate) >> p["rate_shift"]
        if plastic and p["teacher_event"]:
            self.d += lesson - p["teacher_event"] * event
        probability = _BURST // 2 + (self.d >> p["dendrite_shift"])
        if plastic:
            probability = probability + self.homeostasis
        burst = (draws(k, self.places) & np.uint32(_BURST - 1)) < probability
        error = None
        if plastic:
            error = np.where(event, _BURST * burst - ((self.usual + 2048) >> 12), 0)
            self.gathered = bounded(self.gathered + error, -127, 127)
        moved = self.usual + (((burst.astype(np.int64) << 18) - self.usual) >> p["usual_shift"])
        self.usual = np.where(event, moved, self.usual)
        return event, error

    def third_factor(self, k: int) -> Integers:
        """The gathered burst errors as the chip's synapses take them: multiples of 8, rounded by chance."""
        drop = self.p["factor_shift"] + 3
        bits = draws(repeated(k, 1), self.places) & np.uint32((1 << _DITHER_BITS) - 1)
        noise = (bits >> np.uint32(_DITHER_BITS - drop)).astype(np.int64)
        return (self.gathered + noise) >> drop << 3

    @property
    def consolidate(self) -> int:
        """The third factor that moves tags into weights."""
        return _CONSOLIDATE
