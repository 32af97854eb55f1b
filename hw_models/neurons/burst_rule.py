"""What a neuron keeps of its events and bursts, and what it teaches its synapses by: the burst rule.

With the running averages E of the rate of events, B of bursts and S of spikes,

    tau_average dE/dt = -E + events,   tau_average dB/dt = -B + bursts,   P = B / E, at most 1
    tau_rate    dS/dt = -S + spikes
    y1 = -P + h at an event, 1 + h at a burst       P and E from before the event
    h  = -(1 - rate_high / E) where E > rate_high, else 0
    y3 = max(0, rate_low - S), or of E in place of S

or, with `usual_held`, P stays what it is at the start: the constant baseline of BurstCCN.

A synapse that follows eta (y1 x1 + y3 at a presynaptic event), with a trace x1 of presynaptic events, grows
by eta (1 - P) for a burst and shrinks by eta P for a single spike. Both factors act where `plastic` is 1, y1
gathers over a learning epoch.

E counts pulses, one for each event, and decays as B does; so P changes at events and bursts alone:

    event   P <- P - P / (E + 1),   E <- E + 1
    burst   P <- P + 1 / E

and no quotient of two variables is needed. In integers a pulse is 2^12 units, P counts 2^-15, y1 64ths and y3
16ths of a Hz. 1 / E is 2^-k times a table for m, with E = 2^k m and m from 1/2 to 1; what falls in a step and
what is added to P are rounded at random, so that averages over many steps stay true. Where E is less than
half an event its inverse is 2.
Sources: Payeur, Guerguiev, Zenke, Richards, Naud, Nat. Neurosci. 24, 1010 (2021), and its simulations, whose
S is an average over 30 s of all spikes; for the baseline Greedy, Zhu, Pemberton, Mellor, Ponte Costa, NeurIPS
2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hw_models.neurons.model import (
    ChipNumbers,
    ChipParameter,
    NeuronModel,
    Parameter,
    Reals,
    Represented,
    Settable,
)
from hw_models.neurons.quantities import decay_tau, decay_units
from hw_models.neurons.roles import Control, Roles
from hw_models.program.trace import (
    Integer,
    IntegerLike,
    Program,
    clip,
    dither,
    function,
    maximum,
    minimum,
    saturate,
    shift_rounded,
    where,
)
from hw_models.program.widths import FLAG, Width, signed, unsigned

#: One event in the units of E and S, and certainty in those of P, as powers of two.
PULSE_BITS = 12
CERTAIN_BITS = 15
PULSE, CERTAIN = 1 << PULSE_BITS, 1 << CERTAIN_BITS
#: A burst in the units of y1, and 1 Hz in those of y3.
BURST = 64
HERTZ = 16
#: Falls are counted in 2^-26 of an average, whose last 8 bits they do not read.
_FALL_BITS, _UNREAD_BITS = 26, 8
RESULT_BITS = 14
#: The mantissas of averages lie between half a pulse and a whole one.
_HALF_BITS = PULSE_BITS - 1
#: Bits below the third factor at its least.
_DROPPED_BITS = CERTAIN_BITS - 3 + 14
_AVERAGE = unsigned(24)
#: The compiler makes exponents for mantissas of either sign; these are positive.
_MANTISSA = signed(13)

STATES: Mapping[str, Width] = {
    "E": _AVERAGE,
    # Of the first burst more than 1 where E has fallen since its event.
    "P": Width(0, 2 << CERTAIN_BITS),
    "S": _AVERAGE,
    "gathered": signed(17),
}
CHIP: Mapping[str, Width] = {
    "e_fall": _MANTISSA,
    "e_fall_exp": unsigned(4),
    "s_fall": _MANTISSA,
    "s_fall_exp": unsigned(4),
    "high": _AVERAGE,
    "low": _AVERAGE,
    "low_gain": _MANTISSA,
    "low_gain_exp": unsigned(4),
    "low_of_events": FLAG,
    "usual_held": FLAG,
    # What is drawn below the third factor are 26 bits, of which 12 are always dropped.
    "factor_shift": Width(0, 14),
}
INPUTS: Mapping[str, Width] = dict.fromkeys(("plastic", "gather", "report"), FLAG)
CONTROLS: Mapping[str, Control] = {"plastic": "plastic", "gather": "gather", "report": "report"}
OUTPUTS: Mapping[str, Width] = {"y1": Width(-136, 135), "y3": Width(0, 127)}


@dataclass(frozen=True)
class Declared:
    """What the rule adds to a program's declarations: nothing where a neuron goes without it."""

    states: Mapping[str, Width] = field(default_factory=dict)
    parameters: Mapping[str, Width] = field(default_factory=dict)
    inputs: Mapping[str, Width] = field(default_factory=dict)
    outputs: Mapping[str, Width] = field(default_factory=dict)


