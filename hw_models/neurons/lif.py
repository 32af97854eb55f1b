"""Leaky integrate-and-fire neuron with a filtered synaptic current: Lava's fixed-point LIF, exactly.

    tau_current du/dt = -u + sum of weights of arriving events
    tau_membrane dv/dt = -(v - rest) + ...,   C dv/dt driven by u and the bias current
    an event where v > threshold, then v = rest

In integers, with tz the shift that rounds toward zero:

    u <- wrap(tz(u (4096 - (du + 1)), 12) + (soma << 6))
    v <- clip(tz(v (4096 - dv), 12) + u + bias, +-(2^23 - 1));   bias = bias_mant << bias_exp
    event = v > (vth << 6);   v <- 0 where event

A weight is the depolarisation, in mV, that one event's current causes in its first step.
Source: lava-nc 0.10.0, `PyLifModelBitAcc`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hw_models.neurons.model import NeuronModel, Parameter, Port, Quantized, QuantizedParameter
from hw_models.neurons.quantities import (
    INPUT_SHIFT,
    bias_units,
    decay_rate,
    decay_tau,
    mantissa_exponent,
    mv_per_unit,
    reals,
    threshold_mantissa,
    voltage_units,
)
from hw_models.program.trace import decay, program, saturate, where, wrap
from hw_models.program.widths import FLAG, Width, signed, unsigned


@program(
    # Lava's single wrap lets +2^23 stand and turns -2^23 into it.
    states={"u": Width(1 - (1 << 23), 1 << 23), "v": Width(1 - (1 << 23), (1 << 23) - 1)},
    parameters={
        "du": Width(-1, 4095),
        "dv": unsigned(12),
        "vth": unsigned(17),
        "bias_mant": signed(13),
        "bias_exp": unsigned(3),
    },
    # Up to here one wrap brings every u back into 24 bits; Lava's a_in has 16 bits.
    inputs={"soma": Width(-(1 << 17), 1 << 17)},
    outputs={"events": FLAG},
)
def lif_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step of the LIF neuron; see the module's equations."""
    u = wrap(decay(s.u, p.du + 1) + (x.soma << INPUT_SHIFT), bits=24)
    v = saturate(decay(s.v, p.dv) + u + (p.bias_mant << p.bias_exp), bits=24)
    events = v > (p.vth << INPUT_SHIFT)
    return {"u": u, "v": where(events, 0, v)}, {"events": events}


def quantize(values: Mapping[str, float | NDArray[np.float64]], step_ms: float) -> Quantized:
    """Time constants to decays, voltages to 1/8192 of the distance from rest to threshold."""
    unit = mv_per_unit(values["threshold"], values["rest"])
    vth = threshold_mantissa(values["threshold"], values["rest"])
    du = decay_rate(values["tau_current"], step_ms, greatest=4096) - 1
    dv = decay_rate(values["tau_membrane"], step_ms)
    bias = bias_units(values["bias"], values["capacitance"], unit, step_ms)
    mantissa, exponent = mantissa_exponent(bias)
    represented_bias = np.asarray(mantissa) * 2.0**exponent * unit * values["capacitance"] / step_ms
    lines = (
        ("tau_current", decay_tau(du + 1, step_ms), f"du = {du}"),
        ("tau_membrane", decay_tau(dv, step_ms), f"dv = {dv}"),
        ("threshold", values["rest"] + np.asarray(vth) * (unit * (1 << INPUT_SHIFT)), f"vth = {vth}"),
        ("bias", represented_bias, f"bias_mant = {mantissa}, bias_exp = {exponent}"),
    )
    return Quantized(
        parameters={"du": du, "dv": dv, "vth": vth, "bias_mant": mantissa, "bias_exp": exponent},
        port_units={"soma": unit * (1 << INPUT_SHIFT)},
        report=tuple(QuantizedParameter(n, reals(values[n]), reals(r), t) for n, r, t in lines),
        units=voltage_units(unit, "u", "v"),
    )


LIF = NeuronModel(
    name="lif",
    kind="neuron",
    doc="leaky integrate-and-fire neuron, Lava's fixed-point LIF",
    parameters=(
        Parameter("tau_membrane", "time", 20.0, "time constant of the membrane", minimum=0.0),
        Parameter("tau_current", "time", 5.0, "time constant of the synaptic current", minimum=0.0),
        Parameter("capacitance", "capacitance", 100.0, "turns the bias current into volts", minimum=1e-3),
        Parameter("rest", "voltage", -70.0, "resting potential, also the reset"),
        Parameter("threshold", "voltage", -50.0, "an event is emitted above it"),
        Parameter("bias", "current", 0.0, "constant current"),
    ),
    ports=(Port("soma", "voltage", "adds to the synaptic current"),),
    quantize=quantize,
    program=lif_program,
)
