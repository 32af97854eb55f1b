"""Weights and delays of a projection as the chip's integers.

`limit` is the greatest magnitude a projection's weights may take; it decides the exponent e of the mantissa:

    static, 8 bits mixed      -256..254 in steps of 2      e = ceil(log2(limit / (256 unit)))
    one sign                   0..255, -255..0             the same
    chip form, plastic        -256..255                    e = floor(...); drawn as static, 8 bits mixed are
    carry form, plastic       -127..127 and a tag of 1/256 e = floor(log2(limit / (128 unit)))

A weight that learns goes to the end of its integers, so that its exponent is the greatest at which this end
is within the limit. Where the user sets no limit, e is the smallest at which the greatest drawn weight is
not clipped. A uniform distribution is drawn on the integers themselves, so that every representable value
between the bounds is equally likely.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from compiler.draws import WeightDraws
from compiler.ir.chip_program import CARRY_HIGH, CARRY_LOW, CARRY_TAG_BITS, QuantisationLine
from compiler.ir.connectivity import carries_delays
from compiler.ir.elaborated import Synapses
from compiler.ir.network import Projection
from compiler.ir.values import Normal, Uniform
from compiler.passes.quantize_report import Report
from compiler.passes.weight_signs import Form, SignMode, check_signs, sign_mode, within_limit
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.neurons.model import Reals
from hw_models.neurons.quantities import nearest_steps

register_codes(
    {
        "BC311": "weights are clipped to their limit, or to the greatest integer",
        "BC312": "a delay is longer than the target has steps for",
        "BC318": "weights that the chip's integers lose or hold coarsely",
        "BC314": "weights are larger than any exponent makes them",
        "BC845": "shared weights onto neurons that a weight acts differently on",
    }
)

#: Extra steps a synaptic delay may have (6 bits; 62 on Loihi 1).
DELAY_MAX = 62
#: Those that can be stored.
STEPS_MAX = (1 << 15) - 1
EXPONENT_RANGE = (-8, 7)
#: The share of weights drawn on both sides of 0 that may become 0 without a warning: as many as any other
#: value where there are ten of them.
DRAWN_ZEROS = 0.1
#: The relative rounding that half of the weights may exceed without a warning.
COARSE_SHARE = 0.1

LIMIT_HINT = "raise the limit of the weights"
FINER_HINT = "sums are less off so, as they were calibrated; a limit, or no calibration, clips none"
_APART = "the weights of one projection share an exponent: put the small ones into one of their own"


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
    """Integers at 2^exponent, the physical value of one, the weights before rounding and their draws."""

    integers: NDArray[np.int16]
    exponent: int
    unit: float
    sign_mode: SignMode
    exact: NDArray[np.float64]
    draws: WeightDraws | None


def mantissa(form: Form, sign: SignMode, bits: int) -> Mantissa:
    """What a weight of `bits` bits may be."""
    if form == "carry":
        return Mantissa(CARRY_LOW, CARRY_HIGH, 1, CARRY_TAG_BITS, 128)
    step = 1 << (8 - bits + (sign == "MIXED"))
    # Learning takes a weight up to 255, but the first step truncates what is not a multiple of `step`.
    low = {"MIXED": -256, "EXCITATORY": 0, "INHIBITORY": -256 + step}[sign]
    high = {"MIXED": 256 - step, "EXCITATORY": 256 - step, "INHIBITORY": 0}[sign]
    return Mantissa(low, high, step, 0, 256)


def exact_weights(synapses: Synapses) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(physical weights, values whose signs and magnitudes say what all weights may be)."""
    if synapses.quantiles is None:
        assert synapses.weights is not None
        return synapses.weights, synapses.weights
    distribution = synapses.projection.weight
    assert isinstance(distribution, Uniform)
    span = distribution.high - distribution.low
    exact = distribution.low + span * (synapses.quantiles + 0.5) / 65536
    return exact, np.array([distribution.low, distribution.high])


def weight_range(synapses: Synapses, form: Form) -> tuple[float, float]:
    """(the physical magnitude that decides a projection's exponent, the weight units that hold it)."""
    _, extremes = exact_weights(synapses)
    projection = synapses.projection
    sign = sign_mode(projection, form, extremes)
    allowed = mantissa(form, sign, projection.weight_bits)
    if projection.limit is not None:
        return projection.limit, float(allowed.magnitude)
    return float(np.max(np.abs(extremes), initial=0.0)), allowed.greatest


