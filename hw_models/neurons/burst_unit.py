"""Two-compartment bursting neuron of Payeur et al. (2021), reduced to what the burst rule needs.

The soma makes events; the dendrite's potential sets the probability that an event is a burst; an
estimate of the usual burst probability is subtracted, and what is left teaches the synapses:

    soma      u <- u exp(-dt/tau_current) + input,   v <- v exp(-dt/tau_soma) + u + bias
              event E where v > threshold; then v <- v - threshold; v never below -threshold
    dendrite  d <- d exp(-dt/tau_dendrite) + input + teacher_gain (teacher_rate dt - E)
    burst     probability p = clip(1/2 + d + h, 0, 1) at an event; B = 1 for a burst
    usual     P <- P + (B - P) / burst_window at each event
    error     burst_error = B - P E;   gathered over a learning epoch: the third factor y1
    rate      R <- R + (E - R) dt / homeostasis_window
              h = clip(homeostasis_gain (target_rate dt - R), +-homeostasis_limit), once a sample

The teacher and the gathering act in the plastic part of a sample only (`plastic`), where h joins p.
In integers p counts 64ths, P 2^-18, R 2^-20 and the burst error 64ths of a burst. The decays round
toward zero, right shifts floor, P is rounded to nearest where it is subtracted.

A weight at the soma is the greatest depolarisation in mV by one event; at the dendrite the change of the
burst probability.
Source of the rule: Payeur, Guerguiev, Zenke, Richards, Naud, Nat. Neurosci. 24, 1010 (2021).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hw_models.neurons.model import (
    ChipNumbers,
    ChipParameter,
    NeuronModel,
    Parameter,
    Port,
    Reals,
    Represented,
    Settable,
)
from hw_models.neurons.quantities import (
    INPUT_SHIFT,
    bias_units,
    decay_tau,
    decay_units,
    mv_per_unit,
    octaves,
    peak_response,
    threshold_units,
    voltage_units,
)
from hw_models.neurons.roles import Roles
from hw_models.program.trace import (
    clip,
    decay,
    dither,
    maximum,
    minimum,
    program,
    random_bits,
    saturate,
    shift_rounded,
    where,
)
from hw_models.program.widths import FLAG, Width, signed, unsigned

#: A burst, and certainty, in the units of burst probabilities and burst errors.
BURST = 64
#: The third factor that says "consolidate": one, where the engine divides a tag times it by 32.
CONSOLIDATE = 32
COUNT_MAX = (1 << 16) - 1


@program(
    states={
        "u": signed(24),
        "v": signed(24),
        "d": signed(24),
        "gathered": signed(8),
        "P": Width(0, 1 << 18),
        "R": Width(0, 1 << 20),
        "h": Width(-BURST, BURST),
        "count": unsigned(16),
    },
    parameters={
        "du": unsigned(12),
        "dv": unsigned(12),
        "dd": unsigned(12),
        "vth": unsigned(12),
        "bias_mant": signed(13),
        "bias_exp": unsigned(3),
        "soma_exp": unsigned(3),
        "dendrite_exp": unsigned(3),
        "dendrite_shift": unsigned(4),
        "usual_shift": Width(1, 16),
        "rate_shift": Width(1, 20),
        "rate_target": Width(0, 1 << 20),
        "rate_gain": unsigned(12),
        "rate_limit": Width(0, BURST),
        "teacher_event": signed(16),
        # Drawn below the third factor are 17 bits, of which 3 are always dropped.
        "factor_shift": Width(0, 14),
    },
    inputs={
        # The greatest 9-bit weights of 2048 sources that emit at once.
        "soma": signed(20),
        "dendrite": signed(18),
        "teacher": signed(16),
        "reset": FLAG,
        "learning": FLAG,
        "plastic": FLAG,
        "gather": FLAG,
        "last": FLAG,
        "report": FLAG,
        "consolidate": FLAG,
    },
    outputs={
        "events": FLAG,
        "bursts": FLAG,
        "burst_error": signed(8),
        "y1": Width(-136, 135),
        "y2": unsigned(6),
    },
    initial={"P": 1 << 17, "R": "rate_target"},
)
def burst_unit_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step of the bursting neuron; see the module's equations."""
    threshold = p.vth << INPUT_SHIFT
    u = saturate(decay(where(x.reset, 0, s.u), p.du) + (x.soma << p.soma_exp), bits=24)
    v = decay(where(x.reset, 0, s.v), p.dv) + u + (p.bias_mant << p.bias_exp)
    event = v > threshold
    v = saturate(maximum(where(event, v - threshold, v), -threshold), bits=24)

    rate = s.R + (((event << 20) - s.R) >> p.rate_shift)
    h = where(x.reset, clip(((p.rate_target - s.R) * p.rate_gain) >> 16, -p.rate_limit, p.rate_limit), s.h)

    lesson = x.teacher - p.teacher_event * event
    d = decay(where(x.reset, 0, s.d), p.dd) + (x.dendrite << p.dendrite_exp)
    d = saturate(d + where(x.plastic, lesson, 0), bits=24)
    probability = clip(BURST // 2 + (d >> p.dendrite_shift) + where(x.plastic, h, 0), 0, BURST)
    burst = event & (random_bits(d, 6) < probability)
    usual = s.P + (((burst << 18) - s.P) >> p.usual_shift)
    error = where(event & x.plastic, BURST * burst - shift_rounded(s.P, 12), 0)
    kept = where(x.reset | x.gather, 0, s.gathered)
    gathered = saturate(kept + error, bits=8)

    # The chip floors products of traces and third factors by 3 bits, so multiples of 8 lose nothing.
    drop = p.factor_shift + 3
    noise = dither(d, 17) >> (17 - drop)
    y1 = ((gathered + noise) >> drop) << 3

    event_seen = where(x.last, 0, event)
    return (
        {
            "u": u,
            "v": v,
            "d": where(x.learning, d, s.d),
            "gathered": where(x.learning, gathered, s.gathered),
            "P": where(event & x.learning, usual, s.P),
            "R": where(x.learning, rate, s.R),
            "h": where(x.learning, h, s.h),
            "count": minimum(where(x.reset, 0, s.count) + event, COUNT_MAX),
        },
        {
            "events": event_seen,
            "bursts": where(x.learning, burst & event_seen, 0),
            "burst_error": where(x.learning, where(x.last, 0, error), 0),
            "y1": where(x.learning & x.report, y1, 0),
            "y2": where(x.consolidate, CONSOLIDATE, 0),
        },
    )


def _window(value: Reals) -> NDArray[np.float64]:
    """The right shift that averages over a window: log2 of it."""
    return octaves(np.maximum(value, 1.0))


def in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """Voltages to shares of the distance from rest to threshold, windows to powers of two."""
    unit = mv_per_unit(values["threshold"], values["rest"], voltage_steps)
    mantissa_unit = unit * (1 << INPUT_SHIFT)
    peak = peak_response(values["tau_current"], values["tau_soma"], step_ms)
    # d counts 2^-(shift + 6) of certainty.
    shift = int(np.max(values["dendrite_shift"]))
    certainty = BURST << shift
    parameters = {
        "du": ChipParameter(decay_units(values["tau_current"], step_ms), clip=True, decays_voltage=4096),
        "dv": ChipParameter(decay_units(values["tau_soma"], step_ms), clip=True, decays_voltage=4096),
        "dd": ChipParameter(decay_units(values["tau_dendrite"], step_ms), clip=True),
        "vth": ChipParameter(threshold_units(values["threshold"], values["rest"], unit)),
        "bias_mant": ChipParameter(
            bias_units(values["bias"], values["capacitance"], unit, step_ms), exponent="bias_exp"
        ),
        "dendrite_shift": ChipParameter(float(shift)),
        "usual_shift": ChipParameter(_window(values["burst_window"]), clip=True, shared=True),
        "rate_shift": ChipParameter(_window(values["homeostasis_window"] / step_ms), clip=True, shared=True),
        "rate_target": ChipParameter(values["target_rate"] * step_ms / 1000 * (1 << 20)),
        # h = (difference << 20 of rates) * gain >> 16 in 64ths: a gain of 1/4 a unit.
        "rate_gain": ChipParameter(values["homeostasis_gain"] * 4 / step_ms),
        "rate_limit": ChipParameter(values["homeostasis_limit"] * BURST),
        "teacher_event": ChipParameter(values["teacher_gain"] * certainty),
        # What is taught is the difference to the effect of events, which is an integer.
        "teacher_on": ChipParameter(
            lambda event: event * step_ms / 1000 * values["teacher_on"], follows="teacher_event"
        ),
        "teacher_off": ChipParameter(
            lambda event: event * step_ms / 1000 * values["teacher_off"], follows="teacher_event"
        ),
    }

    def taught(chip: Mapping[str, Reals], name: str) -> Reals:
        # Without a gain nothing is taught.
        per_event_hz = np.asarray(chip["teacher_event"] * step_ms / 1000)
        with np.errstate(divide="ignore", invalid="ignore"):
            hertz = chip[name] / per_event_hz
        return np.where(per_event_hz == 0, 0.0, hertz)

    bias = ("bias_mant", "bias_exp")
    represents = {
        "tau_current": Represented(("du",), lambda chip: decay_tau(chip["du"], step_ms)),
        "tau_soma": Represented(("dv",), lambda chip: decay_tau(chip["dv"], step_ms)),
        "tau_dendrite": Represented(("dd",), lambda chip: decay_tau(chip["dd"], step_ms)),
        "threshold": Represented(("vth",), lambda chip: values["rest"] + chip["vth"] * mantissa_unit),
        "bias": Represented(bias, lambda chip: chip["bias_mant"] * unit * values["capacitance"] / step_ms),
        "burst_window": Represented(("usual_shift",), lambda chip: 2.0 ** chip["usual_shift"]),
        "homeostasis_window": Represented(("rate_shift",), lambda chip: 2.0 ** chip["rate_shift"] * step_ms),
        "target_rate": Represented(
            ("rate_target",), lambda chip: chip["rate_target"] / (1 << 20) * 1000 / step_ms
        ),
        "homeostasis_gain": Represented(("rate_gain",), lambda chip: chip["rate_gain"] * step_ms / 4),
        "homeostasis_limit": Represented(("rate_limit",), lambda chip: chip["rate_limit"] / BURST),
        "teacher_gain": Represented(("teacher_event",), lambda chip: chip["teacher_event"] / certainty),
        "teacher_on": Represented(("teacher_on",), lambda chip: taught(chip, "teacher_on")),
        "teacher_off": Represented(("teacher_off",), lambda chip: taught(chip, "teacher_off")),
        "dendrite_shift": Represented(("dendrite_shift",), lambda chip: chip["dendrite_shift"]),
        # Where voltages count from, and what turns currents into them, are chosen and so exact.
        "rest": Represented(("vth",), lambda _: values["rest"]),
        "capacitance": Represented(bias, lambda _: values["capacitance"]),
    }
    return ChipNumbers(
        parameters,
        represents,
        # One weight unit at exponent 0 adds 1 to u, and 64 to d for a whole burst error.
        port_units={"soma": unit * peak, "dendrite": 1 / certainty},
        # The compiler makes the exponents and the factor's shift what the projections need.
        constants={"soma_exp": INPUT_SHIFT, "dendrite_exp": 0, "factor_shift": 0},
        units={
            **voltage_units(unit, "u", "v"),
            "d": (1 / certainty, ""),
            "h": (1 / BURST, ""),
            "P": (2.0**-18, ""),
            "R": (2.0**-20 * 1000 / step_ms, "Hz"),
            "gathered": (1 / BURST, ""),
            "burst_error": (1 / BURST, ""),
        },
        origins={"v": values["rest"]},
        starts={
            # A current moves the soma by I dt / C in a step.
            "u": (unit * values["capacitance"] / step_ms, 0.0),
            "v": (unit, values["rest"]),
            "d": (1 / certainty, 0.0),
            "P": (2.0**-18, 0.0),
            "R": (2.0**-20 * 1000 / step_ms, 0.0),
            "h": (1 / BURST, 0.0),
        },
    )


BURST_UNIT = NeuronModel(
    name="burst_unit",
    kind="neuron",
    doc="two-compartment bursting neuron with an estimate of its usual burst probability",
    parameters=(
        Parameter("tau_soma", "time", 31.5, "time constant of the soma", minimum=0.0),
        Parameter("tau_current", "time", 0.0, "time constant of the somatic current", minimum=0.0),
        Parameter("tau_dendrite", "time", 7.5, "time constant of the dendrite", minimum=0.0),
        Parameter("capacitance", "capacitance", 100.0, "turns the bias current into volts", minimum=1e-3),
        Parameter("rest", "voltage", -70.0, "resting potential of the soma"),
        Parameter("threshold", "voltage", -50.0, "the soma emits an event above it"),
        Parameter("bias", "current", 0.0, "constant somatic current"),
        Parameter(
            "burst_window",
            "number",
            1024.0,
            "events over which the usual burst probability averages",
            2,
            65536,
        ),
        Parameter("target_rate", "rate", 0.0, "event rate that homeostasis aims at", minimum=0.0),
        Parameter(
            "homeostasis_gain",
            "number",
            0.0,
            "burst probability per missing event per millisecond",
            0.0,
            1023.0,
        ),
        Parameter("homeostasis_limit", "fraction", 0.0, "greatest change of the burst probability", 0.0, 1.0),
        Parameter(
            "homeostasis_window", "time", 1024.0, "time over which the event rate averages", minimum=2.0
        ),
        Parameter("teacher_on", "rate", 0.0, "event rate taught to the neuron of the label", minimum=0.0),
        Parameter("teacher_off", "rate", 0.0, "event rate taught to the other neurons", minimum=0.0),
        Parameter(
            "teacher_gain", "fraction", 0.0, "burst probability per event off the taught rate", 0.0, 1.0
        ),
        Parameter(
            "dendrite_shift",
            "number",
            6.0,
            "bits of the dendrite below 1/64 of certainty",
            0.0,
            8.0,
            integer=True,
        ),
    ),
    ports=(
        Port("soma", "voltage", "drives events"),
        Port("dendrite", "fraction", "moves the burst probability"),
    ),
    in_chip_units=in_chip_units,
    program=burst_unit_program,
    roles=Roles(
        controls={
            "teacher": "taught",
            "reset": "reset",
            "learning": "learning",
            "plastic": "plastic",
            "gather": "gather",
            "last": "last",
            "report": "report",
            "consolidate": "consolidate",
        },
        exponents={"soma": "soma_exp", "dendrite": "dendrite_exp"},
        responses={"soma": "v", "dendrite": "d"},
        taught="teacher_on",
        taught_else="teacher_off",
        factor_shift="factor_shift",
        gathered="gathered",
        count="count",
        tie="v",
    ),
    variables=(
        Settable("bias", "bias", "bias_mant"),
        Settable("teacher", "teacher_on", "teacher_on", "teacher", "teacher_off"),
        Settable("plastic", input="plastic"),
    ),
    initial=(
        Parameter("u", "current", None, "somatic current"),
        Parameter("v", "voltage", None, "potential of the soma"),
        Parameter("d", "fraction", None, "what the dendrite adds to the burst probability"),
        Parameter("P", "fraction", None, "usual burst probability", 0.0, 1.0),
        Parameter("R", "rate", None, "average event rate", minimum=0.0),
        Parameter("h", "fraction", None, "what homeostasis adds to the burst probability"),
    ),
)