def declared(rule: bool) -> Declared:
    """The declarations of the rule, or none."""
    return Declared(STATES, CHIP, INPUTS, OUTPUTS) if rule else Declared()


PARAMETERS = (
    Parameter("tau_average", "time", 5000.0, "time over which events and bursts are averaged", minimum=1e-3),
    Parameter("rate_high", "rate", 1e4, "event rate above which synapses shrink", minimum=0.0),
    Parameter("rate_low", "rate", 0.0, "rate below which synapses grow", minimum=0.0),
    Parameter("tau_rate", "time", 30000.0, "time over which spikes are averaged", minimum=1e-3),
    Parameter("low_of_events", "number", 0.0, "1: rate_low is of events, over tau_average", 0, 1, True),
    Parameter("usual_held", "number", 0.0, "1: the usual burst probability stays as initially", 0, 1, True),
)
NAMES = frozenset(it.name for it in PARAMETERS)
INITIAL = (
    Parameter("E", "rate", None, "average rate of events"),
    Parameter("P", "fraction", None, "usual burst probability", 0.0, 1.0),
    Parameter("S", "rate", None, "average rate of spikes"),
)


def _share(value: Integer, mantissa: Integer, exponent: Integer) -> Integer:
    """value times mantissa 2^exponent / 2^26, rounded at random."""
    noise = dither(value, _FALL_BITS - _UNREAD_BITS) >> exponent
    whole = shift_rounded(value, _UNREAD_BITS) * mantissa
    return (whole + noise) >> (_FALL_BITS - _UNREAD_BITS - exponent)


def _inverse(average: Integer) -> tuple[Integer, Integer]:
    """(k, 2^14 / 2m) of an average of 2^k m pulses, at least half of one."""
    m: Integer = maximum(average, 1 << _HALF_BITS)
    exponent: IntegerLike = 0
    for shift in (8, 4, 2, 1):
        far = m >= 1 << _HALF_BITS + shift
        m, exponent = where(far, m >> shift, m), far * shift + exponent
    beyond = maximum(saturate(m - (1 << _HALF_BITS), bits=_HALF_BITS + 1), 0)
    assert isinstance(exponent, Integer)
    return exponent, -function("inverse", beyond, argument_bits=_HALF_BITS, result_bits=RESULT_BITS)


def taught(
    s: Any, p: Any, x: Any, spike: Integer, event: Integer, burst: Integer
) -> tuple[dict[str, Integer], dict[str, Integer]]:
    """States and outputs after a step with these spikes; `s`, `p`, `x` hold those declared above."""
    events = saturate(s.E + (event << PULSE_BITS), bits=25)
    spikes = saturate(s.S + (spike << PULSE_BITS), bits=25)
    k, inverse = _inverse(events)
    # A product is 2^(13 + k) times too great; its draw has as many bits as it is shifted by.
    moved = where(burst, CERTAIN, where(event, -s.P, 0)) * inverse
    rounded = (moved + (dither(s.P, RESULT_BITS + 14) >> (15 - k))) >> (RESULT_BITS - 1 + k)
    # Of 0 nothing is rounded up: said so that it need not be computed.
    usual = s.P + where(event | burst, rounded, 0)

    k, inverse = _inverse(s.E)
    excess = saturate(maximum(s.E - p.high, 0) >> k, bits=PULSE_BITS + 1)
    h = shift_rounded(excess * inverse, _HALF_BITS + RESULT_BITS - CERTAIN_BITS)
    expected = minimum(s.P, CERTAIN)
    error = where(burst, CERTAIN, where(event, -expected, 0)) - where(event | burst, h, 0)
    gathered = saturate(where(x.gather, 0, s.gathered) + where(x.plastic, error, 0), bits=17)
    # The chip floors products of traces and third factors by 3 bits, so multiples of 8 lose nothing.
    drop = p.factor_shift + (CERTAIN_BITS - 3)
    noise = dither(s.gathered, _DROPPED_BITS) >> (_DROPPED_BITS - drop)
    y1 = ((gathered + noise) >> drop) << 3
    lacking = maximum(p.low - where(p.low_of_events, s.E, s.S), 0)
    y3 = minimum(_share(lacking, p.low_gain, p.low_gain_exp), 127)
    return (
        {
            "E": events - _share(events, p.e_fall, p.e_fall_exp),
            "P": where(p.usual_held, s.P, clip(usual, 0, 2 * CERTAIN)),
            "S": spikes - _share(spikes, p.s_fall, p.s_fall_exp),
            "gathered": gathered,
        },
        {"y1": where(x.report, y1, 0), "y3": where(x.report & x.plastic, y3, 0)},
    )


