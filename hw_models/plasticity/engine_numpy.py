"""One learning epoch in integers, exactly as Lava computes it: the executable specification.

For each synaptic variable v of w, t, d, of which all products read the old values:

    A = v << 7
    for each product, in the order written:
        p = condition · mantissa · Π clip(factor, -2^b, 2^b - 1)        in 32 bits, wraps
        A = clip(A + clip((p >> shift) << (exponent + 7)))              clip at -32769 .. 32767
    v = clip((A >> 7) + (r < (A & 127)))                                r = a draw from 0 .. 127

Matrices are [pre, post]. The simulator generates its fast twin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hw_models.plasticity.rule import FRACTION_BITS, Factor, LearningRule, Product, SumOfProducts

Integers = NDArray[np.int64]
SignMode = Literal["mixed", "excitatory", "inhibitory"]

#: The accumulator saturates here; the lower end is Lava's, one below a 16-bit integer.
ACCUMULATOR = (-32769, 32767)
WEIGHT_RANGES: dict[SignMode, tuple[int, int]] = {
    "mixed": (-256, 255),
    "excitatory": (0, 255),
    "inhibitory": (-255, 0),
}
TAG_RANGE = (-257, 255)
DELAY_RANGE = (0, 255)
_FRACTION_MASK = (1 << FRACTION_BITS) - 1


@dataclass(frozen=True)
class SynapticVariables:
    """Weight, tag and delay of every synapse, [pre, post]."""

    w: Integers
    t: Integers
    d: Integers


@dataclass(frozen=True)
class EpochTraces:
    """What the rule can read of one learning epoch of E steps.

    `x[place, k, pre]` is trace x(k+1) after step `place` of the epoch, `y[place, k, post]` trace y(k+1);
    place 0 is before the epoch. `tx`, `ty` are the places, 1 to E, of each neuron's last spike, 0 for none.
    """

    x: Integers
    y: Integers
    tx: Integers
    ty: Integers


def learn(
    rule: LearningRule,
    synapses: SynapticVariables,
    traces: EpochTraces,
    epoch: int,
    draw: Integers | int,
    sign_mode: SignMode = "mixed",
) -> SynapticVariables:
    """The synaptic variables after learning epoch number `epoch` = 1, 2, ...

    `draw` is one integer from 0 to 127, or one for each synapse; it rounds all three variables. Lava's draw r
    in [0, 1) is floor(128 r): r < f/128 holds exactly where floor(128 r) < f.
    """
    holds_u = rule.holds_u(epoch)
    ranges = {"w": WEIGHT_RANGES[sign_mode], "t": TAG_RANGE, "d": DELAY_RANGE}
    new = {"w": synapses.w, "t": synapses.t, "d": synapses.d}
    for change in rule.sums:
        variable = change.target[1]
        accumulator = accumulate(change, synapses, traces, holds_u)
        low, high = ranges[variable]
        # Lava bounds the accumulator by the sign mode before it rounds; the last clip has the same effect.
        rounded = (accumulator >> FRACTION_BITS) + (np.asarray(draw) < (accumulator & _FRACTION_MASK))
        new[variable] = np.clip(rounded, low, high)
    return SynapticVariables(new["w"], new["t"], new["d"])


def accumulate(
    change: SumOfProducts, synapses: SynapticVariables, traces: EpochTraces, holds_u: bool
) -> Integers:
    """The accumulator of one synaptic variable after all products, in units of 1/128."""
    accumulator: Integers = getattr(synapses, change.target[1]).astype(np.int64) << FRACTION_BITS
    for product in change.products:
        value = np.full(accumulator.shape, product.mantissa, dtype=np.int64)
        value = value * _condition(product, traces, holds_u)
        for factor in product.factors:
            value = value * _factor(factor, product.condition[0], synapses, traces)
        # 64-bit products are right modulo 2^64, so their lowest 32 bits are those of a 32-bit product.
        value = _wrap32(value) >> min(product.shift, 31)
        value = np.clip(value << (product.exponent + FRACTION_BITS), *ACCUMULATOR)
        accumulator = np.clip(accumulator + value, *ACCUMULATOR)
    return accumulator


def _condition(product: Product, traces: EpochTraces, holds_u: bool) -> Integers:
    if product.condition == "x0":
        return (traces.tx > 0).astype(np.int64)[:, np.newaxis]
    if product.condition == "y0":
        return (traces.ty > 0).astype(np.int64)[np.newaxis, :]
    return np.asarray(int(holds_u), dtype=np.int64)


def _factor(
    factor: Factor, condition: str, synapses: SynapticVariables, traces: EpochTraces
) -> NDArray[np.int64]:
    """The factor of every synapse: [pre, post], [pre, 1] or [1, post]."""
    value = _variable(factor.variable, condition, synapses, traces) + factor.constant
    if factor.kind.startswith("sgn"):
        return np.asarray(np.sign(value))
    return np.clip(value, -(1 << factor.width), (1 << factor.width) - 1)


def _variable(
    name: str, condition: str, synapses: SynapticVariables, traces: EpochTraces
) -> NDArray[np.int64]:
    """A variable as a product with this condition (x, y or u) reads it.

    Under x0 traces are those at the presynaptic neuron's last spike, under y0 those at the postsynaptic
    neuron's, under uK those at the end of the epoch.
    """
    if name in ("w", "t", "d"):
        return np.asarray(getattr(synapses, name), dtype=np.int64)
    if name == "x0":
        return (traces.tx > 0).astype(np.int64)[:, np.newaxis]
    if name == "y0":
        return (traces.ty > 0).astype(np.int64)[np.newaxis, :]
    pre, post = len(traces.tx), len(traces.ty)
    place: Integers = np.full((1, 1), -1, dtype=np.int64)
    if condition == "x":
        place = traces.tx[:, np.newaxis]
    elif condition == "y":
        place = traces.ty[np.newaxis, :]
    trace = int(name[1]) - 1
    if name[0] == "x":
        return np.asarray(traces.x[place, trace, np.arange(pre)[:, np.newaxis]])
    return np.asarray(traces.y[place, trace, np.arange(post)[np.newaxis, :]])


def _wrap32(value: Integers) -> Integers:
    return ((value + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
