"""Conductance synapses: currents that grow with the distance to a reversal potential.

    tau_exc dg_exc/dt = -g_exc + weights of events,   tau_inh dg_inh/dt = -g_inh + weights of events
    drive = g_exc (reversal_exc - v) + g_inh (reversal_inh - v)

Conductances are multiples of the leak, so that the drive is the voltage to which they alone would take the
membrane. In integers a leak is 2^12 units at the least voltage scale, and twice as many for each doubling of
it; decays are counted in 2^-16 of a step's loss and round to nearest, toward zero (conductances) or at
random (what falls slowly to 0):

    g <- tz(g (2^16 - dg), 16) + port
    v <- clip(v + round(leak (target - v), 16))

which is exact for a target that is constant within a step. g is a conductance's mean over the step: of an
event of weight w, which opens w at the step's beginning, that is w (tau/dt) (1 - exp(-dt/tau)). So what an
event does in all, w tau, does not depend on the step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hw_models.neurons.model import ChipParameter, Parameter, Port, Reals, Represented
from hw_models.neurons.quantities import VOLTAGE_STEPS, decay_tau, decay_units
from hw_models.program.trace import Integer, dither, saturate, shift_rounded, shift_toward_zero
from hw_models.program.widths import Width, signed

#: What decays keep and lose is counted in parts of this.
WHOLE_BITS = 16
WHOLE = 1 << WHOLE_BITS
#: Units of a leak at the least voltage scale, as a power of two.
LEAK_BITS = 12

DECAY = Width(0, WHOLE)
VOLTAGE = signed(24)
#: A current as the voltage that it leads to: what a signal brings may be many thresholds, at any scale.
BIAS = signed(28)
#: What synapses bring in a step, and what is open.
CONDUCTANCE = signed(24)

WIDTHS: Mapping[str, Width] = {
    "d_exc": DECAY,
    "d_inh": DECAY,
    "e_exc": VOLTAGE,
    "e_inh": VOLTAGE,
    "leak_bits": Width(LEAK_BITS, LEAK_BITS + 12),
}

PARAMETERS = (
    Parameter("tau_exc", "time", 5.0, "time constant of excitatory conductances", minimum=0.0),
    Parameter("tau_inh", "time", 10.0, "time constant of inhibitory conductances", minimum=0.0),
    Parameter("reversal_exc", "voltage", 0.0, "reversal potential of excitation"),
    Parameter("reversal_inh", "voltage", -80.0, "reversal potential of inhibition"),
)


def ports(prefix: str, where: str) -> tuple[Port, Port]:
    """The two ports of a compartment, `prefix` before their names."""
    return (
        Port(f"{prefix}exc", "conductance", f"opens excitatory conductances of {where}"),
        Port(f"{prefix}inh", "conductance", f"opens inhibitory conductances of {where}"),
    )


def kept(value: Integer, lost: Integer) -> Integer:
    """What a decay leaves of a value, rounded toward zero."""
    return shift_toward_zero(value * (WHOLE - lost), WHOLE_BITS)


def kept_on_average(value: Integer, lost: Integer) -> Integer:
    """The same, rounded at random: of what decays slowly, rounding toward zero would take too much."""
    return value - ((value * lost + dither(value, WHOLE_BITS)) >> WHOLE_BITS)


def opened(conductance: Integer, arriving: Integer, lost: Integer) -> Integer:
    """A conductance after what decays of it and what arrives."""
    return saturate(kept(conductance, lost) + arriving, bits=24)


def drive(v: Integer, exc: Integer, inh: Integer, p: Any) -> Integer:
    """The voltage to which both conductances alone would take the membrane."""
    return shift_rounded(exc * (p.e_exc - v) + inh * (p.e_inh - v), p.leak_bits)


def toward(v: Integer, target: Integer, lost: Integer) -> Integer:
    """A voltage after a step on its way to a target."""
    return saturate(v + shift_rounded((target - v) * lost, WHOLE_BITS), bits=24)


def decays(
    values: Mapping[str, Reals], step_ms: float, names: Mapping[str, str], *, decays_voltage: int = 0
) -> dict[str, ChipParameter]:
    """The chip's decays, by the names of the time constants that they are of."""
    return {
        chip: ChipParameter(
            decay_units(values[tau], step_ms, WHOLE), clip=True, decays_voltage=decays_voltage
        )
        for chip, tau in names.items()
    }


def time_constants(step_ms: float, names: Mapping[str, str]) -> dict[str, Represented]:
    """What decays stand for; `names` as for `decays`."""

    def of(chip: str) -> Represented:
        return Represented((chip,), lambda found: decay_tau(found[chip], step_ms, WHOLE))

    return {tau: of(chip) for chip, tau in names.items()}


def voltages(
    values: Mapping[str, Reals], unit: float, names: Mapping[str, str]
) -> tuple[dict[str, ChipParameter], dict[str, Represented]]:
    """Potentials as distances from `rest`, in units of voltage; `names` as for `decays`."""
    rest = values["rest"]

    def of(chip: str) -> Represented:
        return Represented((chip,), lambda found: rest + found[chip] * unit)

    return (
        {chip: ChipParameter((values[name] - rest) / unit) for chip, name in names.items()},
        {name: of(chip) for chip, name in names.items()},
    )


def port_unit(values: Mapping[str, Reals], port: str, step_ms: float, unit: float) -> Reals:
    """The weight, as a multiple of the leak, whose mean over the step of its event is one unit."""
    tau = np.asarray(values["tau_exc" if port.endswith("exc") else "tau_inh"], dtype=np.float64)
    steps = tau / step_ms
    # Without a time constant a conductance is open for the step of its event.
    mean = np.where(steps > 0, steps * decay_units(tau, step_ms, 1), 1.0)
    return unit / mean


def leak_bits(voltage_steps: float) -> int:
    """Units of a leak as a power of two, at a voltage scale."""
    return LEAK_BITS + round(float(np.log2(voltage_steps / VOLTAGE_STEPS)))


def membrane(
    values: Mapping[str, Reals], step_ms: float, unit: float, voltage_steps: float
) -> tuple[dict[str, ChipParameter], dict[str, Represented], dict[str, int]]:
    """Parameters, what they stand for, and constants of the conductances."""
    names = {"d_exc": "tau_exc", "d_inh": "tau_inh"}
    reversals, stand_for = voltages(values, unit, {"e_exc": "reversal_exc", "e_inh": "reversal_inh"})
    return (
        decays(values, step_ms, names) | reversals,
        time_constants(step_ms, names) | stand_for,
        {"leak_bits": leak_bits(voltage_steps)},
    )
