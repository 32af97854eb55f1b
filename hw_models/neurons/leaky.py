"""What the leaky integrate-and-fire neurons share: the way to the threshold, its parameters and numbers.

    u <- wrap(tz(u (4096 - (du + 1)), 12) + (soma << 6))
    v <- clip(tz(v (4096 - dv), 12) + u + bias, +-(2^23 - 1));   bias = bias_mant << bias_exp

Of each quantity a population has the physical parameter or the chip's own integer, named as in Lava. With an
integer threshold the scale of voltages is the user's: 1 of `vth`, which is 64 of v, counts as 1 mV, and so
does a weight of 1 at exponent 0 without a synaptic current. Without one the compiler chooses the scale.
Source: lava-nc 0.10.0, `AbstractPyLifModelFixed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.neurons.model import (
    ChipNumbers,
    ChipParameter,
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
    peak_response,
    threshold_units,
    voltage_units,
)
from hw_models.program.trace import Integer, decay, saturate, wrap
from hw_models.program.widths import Width, signed, unsigned

register_codes(
    {
        "BC194": "voltages of a neuron that do not go together",
        "BC195": "an integer in units of voltage without an integer threshold",
    }
)

# Lava's single wrap lets +2^23 stand and turns -2^23 into it.
STATES: Mapping[str, Width] = {"u": Width(1 - (1 << 23), 1 << 23), "v": Width(1 - (1 << 23), (1 << 23) - 1)}
DECAYS: Mapping[str, Width] = {"du": Width(-1, 4095), "dv": unsigned(12)}
BIAS: Mapping[str, Width] = {"bias_mant": signed(13), "bias_exp": unsigned(3)}
#: Up to here one wrap brings every u back into 24 bits; Lava's a_in has 16 bits.
INPUTS: Mapping[str, Width] = {"soma": Width(-(1 << 17), 1 << 17)}

PORTS = (Port("soma", "voltage", "adds to the synaptic current"),)

PARAMETERS = (
    Parameter("tau_membrane", "time", 20.0, "time constant of the membrane", minimum=0.0),
    Parameter("tau_current", "time", 5.0, "time constant of the synaptic current", minimum=0.0),
    Parameter("capacitance", "capacitance", 100.0, "turns the bias current into volts", minimum=1e-3),
    Parameter("rest", "voltage", -70.0, "resting potential, also the reset"),
    Parameter("threshold", "voltage", -50.0, "an event is emitted above it"),
    Parameter("bias", "current", 0.0, "constant current"),
)


def integer(name: str, doc: str, width: Width, instead_of: str) -> Parameter:
    """One of the chip's own integers as an option of a model."""
    return Parameter(name, "number", None, doc, width.low, width.high, True, instead_of)


#: Beside a threshold, which some models have two of.
INTEGERS = (
    integer("du", "what u loses in a step, in 1/4096, less 1", unsigned(12), "tau_current"),
    integer("dv", "what v loses in a step, in 1/4096", unsigned(12), "tau_membrane"),
    integer("bias_mant", "mantissa of the bias, 0 where not given", BIAS["bias_mant"], "bias"),
    integer("bias_exp", "exponent of the bias, 0 where not given", Width(-12, BIAS["bias_exp"].high), "bias"),
)
THRESHOLD = integer("vth", "threshold of v, in 64 of its units", unsigned(17), "threshold")

INITIAL = (
    Parameter("u", "current", None, "synaptic current"),
    Parameter("v", "voltage", None, "potential of the membrane"),
)

VARIABLES = (Settable("bias", "bias", "bias_mant"),)


def integrate(s: Any, p: Any, x: Any) -> tuple[Integer, Integer]:
    """u and v after a step, before any event."""
    u = wrap(decay(s.u, p.du + 1) + (x.soma << INPUT_SHIFT), bits=24)
    return u, saturate(decay(s.v, p.dv) + u + (p.bias_mant << p.bias_exp), bits=24)


