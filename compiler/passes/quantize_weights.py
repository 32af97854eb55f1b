"""Weights and delays of a projection as the chip's integers.

`limit` is the greatest magnitude a projection's weights may take; the smallest exponent e at which it fits
the mantissa is chosen:

    static, 8 bits mixed      -256..254 in steps of 2      e = ceil(log2(limit / (256 unit)))
    static, one sign           0..255, -255..0             the same
    chip form, plastic        -256..255                    the same; drawn as static, 8 bits mixed are
    carry form, plastic       -127..127 and a tag of 1/256 e = ceil(log2(limit / (128 unit)))

Where the user sets no limit, the smallest e at which the greatest drawn weight is not clipped. A uniform
distribution is drawn on the integers themselves, so that every representable value between the bounds is
equally likely.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import CARRY_HIGH, CARRY_LOW, CARRY_TAG_BITS, QuantisationLine
from compiler.ir.elaborated import Synapses
from compiler.ir.network import Projection, Uniform
from compiler.passes.quantize_report import Report
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC311": "weights are clipped to their limit",
        "BC312": "a delay is longer than the target has steps for",
        "BC314": "weights are larger than any exponent makes them",
    }
)

#: Extra steps a synaptic delay may have (6 bits; 62 on Loihi 1).
DELAY_MAX = 62
#: Those that can be stored.
STEPS_MAX = (1 << 15) - 1
EXPONENT_RANGE = (-8, 7)

Form = Literal["static", "chip", "carry"]
SignMode = Literal["MIXED", "EXCITATORY", "INHIBITORY"]


@dataclass(frozen=True)
class Mantissa:
    """The integers a weight may be: low..high in steps of `step`, at 2^-fraction_bits of a weight unit."""

    low: int
    high: int
    step: int
    fraction_bits: int
    magnitude: int

    @property
    def greatest(self) -> float:
        """The magnitude that a weight of either sign can have, in weight units."""
        ends = [abs(end) // self.step * self.step for end in (self.low, self.high) if end]
        return min(ends) / (1 << self.fraction_bits)


@dataclass(frozen=True)
class Weights:
    """Integers at 2^exponent, the physical value of one of them, and the weights before rounding."""

    integers: NDArray[np.int16]
    exponent: int
    unit: float
    sign_mode: SignMode
    exact: NDArray[np.float64]


def mantissa(form: Form, sign: SignMode, bits: int) -> Mantissa:
    """What a weight of `bits` bits may be."""
    if form == "carry":
        return Mantissa(CARRY_LOW, CARRY_HIGH, 1, CARRY_TAG_BITS, 128)
    step = 1 << (8 - bits + (sign == "MIXED"))
    if form == "chip":
        # Learning takes a weight up to 255, but the first step truncates what is not a multiple of `step`.
        return Mantissa(-256, 256 - step, step, 0, 256)
    low = {"MIXED": -256, "EXCITATORY": 0, "INHIBITORY": -256 + step}[sign]
    high = {"MIXED": 256 - step, "EXCITATORY": 256 - step, "INHIBITORY": 0}[sign]
    return Mantissa(low, high, step, 0, 256)


def _sign(values: NDArray[np.float64]) -> SignMode:
    if values.size == 0 or np.min(values) >= 0:
        return "EXCITATORY"
    return "INHIBITORY" if np.max(values) <= 0 else "MIXED"


def _exact(synapses: Synapses) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(physical weights, values whose signs and magnitudes say what all weights may be)."""
    if synapses.quantiles is None:
        assert synapses.weights is not None
        return synapses.weights, synapses.weights
    distribution = synapses.projection.weight
    assert isinstance(distribution, Uniform)
    span = distribution.high - distribution.low
    exact = distribution.low + span * (synapses.quantiles + 0.5) / 65536
    return exact, np.array([distribution.low, distribution.high])


def _exponent(
    projection: Projection, integers: Mantissa, greatest: float, unit: float, unit_name: str, chip: bool
) -> int:
    limit, most = greatest, integers.greatest
    if projection.limit is not None:
        limit, most = projection.limit, float(integers.magnitude)
    if limit == 0:
        return 0
    exponent = math.ceil(math.log2(limit / (most * unit)) - 1e-9)
    if not chip:
        return exponent
    least, greatest_exponent = EXPONENT_RANGE
    if exponent <= greatest_exponent:
        # Smaller weights are coarser, which the report shows.
        return max(exponent, least)
    raise BurstchipError(
        Diagnostic(
            "BC314",
            f"the weights of '{projection.name}' exceed the greatest that the chip can represent",
            projection.places.get("limit", projection.place),
            required=f"at most {2.0**greatest_exponent * most * unit:g} {unit_name}".rstrip(),
            given=f"{limit:g} {unit_name}".rstrip(),
            hint="change the limit of the weights, or the distance from rest to threshold",
        )
    )


