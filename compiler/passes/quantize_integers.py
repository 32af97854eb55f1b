"""Weights that are given as the chip's integers: they stay what they are, as Lava's `Dense` takes them.

    MIXED -256..255,  EXCITATORY 0..255,  INHIBITORY -255..0, each at 2^weight_exp

Of a weight of fewer bits Lava drops the lowest ones, and of mixed signs one more: rounded down, or toward 0
where all weights inhibit. What they stand for follows from the target's own integers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import QuantisationLine
from compiler.ir.elaborated import Synapses
from compiler.ir.values import Normal, Uniform
from compiler.passes.quantize_report import Report
from compiler.passes.quantize_weights import Weights, exact_weights, mantissa
from compiler.passes.weight_signs import Form, sign_mode
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.neurons.model import Reals

register_codes(
    {
        "BC363": "weights that are not integers of the chip",
        "BC364": "weights that lose their lowest bits",
        "BC365": "integer weights onto neurons whose scale the compiler chooses",
    }
)

_RANGES = {"MIXED": (-256, 255), "EXCITATORY": (0, 255), "INHIBITORY": (-255, 0)}


def asked_integers(synapses: Synapses) -> NDArray[np.int64]:
    """The integers of a projection that has a `weight_exp`, before any bit is lost."""
    values, extremes = exact_weights(synapses)
    if synapses.quantiles is None:
        return np.asarray(np.rint(values), dtype=np.int64)
    low, high = (round(float(end)) for end in extremes)
    return np.asarray(((synapses.quantiles.astype(np.int64) * (high - low + 1)) >> 16) + low)


def integer_weights(synapses: Synapses, form: Form, units: Reals, unit_name: str, report: Report) -> Weights:
    """The weights of a projection that has a `weight_exp`; `units` as for `quantize_weights`.

    Raises `BurstchipError` BC363 where they are not integers of their sign mode; warns (BC364) of those that
    are truncated.
    """
    projection = synapses.projection
    assert projection.weight_exp is not None
    place = projection.places.get("weight", projection.place)
    values, extremes = exact_weights(synapses)
    drawn = isinstance(projection.weight, Uniform | Normal)
    asked = asked_integers(synapses)
    sign = sign_mode(projection, form, extremes)
    if projection.sign_mode is None and np.min(asked, initial=0) == _RANGES["MIXED"][0]:
        # The one integer of a negative sign that only mixed weights have.
        sign = "MIXED"
    low, high = _RANGES[sign]
    wrong = (asked < low) | (asked > high) | (False if drawn else asked != values)
    if form == "carry" or np.any(wrong):
        required = f"whole numbers from {low} to {high}, the sign mode {sign.lower()}"
        given = f"{float((asked if drawn else values)[np.argmax(wrong)]):g}"
        if form == "carry":
            required, given = "weights that are fixed, or learn in the form chip", "the form carry"
        message = f"the weights of '{projection.name}' are not integers of the chip"
        raise BurstchipError(Diagnostic("BC363", message, place, required=required, given=given))
    step = mantissa(form, sign, projection.weight_bits).step
    held = -(-asked // step * step) if sign == "INHIBITORY" else asked // step * step
    changed = int(np.count_nonzero(held != asked))
    if changed and report.chip:
        report.diagnostics.append(
            Diagnostic(
                "BC364",
                f"{changed} of {asked.size} weights of '{projection.name}' lose their lowest bits",
                place,
                "warning",
                required=f"multiples of {step}: {projection.weight_bits} bits, {sign.lower()}",
                given=str(int(asked[np.argmax(held != asked)])),
            )
        )
    unit = float(np.max(units)) * 2.0**projection.weight_exp
    if report.chip:
        greatest = int(np.argmax(np.abs(asked))) if asked.size else None
        ends = (0, 0) if greatest is None else (int(asked[greatest]), int(held[greatest]))
        text = f"weight_exp = {projection.weight_exp} as given, one unit = {unit:.4g} {unit_name}".rstrip()
        report.lines.append(
            QuantisationLine(projection.name, "integer weight", "", float(ends[0]), float(ends[1]), text)
        )
    exact = np.asarray(asked * unit, dtype=np.float64)
    return Weights(held.astype(np.int16), projection.weight_exp, unit, sign, exact, None)