def rule_numbers(values: Mapping[str, Reals], step_ms: float) -> ChipNumbers:
    """Parameters, units and starts of what is declared above."""
    average, rate = (np.asarray(values[name], dtype=np.float64) for name in ("tau_average", "tau_rate"))
    of_events = np.asarray(values["low_of_events"], dtype=np.float64)
    counted = np.where(of_events > 0, average, rate)
    # A rate of 1 Hz keeps tau / 1000 pulses.
    per_hertz, low_per_hertz = (tau / 1000 * PULSE for tau in (average, counted))

    def scaled(share: Reals, name: str) -> ChipParameter:
        counted = np.asarray(share, dtype=np.float64) * (1 << _FALL_BITS)
        return ChipParameter(counted, exponent=f"{name}_exp")

    def as_it_is(name: str) -> Represented:
        return Represented((name,), lambda chip: chip[name])

    def tau(name: str) -> Represented:
        names = (name, f"{name}_exp")
        return Represented(names, lambda chip: decay_tau(chip[name], step_ms, 1 << _FALL_BITS))

    return ChipNumbers(
        parameters={
            "e_fall": scaled(decay_units(average, step_ms, 1), "e_fall"),
            "s_fall": scaled(decay_units(rate, step_ms, 1), "s_fall"),
            "high": ChipParameter(values["rate_high"] * per_hertz, clip=True),
            "low": ChipParameter(values["rate_low"] * low_per_hertz),
            "low_gain": scaled(HERTZ / low_per_hertz, "low_gain"),
            "low_of_events": ChipParameter(of_events),
            "usual_held": ChipParameter(values["usual_held"]),
        },
        represents={
            "tau_average": tau("e_fall"),
            "tau_rate": tau("s_fall"),
            # Beyond the greatest average a bound means none.
            "rate_high": Represented(
                ("high",),
                lambda chip: np.where(
                    np.asarray(chip["high"]) >= _AVERAGE.high, values["rate_high"], chip["high"] / per_hertz
                ),
            ),
            "rate_low": Represented(("low",), lambda chip: chip["low"] / low_per_hertz),
            "low_of_events": as_it_is("low_of_events"),
            "usual_held": as_it_is("usual_held"),
        },
        port_units={},
        constants={"factor_shift": 0},
        units={
            **({} if average.ndim else {"E": (float(1 / per_hertz), "Hz")}),
            **({} if rate.ndim else {"S": (float(1000 / rate / PULSE), "Hz")}),
            "P": (2.0**-CERTAIN_BITS, ""),
            "gathered": (2.0**-CERTAIN_BITS, ""),
        },
        starts={
            "E": (1 / per_hertz, 0.0),
            "S": (1000 / rate / PULSE, 0.0),
            "P": (2.0**-CERTAIN_BITS, 0.0),
        },
    )


def with_rule(numbers: ChipNumbers, values: Mapping[str, Reals], step_ms: float) -> ChipNumbers:
    """A model's numbers, with those of the rule where it has one."""
    if "tau_average" not in values:
        return numbers
    added = rule_numbers(values, step_ms)
    return replace(
        numbers,
        parameters={**numbers.parameters, **added.parameters},
        represents={**numbers.represents, **added.represents},
        constants={**numbers.constants, **added.constants},
        units={**numbers.units, **added.units},
        starts={**numbers.starts, **added.starts},
    )


def extended(model: NeuronModel, names: frozenset[str], program: Program) -> NeuronModel:
    """The model with the options that are given, and with all of the rule's where one of them is."""
    if not names & NAMES:
        return replace(model.with_given(names), program=program)
    return replace(
        model.with_given(names | NAMES),
        program=program,
        roles=Roles(controls=CONTROLS, factor_shift="factor_shift", exponents=model.roles.exponents),
        variables=(*model.with_given(names).variables, Settable("plastic", input="plastic")),
        initial=(*model.initial, *INITIAL),
    )
