"""Leaky integrate-and-fire neuron with a filtered synaptic current: Lava's fixed-point LIF, exactly.

    tau_current du/dt = -u + sum of weights of arriving events
    tau_membrane dv/dt = -(v - rest) + ...,   C dv/dt driven by u and the bias current
    an event where v > threshold, then v = rest

In integers, with tz the shift that rounds toward zero:

    u <- wrap(tz(u (4096 - (du + 1)), 12) + (soma << 6))
    v <- clip(tz(v (4096 - dv), 12) + u + bias, +-(2^23 - 1));   bias = bias_mant << bias_exp
    event = v > (vth << 6);   v <- 0 where event

A weight is the greatest depolarisation, in mV, that one event causes in a neuron at rest, at any step: the
peak of the two exponentials, or the jump where tau_current is 0.
Source: lava-nc 0.10.0, `PyLifModelBitAcc`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    peak_response,
    threshold_units,
    voltage_units,
)
from hw_models.neurons.roles import Roles
from hw_models.program.trace import Integer, decay, program, saturate, where, wrap
from hw_models.program.widths import FLAG, Width, signed, unsigned


def integrate(u: Integer, v: Integer, p: Any, soma: Integer) -> tuple[Integer, Integer]:
    """Current and voltage a step later, before any event: what all relatives of LIF have in common."""
    u = wrap(decay(u, p.du + 1) + (soma << INPUT_SHIFT), bits=24)
    return u, saturate(decay(v, p.dv) + u + (p.bias_mant << p.bias_exp), bits=24)


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
    u, v = integrate(s.u, s.v, p, x.soma)
    events = v > (p.vth << INPUT_SHIFT)
    return {"u": u, "v": where(events, 0, v)}, {"events": events}


def in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """Time constants to decays, voltages to shares of the distance from rest to threshold."""
    unit = mv_per_unit(values["threshold"], values["rest"], voltage_steps)
    mantissa_unit = unit * (1 << INPUT_SHIFT)
    peak = peak_response(values["tau_current"], values["tau_membrane"], step_ms)
    return ChipNumbers(
        parameters={
            "du": ChipParameter(
                decay_units(values["tau_current"], step_ms), clip=True, offset=-1, decays_voltage=True
            ),
            "dv": ChipParameter(decay_units(values["tau_membrane"], step_ms), clip=True, decays_voltage=True),
            "vth": ChipParameter(threshold_units(values["threshold"], values["rest"], unit)),
            "bias_mant": ChipParameter(
                bias_units(values["bias"], values["capacitance"], unit, step_ms), exponent="bias_exp"
            ),
        },
        represents={
            "tau_current": Represented(("du",), lambda chip: decay_tau(chip["du"], step_ms)),
            "tau_membrane": Represented(("dv",), lambda chip: decay_tau(chip["dv"], step_ms)),
            "threshold": Represented(("vth",), lambda chip: values["rest"] + chip["vth"] * mantissa_unit),
            "bias": Represented(
                ("bias_mant", "bias_exp"),
                lambda chip: chip["bias_mant"] * unit * values["capacitance"] / step_ms,
            ),
            # Where voltages count from, and what turns currents into them, are chosen and so exact.
            "rest": Represented(("vth",), lambda _: values["rest"]),
            "capacitance": Represented(("bias_mant", "bias_exp"), lambda _: values["capacitance"]),
        },
        port_units={"soma": mantissa_unit * peak},
        units=voltage_units(unit, "u", "v"),
        origins={"v": values["rest"]},
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
    in_chip_units=in_chip_units,
    program=lif_program,
    roles=Roles(responses={"soma": "v"}),
    variables=(Settable("bias", "bias", "bias_mant"),),
)