def _rms(values: NDArray[np.float64]) -> float:
    # An exact sum: the order in which numpy adds differs between processors.
    return math.sqrt(math.fsum((values * values).flat) / values.size)


def _limit(
    projection: Projection, form: Form, allowed: Mantissa, stored: float, unit_name: str
) -> QuantisationLine:
    """How far the integers let a weight go; no warning, since they go up to twice as far by design."""
    assert projection.limit is not None
    # Learning takes a weight of the chip to 255, whatever bits it was drawn with.
    low, high = (allowed.low, 255 if form == "chip" else allowed.high)
    most = max(-low, high) if form == "static" else high
    return QuantisationLine(
        projection.name, "limit", unit_name, projection.limit, most * stored, f"weights in {low}..{high}"
    )


def quantize_weights(synapses: Synapses, form: Form, unit: float, unit_name: str, report: Report) -> Weights:
    """The weights of a projection. `unit` is the physical value of one weight unit at exponent 0.

    Raises `BurstchipError` BC314 where they are too large; warns (BC311) of weights that are clipped.
    """
    projection = synapses.projection
    exact, extremes = _exact(synapses)
    sign = _sign(extremes) if form == "static" else "MIXED"
    allowed = mantissa(form, sign, projection.weight_bits)
    greatest = float(np.max(np.abs(extremes), initial=0.0))
    exponent = _exponent(projection, allowed, greatest, unit, unit_name, report.chip)
    stored = unit * 2.0**exponent / (1 << allowed.fraction_bits)
    if synapses.quantiles is not None:
        low, high = (round(bound / stored / allowed.step) for bound in extremes)
        asked = ((synapses.quantiles.astype(np.int64) * (high - low + 1)) >> 16) + low
    else:
        asked = np.rint(exact / stored / allowed.step).astype(np.int64)
    asked = asked * allowed.step
    integers = np.clip(asked, allowed.low, allowed.high)
    place = projection.places.get("limit", projection.place)
    clipped = int(np.count_nonzero(integers != asked))
    if clipped and report.chip:
        report.diagnostics.append(
            Diagnostic(
                "BC311",
                f"{clipped} of {asked.size} weights of '{projection.name}' are clipped",
                place,
                "warning",
                required=f"{allowed.low}..{allowed.high}",
                given=f"{int(asked.min())}..{int(asked.max())}",
                hint="raise the limit of the weights",
            )
        )
    requested = float(np.max(np.abs(exact), initial=0.0))
    represented = float(np.max(np.abs(integers), initial=0)) * stored
    text = f"weight_exp = {exponent}, one unit = {stored:.4g} {unit_name}".rstrip()
    report.add(projection.name, "greatest weight", unit_name, requested, represented, text, place)
    if requested > 0 and report.chip:
        rms, got, error = (_rms(values) for values in (exact, integers * stored, integers * stored - exact))
        note = f"rms rounding {100 * error / rms:.3g} %"
        report.lines.append(QuantisationLine(projection.name, "rms weight", unit_name, rms, got, note))
    if projection.limit is not None and report.chip:
        report.lines.append(_limit(projection, form, allowed, stored, unit_name))
    return Weights(integers.astype(np.int16), exponent, stored, sign, exact)


def quantize_delays(synapses: Synapses, report: Report) -> NDArray[np.int16]:
    """Extra steps of each synapse. Raises `BurstchipError` BC312 for more than the chip, or int16, has."""
    most, of = (DELAY_MAX, "6 bits, Loihi") if report.chip else (STEPS_MAX, "the backend reference")
    longest = int(np.max(synapses.delays, initial=0))
    projection = synapses.projection
    if longest > most:
        raise BurstchipError(
            Diagnostic(
                "BC312",
                f"a delay of '{projection.name}' is {longest + 1} steps",
                projection.places.get("delay", projection.place),
                required=f"1..{most + 1} steps ({of})",
                given=f"{longest + 1} steps",
                hint="shorten the delay or lengthen the step",
            )
        )
    return synapses.delays.astype(np.int16)