def weight_exponent(
    synapses: Synapses, form: Form, scaled_by: float, unit: float, unit_name: str, chip: bool
) -> int:
    """The exponent of a projection's weights. Raises `BurstchipError` BC314 where none is great enough."""
    projection = synapses.projection
    limit, most = weight_range(synapses, form)
    limit *= scaled_by
    if limit == 0:
        return 0
    octaves = math.log2(limit / (most * unit))
    kept = projection.limit is not None and form != "static"
    exponent = math.floor(octaves + 1e-9) if kept else math.ceil(octaves - 1e-9)
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
    """The greatest weight that the integers hold: to it a plastic one can grow."""
    assert projection.limit is not None
    # Learning takes a weight of the chip to 255, whatever bits it was drawn with.
    low, high = allowed.low, allowed.high
    if form == "chip":
        low, high = {-256: (-256, 255), 0: (0, 255)}.get(low, (-255, 0))
    most = max(-low, high) if form == "static" else high or -low
    return QuantisationLine(
        projection.name, "limit", unit_name, projection.limit, most * stored, f"weights in {low}..{high}"
    )


def _lost(
    synapses: Synapses,
    exact: NDArray[np.float64],
    integers: NDArray[np.int64],
    stored: float,
    unit_name: str,
    report: Report,
) -> None:
    """Say how each weight is rounded, and warn (BC318) of those that became 0."""
    projection = synapses.projection
    asked = np.abs(exact[exact != 0])
    if not asked.size:
        return
    got = np.abs(integers[exact != 0]) * stored
    zeros = int(np.count_nonzero(got == 0))
    if not zeros and np.all(asked == asked[0]):
        # The line of the greatest weight says it all.
        return
    half, most, greatest = (float(it) for it in np.quantile(np.abs(got / asked - 1), (0.5, 0.9, 1.0)))
    least = int(np.argmin(asked))
    report.lines.append(
        QuantisationLine(
            projection.name,
            "least weight",
            unit_name,
            float(asked[least]),
            float(got[least]),
            f"{zeros} of {asked.size} weights became 0; rounding of each: half within {100 * half:.3g} %, "
            f"nine in ten within {100 * most:.3g} %, all within {100 * greatest:.3g} %",
        )
    )
    # Weights drawn on both sides of 0 are as close to it as to any other value.
    drawn = synapses.quantiles is not None or isinstance(projection.weight, Normal)
    spans = drawn and bool(np.min(exact) < 0 < np.max(exact))
    if zeros > (DRAWN_ZEROS * asked.size if spans else 0):
        message = f"{zeros} of {asked.size} weights of '{projection.name}' became 0"
        required = f"at least {stored * 0.5:.3g} {unit_name}, half of the weight's unit"
        given = f"from {float(asked[got == 0].min()):.3g} {unit_name} on"
    elif half > COARSE_SHARE and synapses.quantiles is None:
        message = f"half of the weights of '{projection.name}' are rounded by more than {100 * half:.3g} %"
        required = f"weights of many units of {stored:.3g} {unit_name}"
        given = f"{float(np.median(asked)):.3g} {unit_name} in the middle"
    else:
        return
    place = projection.places.get("weight", projection.place)
    report.diagnostics.append(
        Diagnostic("BC318", message, place, "warning", required.rstrip(), given.rstrip(), _APART)
    )


@dataclass(frozen=True)
class Asked:
    """What a projection asks for, within its limit and in the unit of the neuron with the greatest.

    `beyond` are the weights that exceeded the limit, up to `greatest`; `scaled_by` is what per-neuron units
    take the limit to.
    """

    synapses: Synapses
    exact: NDArray[np.float64]
    extremes: NDArray[np.float64]
    sign: SignMode
    unit: float
    scaled_by: float
    beyond: NDArray[np.bool_]
    greatest: float


def _not_shareable(projection: Projection) -> BurstchipError:
    return BurstchipError(
        Diagnostic(
            "BC845",
            f"the neurons of '{projection.target}' differ in what a weight does to them, so that"
            f" '{projection.name}' cannot share weights",
            projection.places.get("connectivity", projection.place),
            required="target neurons of the same time constants, thresholds and capacitances",
            given="values that differ from neuron to neuron",
            hint="shared: no gives each synapse a weight of its own",
        )
    )


def asked_weights(synapses: Synapses, form: Form, units: Reals) -> Asked:
    """The weights before rounding. Raises `BurstchipError` BC343 for signs that are not asked for, BC845 for
    shared ones that neurons of different units cannot have."""
    projection = synapses.projection
    exact, extremes = exact_weights(synapses)
    beyond, synapses = within_limit(synapses, exact)
    greatest = float(np.max(np.abs(exact), initial=0.0))
    check_signs(projection, exact)
    if np.any(beyond):
        exact, extremes = exact_weights(synapses)
    unit = float(np.max(units))
    factors = unit / np.asarray(units)
    if np.any(factors != 1):
        if synapses.shared is not None:
            raise _not_shareable(projection)
        exact = np.asarray(exact * factors[synapses.post], dtype=np.float64)
        extremes = np.asarray(extremes * float(np.max(factors)), dtype=np.float64)
        synapses = replace(synapses, quantiles=None, draws=None, weights=exact)
    sign = sign_mode(projection, form, extremes)
    scaled_by = 1.0 if projection.limit is None else float(np.max(factors))
    return Asked(synapses, exact, extremes, sign, unit, scaled_by, beyond, greatest)


