"""What rounding takes from the sums of a calibrated projection, as a function of its weights' unit.

With sources that send independently of each other, of mean m and variance q a step, and weights that are off
by dw, the sum of a neuron is off by

    sum of m dw on the average, with the variance sum of q dw^2

and where the exponent e of the weights is negative, flooring takes (1 - 2^e) U/2 on the average, U one unit
of the port, with the variance (1 - 4^e) U^2/12, in the steps in which anything arrives. A membrane that
forgets 1/T in a step averages over steps: a mean stays, a variance becomes 1/(2 T - 1) of itself. The error
of a projection is the root mean square of this average over the target's neurons, in the unit of its weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from compiler.ir.calibration import Calibration
from compiler.ir.elaborated import Synapses
from compiler.ir.network import WEIGHT_BITS
from compiler.passes.quantize_weights import EXPONENT_RANGE, Mantissa, exact_weights, mantissa, weight_range
from compiler.passes.quantize_wide import with_bits
from compiler.passes.weight_signs import Form, sign_mode
from hw_models.elementary import exp

Reals = NDArray[np.float64]

#: Exponents below the least at which no weight is clipped that are tried.
FINER = 4
#: By how much the error has to fall for weights to be clipped.
WORTH = 0.95


def mean(values: Reals) -> float:
    """The mean, of an exact sum: the order in which numpy adds differs between processors."""
    return math.fsum(values.flat) / values.size if values.size else 0.0


@dataclass(frozen=True)
class Grid:
    """Weights low..high in steps of `step`."""

    step: float
    low: float
    high: float

    def nearest(self, weights: Reals) -> Reals:
        """The weights of the grid that are nearest to `weights`."""
        return np.asarray(np.clip(np.rint(weights / self.step) * self.step, self.low, self.high))


@dataclass(frozen=True, eq=False)
class Sums:
    """The sums of a projection: exact weights of its synapses, and what each source sends in a step.

    `memory` is the number of steps T over which the `size` target neurons average. `clips`: weights may be
    clipped where others are less off so, since it is known what is sent.
    """

    synapses: Synapses
    form: Form
    weights: Reals
    sent_mean: Reals
    sent_variance: Reals
    size: int
    memory: float
    clips: bool
    _known: dict[Grid, float] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls, synapses: Synapses, form: Form, calibration: Calibration, factors: Reals, memory: float
    ) -> Sums:
        """Those of a projection; `factors` [neuron] take weights to the greatest unit of its neurons."""
        projection = synapses.projection
        exact, _ = exact_weights(synapses)
        if projection.limit is not None:
            exact = np.clip(exact, -projection.limit, projection.limit)
        weights = np.asarray(synapses.listed(exact) * factors[synapses.post], dtype=np.float64)
        sent = calibration.messages(projection.source.population, projection.source.port)
        return cls(synapses, form, weights, *sent, factors.size, memory, calibration.origin == "run")

    @property
    def searched(self) -> bool:
        """Whether the exponent is free: weights stay, have no limit, are not drawn on the integers."""
        projection = self.synapses.projection
        fixed = projection.limit is not None or projection.weight_exp is not None
        return (
            self.clips
            and self.form == "static"
            and not fixed
            and projection.weight_bits <= WEIGHT_BITS
            and self.synapses.quantiles is None
        )

    @cached_property
    def _mantissa(self) -> Mantissa:
        projection = self.synapses.projection
        sign = sign_mode(projection, self.form, exact_weights(self.synapses)[1])
        return mantissa(self.form, sign, min(projection.weight_bits, WEIGHT_BITS))

    def grid(self, stored: float, fraction: int = 0) -> Grid:
        """The weights that there are where one unit is worth `stored`; `fraction` bits more below it."""
        allowed = self._mantissa
        unit = stored / (1 << allowed.fraction_bits)
        step = allowed.step * unit / (1 << fraction)
        return Grid(step, allowed.low * unit, allowed.high * unit + (allowed.step * unit - step))

    def square(self, weights: Reals) -> float:
        """The mean square over neurons of the averaged sum with these weights."""
        pre, post = self.synapses.pre, self.synapses.post
        means = np.bincount(post, weights * self.sent_mean[pre], minlength=self.size)
        variances = np.bincount(post, weights**2 * self.sent_variance[pre], minlength=self.size)
        return mean(means**2 + variances / (2 * self.memory - 1))

    @cached_property
    def rms(self) -> float:
        """The root mean square of the exact sums."""
        return math.sqrt(self.square(self.weights))

    @cached_property
    def busy(self) -> float:
        """The share of steps in which a neuron gets anything, at least about."""
        often = np.minimum(self.sent_variance + self.sent_mean**2, 1.0)
        arriving = np.bincount(self.synapses.post, often[self.synapses.pre], minlength=self.size)
        return mean(1 - exp(-arriving))

    def rounding(self, grid: Grid) -> float:
        """The root mean square error of sums with weights of a grid."""
        if grid not in self._known:
            self._known[grid] = math.sqrt(self.square(grid.nearest(self.weights) - self.weights))
        return self._known[grid]

    def floored(self, exponent: int, quantum: float) -> float:
        """What flooring takes at a negative exponent, root mean square; `quantum` is one unit of the port."""
        if exponent >= 0:
            return 0.0
        kept = 2.0**exponent
        bias, variance = self.busy * (1 - kept) * quantum / 2, (1 - kept**2) * quantum**2 / 12
        return math.sqrt(bias**2 + self.busy * variance / (2 * self.memory - 1))

    def error(self, exponent: int, unit: float, quantum: float, least: int = EXPONENT_RANGE[0]) -> float:
        """The error of weights at an exponent; `unit` is the weight of one unit at exponent 0.

        The low part of wide weights may have exponents down to `least`.
        """
        more = min(max(self.synapses.projection.weight_bits - WEIGHT_BITS, 0), max(exponent - least, 0))
        rounding = self.rounding(self.grid(unit * 2.0**exponent, more))
        return math.sqrt(rounding**2 + self.floored(exponent - more, quantum) ** 2)

    def whole(self, unit: float, scaled_by: float = 1.0) -> int:
        """The exponent that holds the greatest weight, or the limit, as `weight_exponent` takes it."""
        bits = min(self.synapses.projection.weight_bits, WEIGHT_BITS)
        greatest, most = weight_range(with_bits(self.synapses, bits), self.form)
        if greatest == 0:
            return 0
        octaves = math.log2(greatest * scaled_by / (most * unit))
        kept = self.synapses.projection.limit is not None and self.form != "static"
        exponent = math.floor(octaves + 1e-9) if kept else math.ceil(octaves - 1e-9)
        return max(exponent, EXPONENT_RANGE[0])

    def limit_error(self, unit: float) -> float:
        """How far the limit that integers keep is below the one of weights that learn, as a share of it."""
        limit, most = self.synapses.projection.limit, self._mantissa.magnitude
        if limit is None or self.form == "static":
            return 0.0
        return 1 - 2.0 ** self.whole(unit) * most * unit / limit

    def best(self, whole: int, unit: float, quantum: float) -> int:
        """The exponent with the least error: `whole`, or a smaller one at which some weights are clipped."""
        if not self.searched:
            return whole
        best, error = whole, self.error(whole, unit, quantum)
        for exponent in range(whole - 1, max(whole - FINER, EXPONENT_RANGE[0]) - 1, -1):
            found = self.error(exponent, unit, quantum)
            if found < WORTH * error:
                best, error = exponent, found
        return best
