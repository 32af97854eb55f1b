"""Learned weights on fewer bits: the integers that lose least, and the noise that such integers are like.

A weight of b bits is m 2^k of the projection's units, with b bits for m. k is that whose integers are nearest
to the weights, in the sum of squares: a smaller one is finer, and clips more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import CARRY_TAG_BITS, ChipProgram, ProjectionCode
from compiler.passes.quantize_weights import mantissa
from hw_models.program.random import at, key

#: The widths that a chip stores weights in, at most those of the compiler's own weights.
BITS = range(1, 9)
#: The stream of the noise, apart from all that a network draws.
NOISE_STREAM = 0x6E6F69
#: How much finer than the stored unit k may be: smaller exponents that a projection could have.
_FINER = 4


@dataclass(frozen=True)
class Grid:
    """Weights low..high in steps of `step`, all in units that events see."""

    low: float
    high: float
    step: float

    def nearest(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weights of the grid that are nearest to `weights`."""
        return np.asarray(np.clip(np.rint(weights / self.step) * self.step, self.low, self.high))


def learned_units(projection: ProjectionCode) -> NDArray[np.float64]:
    """The exact weights in units that events see."""
    return np.asarray(projection.exact / projection.event_unit)


def grid(projection: ProjectionCode, bits: int) -> Grid:
    """The grid of `bits` bits that loses least of a projection's weights."""
    assert bits in BITS
    weights = learned_units(projection)
    # A chip's learning keeps one sign where the projection has one.
    signed = projection.sign_mode == "MIXED"
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if projection.sign_mode == "INHIBITORY":
        least, most = -most, 0
    learning = projection.learning
    whole = mantissa("static" if learning is None else learning.form, projection.sign_mode, BITS[-1])
    carries = learning is not None and learning.form == "carry"
    tags = 1 << whole.fraction_bits
    low, high = -(-whole.low // tags), whole.high // tags

    def at_exponent(k: int) -> Grid:
        step = 2.0**k
        return Grid(max(least * step, -(-low // step) * step), min(most * step, high // step * step), step)

    # The carry form's units are fixed; others could have a smaller exponent.
    grids = [at_exponent(k) for k in range(0 if carries else -_FINER, 9)]
    lost = [float(np.sum((it.nearest(weights) - weights) ** 2)) for it in grids]
    return grids[int(np.argmin(lost))]


def _stored(projection: ProjectionCode, weights: NDArray[np.float64], step: float) -> ProjectionCode:
    """The projection with these weights, multiples of `step` in units that events see."""
    if projection.learning is not None and projection.learning.form == "carry":
        integers = np.rint(weights).astype(np.int64) << CARRY_TAG_BITS
        return replace(
            projection, weights=integers.astype(np.int16), requested=weights * projection.event_unit
        )
    # Weights of the chip are multiples of what their bits leave out, at an exponent that fits.
    unit = 1 << (projection.sign_mode == "MIXED")
    shift = 0
    while step * (1 << shift) < unit:
        shift += 1
    integers = np.rint(weights * (1 << shift)).astype(np.int16)
    return replace(
        projection,
        weights=integers,
        requested=weights * projection.unit,
        weight_exp=projection.weight_exp - shift,
        unit=projection.unit / (1 << shift),
        num_weight_bits=BITS[-1],
    )


def with_bits(code: ChipProgram, bits: int) -> ChipProgram:
    """The program whose weights that learn are integers of `bits` bits."""
    projections = []
    for it in code.projections:
        if it.learning is not None:
            chosen = grid(it, bits)
            it = _stored(it, chosen.nearest(learned_units(it)), chosen.step)
        projections.append(it)
    return replace(code, projections=tuple(projections))


def with_noise(code: ChipProgram, bits: int, draw: int) -> ChipProgram:
    """The program whose exact weights that learn have the noise of `bits` bits: uniform, a step wide.

    What no integer reaches is clipped. The noise is a function of the program's seed, `draw` and the synapse.
    """
    projections = []
    for number, it in enumerate(code.projections):
        if it.learning is not None:
            chosen, exact = grid(it, bits), learned_units(it)
            keys = key(code.seed, NOISE_STREAM + number, draw)
            drawn = at(keys, np.arange(exact.size)).astype(np.float64).reshape(exact.shape) / 2.0**32 - 0.5
            noisy = np.clip(exact + chosen.step * drawn, chosen.low, chosen.high)
            it = replace(it, requested=noisy * it.event_unit)
        projections.append(it)
    return replace(code, projections=tuple(projections))


def lost_share(code: ChipProgram, bits: int) -> dict[str, float]:
    """Root mean squares of what `bits` bits lose of weights, as shares of theirs, by projection."""
    found = {}
    for it in code.projections:
        if it.learning is not None and it.weights.size:
            exact = learned_units(it)
            lost = grid(it, bits).nearest(exact) - exact
            whole = float(np.sqrt(np.mean(exact**2)))
            # Twelve digits: weights that are integers already lose nothing.
            found[it.name] = round(float(np.sqrt(np.mean(lost**2))) / whole, 12) if whole else 0.0
    return found