def report_weights(
    it: Asked,
    wanted: NDArray[np.int64],
    held: NDArray[np.int64],
    ends: tuple[int, int],
    stored: float,
    unit_name: str,
    text: str,
    report: Report,
    hint: str = LIMIT_HINT,
) -> None:
    """The lines of integers `held` where `wanted` were asked for, worth `stored` each, within `ends`.

    Warns of those that are clipped (BC311) or lost (BC318). `text` describes the integers.
    """
    projection = it.synapses.projection
    place = projection.places.get("limit", projection.place)
    clipped = it.beyond | (held != wanted) if report.chip else it.beyond
    if np.any(clipped):
        required, given = f"{ends[0]}..{ends[1]}", f"{int(wanted.min())}..{int(wanted.max())}"
        if np.any(it.beyond):
            required = f"at most {projection.limit:g} {unit_name}, the limit"
            given = f"up to {it.greatest:g} {unit_name}".rstrip()
        report.diagnostics.append(
            Diagnostic(
                "BC311",
                f"{np.count_nonzero(clipped)} of {held.size} weights of '{projection.name}' are clipped",
                place,
                "warning",
                required=required,
                given=given,
                hint=hint,
            )
        )
    if report.chip:
        _lost(it.synapses, it.exact, held, stored, unit_name, report)
    kept = np.asarray(held * stored, dtype=np.float64)
    requested = float(np.max(np.abs(it.exact), initial=0.0))
    represented = float(np.max(np.abs(held), initial=0)) * stored
    report.add(projection.name, "greatest weight", unit_name, requested, represented, text, place)
    if requested > 0 and report.chip:
        rms, got, error = (_rms(values) for values in (it.exact, kept, kept - it.exact))
        note = f"rms rounding {100 * error / rms:.3g} %"
        report.lines.append(QuantisationLine(projection.name, "rms weight", unit_name, rms, got, note))


def quantize_weights(
    synapses: Synapses,
    form: Form,
    units: Reals,
    unit_name: str,
    report: Report,
    choose: Callable[[int, float], int] | None = None,
) -> Weights:
    """The weights of a projection. `units` are the physical values of one weight unit at exponent 0.

    `choose(exponent, unit)` may take a smaller exponent than the one that clips no weight.

    Where the target's neurons differ in it, weights are those onto the neuron with the greatest. Raises
    `BurstchipError` BC314 where they are too large, BC343 where they do not have the sign that is asked for;
    warns of those that are clipped (BC311) or lost (BC318).
    """
    it = asked_weights(synapses, form, units)
    synapses, projection = it.synapses, it.synapses.projection
    allowed = mantissa(form, it.sign, projection.weight_bits)
    exponent = whole = weight_exponent(synapses, form, it.scaled_by, it.unit, unit_name, report.chip)
    if choose is not None:
        exponent = choose(whole, it.unit)
    stored = it.unit * 2.0**exponent / (1 << allowed.fraction_bits)
    if synapses.quantiles is not None:
        low, high = (round(bound / stored / allowed.step) for bound in it.extremes)
        wanted = ((synapses.quantiles.astype(np.int64) * (high - low + 1)) >> 16) + low
    else:
        wanted = np.rint(it.exact / stored / allowed.step).astype(np.int64)
    wanted = wanted * allowed.step
    ends = (allowed.low, allowed.high)
    integers = np.clip(wanted, *ends)
    text = f"weight_exp = {exponent}, one unit = {stored:.4g} {unit_name}".rstrip()
    hint = FINER_HINT if exponent < whole else LIMIT_HINT
    report_weights(it, wanted, integers, ends, stored, unit_name, text, report, hint)
    if projection.limit is not None and report.chip:
        report.lines.append(_limit(projection, form, allowed, stored, unit_name))
    return Weights(integers.astype(np.int16), exponent, stored, it.sign, it.exact, synapses.draws)


def quantize_delays(synapses: Synapses, step_ms: float, report: Report) -> NDArray[np.int16]:
    """Extra steps of each synapse. Raises `BurstchipError` BC312 for more than the chip, or int16, has."""
    most, of = (DELAY_MAX, "6 bits, Loihi") if report.chip else (STEPS_MAX, "the backend reference")
    projection, longest = synapses.projection, int(np.max(synapses.delays, initial=0))
    if isinstance(projection.delay, Uniform) and not carries_delays(projection.connectivity):
        # All that could be drawn has to fit, whatever the seed.
        longest = min(int(nearest_steps(projection.delay.high, step_ms)), 1 << 20) - 1
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
