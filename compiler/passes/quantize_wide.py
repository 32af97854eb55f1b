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

from compiler.ir.elaborated import Synapses
from compiler.ir.network import WEIGHT_BITS
from compiler.passes.quantize_report import Report
from compiler.passes.quantize_weights import (
    Mantissa,
    Weights,
    asked_weights,
    mantissa,
    report_weights,
    weight_exponent,
)
from compiler.passes.weight_signs import SignMode
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
    it = asked_weights(synapses, "static", units)
    narrow = with_bits(it.synapses, WEIGHT_BITS)
    allowed = mantissa("static", it.sign, WEIGHT_BITS)
    exponent = weight_exponent(narrow, "static", it.scaled_by, it.unit, unit_name, report.chip)
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
    stored = it.unit * 2.0 ** (exponent - more)
    wanted = np.rint(it.exact / stored / allowed.step).astype(np.int64) * allowed.step
    ends = _ends(allowed, more, it.sign)
    wide = np.clip(wanted, *ends)
    text = (
        f"weight_exp = {exponent} and {exponent - more}, one unit = {stored:.4g} {unit_name}".rstrip()
        + f", {WEIGHT_BITS + more} bits in two projections"
    )
    report_weights(it, wanted, wide, ends, stored, unit_name, text, report)
    high, low = split(wide, more, it.sign)
    unit = it.unit * 2.0**exponent
    above = np.asarray(high * unit, dtype=np.float64)
    return (
        Weights(high.astype(np.int16), exponent, unit, it.sign, above, None),
        Weights(low.astype(np.int16), exponent - more, stored, it.sign, it.exact - above, None),
    )