def in_chip_units(
    values: Mapping[str, Reals], step_ms: float, voltage_steps: float, threshold: str = "vth"
) -> ChipNumbers:
    """Time constants to decays, voltages to shares of the distance from rest to threshold.

    `threshold` is the chip's name of the one that emits an event. Raises `BurstchipError` BC192 where a
    threshold is not above its resting potential, BC195 where an integer has no scale.
    """
    given = threshold in values
    for name in ("bias_mant", "bias_exp", "vth_lo"):
        if name in values and not given:
            raise BurstchipError(
                Diagnostic(
                    "BC195",
                    f"'{name}' counts units of v, whose scale only an integer threshold fixes",
                    required=f"'{threshold}' beside '{name}'",
                    given=f"'{name}' and a threshold in mV",
                )
            )
    unit = voltage_unit(values, voltage_steps, threshold)
    mantissa_unit = unit * (1 << INPUT_SHIFT)
    rest, capacitance = values["rest"], values["capacitance"]
    parameters: dict[str, ChipParameter] = {}
    represents: dict[str, Represented] = {}
    # Lava adds 1 to du.
    for name, tau, offset in (("du", "tau_current", -1), ("dv", "tau_membrane", 0)):
        if name in values:
            parameters[name] = ChipParameter(values[name] - offset, offset=offset)
            represents[name] = _as_it_is(name, offset)
        else:
            lost = decay_units(values[tau], step_ms)
            parameters[name] = ChipParameter(lost, clip=True, offset=offset, decays_voltage=4096)
            represents[tau] = _as_tau(name, step_ms)
    if given:
        parameters[threshold] = ChipParameter(values[threshold])
        represents[threshold] = _as_it_is(threshold)
    else:
        parameters[threshold] = ChipParameter(threshold_units(values["threshold"], rest, unit))
        represents["threshold"] = Represented(
            (threshold,), lambda chip: rest + chip[threshold] * mantissa_unit
        )
    bias = ("bias_mant", "bias_exp")
    if "bias" in values:
        parameters["bias_mant"] = ChipParameter(
            bias_units(values["bias"], capacitance, unit, step_ms), exponent="bias_exp"
        )
        represents["bias"] = Represented(bias, lambda chip: chip["bias_mant"] * unit * capacitance / step_ms)
    else:
        # Lava shifts to the right by a negative exponent, in every step; here it is done once.
        left = np.maximum(-np.asarray(values.get("bias_exp", 0.0), dtype=np.float64), 0.0)
        shifted = np.floor(np.asarray(values.get("bias_mant", 0.0)) / 2.0**left)
        parameters |= {
            "bias_mant": ChipParameter(shifted),
            "bias_exp": ChipParameter(np.maximum(values.get("bias_exp", 0.0), 0.0)),
        }
        means = {
            "bias_mant": Represented(("bias_mant",), lambda chip: chip["bias_mant"] * 2.0**left),
            "bias_exp": Represented(("bias_exp",), lambda chip: chip["bias_exp"] - left),
        }
        represents |= {name: means[name] for name in bias if name in values}
    # Where voltages count from, and what turns currents into them, are chosen and so exact.
    represents["rest"] = Represented((threshold,), lambda _: rest)
    represents["capacitance"] = Represented(bias, lambda _: capacitance)
    taus = [
        values[tau] if tau in values else decay_tau(np.asarray(values[name]) + more, step_ms)
        for name, tau, more in (("du", "tau_current", 1), ("dv", "tau_membrane", 0))
    ]
    return ChipNumbers(
        parameters={name: parameters[name] for name in ("du", "dv", threshold, "bias_mant", *parameters)},
        represents=represents,
        port_units={"soma": mantissa_unit * peak_response(taus[0], taus[1], step_ms)},
        units=voltage_units(unit, "u", "v"),
        origins={"v": rest},
        # A current moves the membrane by I dt / C in a step.
        starts={"u": (unit * capacitance / step_ms, 0.0), "v": (unit, rest)},
    )


def voltage_unit(values: Mapping[str, Reals], voltage_steps: float, threshold: str = "vth") -> float:
    """The mV that one unit of v stands for."""
    if threshold in values:
        return 1.0 / (1 << INPUT_SHIFT)
    return mv_per_unit(values["threshold"], values["rest"], voltage_steps)


def threshold_mv(values: Mapping[str, Reals], threshold: str = "vth") -> Reals:
    """The threshold in mV, given as a voltage or as an integer."""
    return values["rest"] + values[threshold] if threshold in values else values["threshold"]


def require_order(low: tuple[str, Reals], high: tuple[str, Reals], *, or_equal: bool) -> None:
    """Raise `BurstchipError` BC194 where a voltage is not below (or at) another one, each with its name."""
    lows, highs = np.broadcast_arrays(np.atleast_1d(low[1]), np.atleast_1d(high[1]))
    wrong = lows > highs if or_equal else lows >= highs
    if np.any(wrong):
        at = int(np.argmax(wrong))
        relation = "at or below" if or_equal else "below"
        raise BurstchipError(
            Diagnostic(
                "BC194",
                f"the {low[0].replace('_', ' ')} is not {relation} the {high[0].replace('_', ' ')}",
                required=f"{low[0]} {relation} {high[0]}",
                given=f"{low[0]} {lows[at]:g} mV, {high[0]} {highs[at]:g} mV",
            )
        )


def _as_it_is(name: str, offset: int = 0) -> Represented:
    return Represented((name,), lambda chip: chip[name] + offset)


def _as_tau(name: str, step_ms: float) -> Represented:
    return Represented((name,), lambda chip: decay_tau(chip[name], step_ms))
