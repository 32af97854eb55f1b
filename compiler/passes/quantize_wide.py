"""Weights of 9 to 16 bits: each the sum of two weights of 8 bits, of two projections with the same synapses.

With k more bits than 8 and the high part at exponent e, as a weight of 8 bits would have it:

    weight = W 2^(e - k);   W = 2^k high + low,   high and low each a weight of 8 bits
    mixed         high = 2 floor((W + 2^k) / 2^(k+1)), so that low is within -2^k..2^k - 2, even
    excitatory    high = floor(W / 2^k), low within 0..2^k - 1;   inhibitory the same with the other sign

What is stored is exactly W, and a weight is off by half a step of the low part at most. Sums below one unit
of a port are floored, so the exponent of the low part ends at 0 where the port has none of its own, else at
-8: with fewer bits than asked for, which is a warning (BC366).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import QuantisationLine
from compiler.ir.elaborated import Synapses
from compiler.ir.network import WEIGHT_BITS
from compiler.passes.quantize_report import Report
from compiler.passes.quantize_weights import (
    Mantissa,
    Weights,
    exact_weights,
    lost_weights,
    mantissa,
    root_mean_square,
    weight_exponent,
)
from compiler.passes.weight_signs import SignMode, check_signs, sign_mode, within_limit
from hw_models.diagnostics import Diagnostic, register_codes
from hw_models.neurons.model import Reals

register_codes({"BC366": "weights of fewer bits than they are to have"})


def with_bits(synapses: Synapses, bits: int) -> Synapses:
    """The same synapses with weights of so many bits."""
    return replace(synapses, projection=replace(synapses.projection, weight_bits=bits))


def split(wide: NDArray[np.int64], bits: int, sign: SignMode) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(high, low) of integers that `bits` bits more than 8 hold; `wide` = high 2^bits + low."""
    if sign == "MIXED":
        high = (wide + (1 << bits) >> (bits + 1)) * 2
    elif sign == "EXCITATORY":
        high = wide >> bits
    else:
        high = -(-wide >> bits)
    return high, wide - (high << bits)


def _ends(allowed: Mantissa, bits: int, sign: SignMode) -> tuple[int, int]:
    """The least and the greatest that the sum of both parts can be."""
    rest = max((1 << bits) - allowed.step, 0)
    below = (1 << bits if bits else 0) if sign == "MIXED" else rest
    least = (allowed.low << bits) - below if allowed.low else 0
    return least, (allowed.high << bits) + rest if allowed.high else 0


def wide_weights(
    synapses: Synapses, units: Reals, unit_name: str, least_exponent: int, report: Report
) -> tuple[Weights, Weights]:
    """The weights of the two projections; `units` and messages as for `quantize_weights`."""
    projection = synapses.projection
    exact, extremes = exact_weights(synapses)
    beyond, synapses = within_limit(synapses, exact)
    check_signs(projection, exact)
    if np.any(beyond):
        greatest = float(np.max(np.abs(exact)))
        exact, extremes = exact_weights(synapses)
        report.diagnostics.append(
            Diagnostic(
                "BC311",
                f"{np.count_nonzero(beyond)} of {exact.size} weights of '{projection.name}' are clipped",
                projection.places.get("limit", projection.place),
                "warning",
                required=f"at most {projection.limit:g} {unit_name}, the limit",
                given=f"up to {greatest:g} {unit_name}".rstrip(),
                hint="raise the limit of the weights",
            )
        )
    unit = float(np.max(units))
    factors = unit / np.asarray(units)
    if np.any(factors != 1):
        exact = np.asarray(exact * factors[synapses.post], dtype=np.float64)
        extremes = extremes * float(np.max(factors))
        synapses = replace(synapses, quantiles=None, draws=None, weights=exact)
    narrow = with_bits(synapses, WEIGHT_BITS)
    sign = sign_mode(projection, "static", extremes)
    allowed = mantissa("static", sign, WEIGHT_BITS)
    scaled_by = 1.0 if projection.limit is None else float(np.max(factors))
    exponent = weight_exponent(narrow, "static", scaled_by, unit, unit_name, report.chip)
    more = min(projection.weight_bits - WEIGHT_BITS, max(exponent - least_exponent, 0))
    if report.chip and more < projection.weight_bits - WEIGHT_BITS:
        report.diagnostics.append(
            Diagnostic(
                "BC366",
                f"the weights of '{projection.name}' have fewer bits than they are to have",
                projection.places.get("weight_bits", projection.place),
                "warning",
                required=f"{projection.weight_bits} bits",
                given=f"{WEIGHT_BITS + more} bits: further ones are below one unit of the target's port",
                hint="fewer sources, weaker weights or a lower threshold leave room for a finer unit",
            )
        )
    stored = unit * 2.0 ** (exponent - more)
    wide = np.rint(exact / stored / allowed.step).astype(np.int64) * allowed.step
    wide = np.clip(wide, *_ends(allowed, more, sign))
    high, low = split(wide, more, sign)
    if report.chip:
        lost_weights(narrow, exact, wide, stored, unit_name, report)
    kept = np.asarray(wide * stored, dtype=np.float64)
    requested, got = (float(np.max(np.abs(it), initial=0)) for it in (exact, kept))
    text = (
        f"weight_exp = {exponent} and {exponent - more}, one unit = {stored:.4g} {unit_name}".rstrip()
        + f", {WEIGHT_BITS + more} bits in two projections"
    )
    place = projection.places.get("limit", projection.place)
    report.add(projection.name, "greatest weight", unit_name, requested, got, text, place)
    if requested > 0 and report.chip:
        rms, held, error = (root_mean_square(it) for it in (exact, kept, kept - exact))
        note = f"rms rounding {100 * error / rms:.3g} %"
        report.lines.append(QuantisationLine(projection.name, "rms weight", unit_name, rms, held, note))
    high_unit = unit * 2.0**exponent
    above = np.asarray(high * high_unit, dtype=np.float64)
    return (
        Weights(high.astype(np.int16), exponent, high_unit, sign, above, None),
        Weights(low.astype(np.int16), exponent - more, stored, sign, exact - above, None),
    )
