"""What the two-compartment neurons share: membranes, adaptation, the moving threshold and burst detection.

    tau_soma     dv/dt = -(v - rest) + drive_soma + R_soma I_soma - a
    tau_dendrite dd/dt = -(d - rest) + drive_dendrite + R_dendrite I_dendrite + c w
    tau_adaptation da/dt = -a;                   a <- a + R_soma adaptation at a spike
    tau_dendrite_adaptation dw/dt = (d - rest) - w;   c = dendrite_adaptation / leak of the dendrite
    tau_threshold dth/dt = -th;                  th <- th + threshold_jump at a spike
    f = 1 / (1 + exp(-(d - dendrite_midpoint) / dendrite_slope))

with R = tau / capacitance, so that all currents are voltages. The drive of the dendrite's conductances is
that of the somatic potential, as in the authors' simulations, or with `own_drive` that of its own.
All right-hand sides read the state at the beginning of the step, but for w, which reads the new d. In a step
conductances decay and take up what arrives, v and d move toward their targets, a, w and th decay, and last a
spike is looked for where v > threshold + th.

Events and bursts are found by the intervals of spikes (`burst_window`), or with `burst_trace` by a trace of
them: see `hw_models.neurons.burst_detector`.
Source: Payeur, Guerguiev, Zenke, Richards, Naud, Nat. Neurosci. 24, 1010 (2021), and its simulations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hw_models.neurons import current_noise
from hw_models.neurons.burst_detector import as_trace, as_window, trace_decay, window_steps
from hw_models.neurons.conductances import (
    BIAS,
    CONDUCTANCE,
    DECAY,
    PARAMETERS,
    VOLTAGE,
    WHOLE,
    WIDTHS,
    decays,
    drive,
    kept_on_average,
    membrane,
    opened,
    port_unit,
    ports,
    time_constants,
    toward,
    voltages,
)
from hw_models.neurons.model import ChipNumbers, ChipParameter, Parameter, Reals, Represented, Settable
from hw_models.neurons.quantities import mv_per_unit, voltage_units
from hw_models.program.trace import Integer, clip, function, saturate, shift_rounded, where
from hw_models.program.widths import FLAG, Width, unsigned

#: Fractions of f's argument and result.
ARGUMENT_BITS = 10
RESULT_BITS = 14
#: The argument of f counts in units of the dendrite's voltage, times `slope` / 2^SLOPE_BITS.
SLOPE_BITS = 20
#: Beyond this many slopes f is 0 or 1 to seven digits.
FAR = 16 << ARGUMENT_BITS
#: 1 in the ratio of the dendrite's adaptation.
RATIO_BITS = 12

STATES: Mapping[str, Width] = {
    "v": VOLTAGE,
    "d": VOLTAGE,
    "a": VOLTAGE,
    "w": VOLTAGE,
    "th": VOLTAGE,
    **dict.fromkeys(("g_soma_exc", "g_soma_inh", "g_dendrite_exc", "g_dendrite_inh"), CONDUCTANCE),
}
INPUTS: Mapping[str, Width] = dict.fromkeys(
    ("soma_exc", "soma_inh", "dendrite_exc", "dendrite_inh"), CONDUCTANCE
)
OUTPUTS: Mapping[str, Width] = dict.fromkeys(("spikes", "events", "bursts"), FLAG)
CHIP: Mapping[str, Width] = {
    **WIDTHS,
    **dict.fromkeys(("d_soma", "d_dendrite", "d_a", "d_w", "d_th"), DECAY),
    "vth": VOLTAGE,
    "jump": VOLTAGE,
    "adapt": VOLTAGE,
    "ratio": Width(-(1 << 20), 1 << 20),
    "midpoint": VOLTAGE,
    "slope": unsigned(24),
    "own_drive": FLAG,
    "bias": BIAS,
    "dendrite_bias": BIAS,
}
PORTS = (*ports("soma_", "the soma"), *ports("dendrite_", "the dendrite"))

#: Of voltages that are moved toward a target, and of those that fall to 0.
_TOWARD = {"d_soma": "tau_soma", "d_dendrite": "tau_dendrite", "d_w": "tau_dendrite_adaptation"}
_FALLING = {"d_a": "tau_adaptation", "d_th": "tau_threshold"}


def parameters_with(midpoint_mv: float) -> tuple[Parameter, ...]:
    """Those that both neurons have, with the dendrite's midpoint where it is not given."""
    return (
        Parameter("tau_soma", "time", 16.0, "time constant of the soma", minimum=1e-3),
        Parameter("capacitance_soma", "capacitance", 370.0, "capacitance of the soma", minimum=1e-3),
        Parameter("tau_dendrite", "time", 7.0, "time constant of the dendrite", minimum=1e-3),
        Parameter("capacitance_dendrite", "capacitance", 170.0, "capacitance of the dendrite", minimum=1e-3),
        Parameter("rest", "voltage", -70.0, "resting potential of both, also the soma's reset"),
        Parameter("threshold", "voltage", -50.0, "a spike is emitted above it, where it has not moved"),
        Parameter("threshold_jump", "voltage", 2.0, "what a spike adds to the threshold"),
        Parameter("tau_threshold", "time", 27.0, "time constant of the threshold's way back", minimum=0.0),
        Parameter("adaptation", "current", -200.0, "somatic current that a spike adds"),
        Parameter("tau_adaptation", "time", 100.0, "time constant of that current", minimum=0.0),
        Parameter("dendrite_adaptation", "conductance", -13.0, "current per mV of the dendrite's slow trace"),
        Parameter("tau_dendrite_adaptation", "time", 30.0, "time constant of that trace", minimum=0.0),
        Parameter("dendrite_midpoint", "voltage", midpoint_mv, "dendritic potential at which f is 1/2"),
        Parameter("dendrite_slope", "voltage", 6.0, "how gradual f is", minimum=1e-3),
        *PARAMETERS,
        Parameter("own_drive", "number", 0.0, "1: the dendrite's drive is by its own potential", 0, 1, True),
        Parameter("bias", "current", 0.0, "constant current into the soma"),
        Parameter("dendrite_bias", "current", 0.0, "constant current into the dendrite"),
        Parameter("burst_window", "time", 16.0, "the longest interval within a burst", minimum=0.0),
    )


BURST_TRACE = Parameter(
    "burst_trace",
    "time",
    None,
    "time constant of a trace of spikes that tells bursts",
    minimum=0.0,
    instead_of="burst_window",
)

INITIAL = (
    Parameter("v", "voltage", None, "potential of the soma"),
    Parameter("d", "voltage", None, "potential of the dendrite"),
    Parameter("w", "voltage", None, "slow trace of the dendrite, above rest"),
    Parameter("th", "voltage", None, "how far the threshold has moved"),
)

VARIABLES = (Settable("bias", "bias", "bias"), Settable("dendrite_bias", "dendrite_bias", "dendrite_bias"))


def sigmoid(d: Integer, p: Any) -> Integer:
    """f of a potential of the dendrite, in 2^-RESULT_BITS."""
    argument = clip(shift_rounded((d - p.midpoint) * p.slope, SLOPE_BITS), -FAR, FAR)
    return function("sigmoid", argument, argument_bits=ARGUMENT_BITS, result_bits=RESULT_BITS)


def currents(s: Any, p: Any, x: Any) -> tuple[Integer, Integer, dict[str, Integer]]:
    """What drives soma and dendrite, in voltage: conductances, biases and adaptations; the conductances."""
    open_now = {
        f"g_{name}": opened(
            getattr(s, f"g_{name}"), getattr(x, name), p.d_exc if name[-3:] == "exc" else p.d_inh
        )
        for name in INPUTS
    }
    felt = where(p.own_drive, s.d, s.v)
    soma = drive(s.v, open_now["g_soma_exc"], open_now["g_soma_inh"], p) + p.bias + s.a
    dendrite = drive(felt, open_now["g_dendrite_exc"], open_now["g_dendrite_inh"], p) + p.dendrite_bias
    return soma, dendrite + shift_rounded(s.w * p.ratio, RATIO_BITS), open_now


def slow(s: Any, p: Any, d: Integer) -> dict[str, Integer]:
    """Adaptations and the threshold's distance from its rest, before any spike."""
    return {
        "a": kept_on_average(s.a, p.d_a),
        "w": toward(s.w, d, p.d_w),
        "th": kept_on_average(s.th, p.d_th),
    }


def after_spike(before: Mapping[str, Integer], spike: Integer, p: Any) -> dict[str, Integer]:
    """The slow variables once a spike has moved them."""
    return {
        "a": saturate(before["a"] + spike * p.adapt, bits=24),
        "w": before["w"],
        "th": saturate(before["th"] + spike * p.jump, bits=24),
    }


def whole_steps(name: str, values: Mapping[str, Reals], step_ms: float) -> ChipParameter:
    """The steps of a time, at which what it ends can be looked at."""
    return ChipParameter(np.asarray(values[name], dtype=np.float64) / step_ms)


def proportional(value: Reals, chip: str, scale: Reals) -> tuple[ChipParameter, Represented]:
    """A parameter that is proportional to one of the chip, and what this stands for."""
    return ChipParameter(value * scale), Represented((chip,), lambda found: found[chip] / scale)


def as_time(chip: str, step_ms: float) -> Represented:
    """The time that a number of steps stands for."""
    return Represented((chip,), lambda found: found[chip] * step_ms)


def two_compartments(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """Potentials as shares of the distance from rest to threshold, currents as the voltages they lead to."""
    unit = mv_per_unit(values["threshold"], values["rest"], voltage_steps)
    # ms / pF is mV / pA, and pF / ms is nS.
    soma = values["tau_soma"] / values["capacitance_soma"]
    dendrite = values["tau_dendrite"] / values["capacitance_dendrite"]
    chip, stands_for, constants = membrane(values, step_ms, unit, voltage_steps)
    chip |= decays(values, step_ms, _TOWARD, decays_voltage=WHOLE) | decays(values, step_ms, _FALLING)
    stands_for |= time_constants(step_ms, _TOWARD | _FALLING)
    potentials, of_potentials = voltages(values, unit, {"vth": "threshold", "midpoint": "dendrite_midpoint"})
    chip |= potentials
    stands_for |= of_potentials

    def by(name: str, chip_name: str, scale: Reals) -> None:
        chip[chip_name], stands_for[name] = proportional(values[name], chip_name, scale)

    by("threshold_jump", "jump", 1 / unit)
    by("bias", "bias", soma / unit)
    by("dendrite_bias", "dendrite_bias", dendrite / unit)
    by("adaptation", "adapt", soma / unit)
    by("dendrite_adaptation", "ratio", dendrite * (1 << RATIO_BITS))
    by("own_drive", "own_drive", 1.0)
    scale = unit * (1 << ARGUMENT_BITS + SLOPE_BITS)
    chip["slope"] = ChipParameter(scale / np.asarray(values["dendrite_slope"], dtype=np.float64))
    stands_for["dendrite_slope"] = Represented(("slope",), lambda found: scale / found["slope"])
    if "burst_trace" in values:
        chip["dx"] = trace_decay(values["burst_trace"], step_ms)
        stands_for["burst_trace"] = as_trace(step_ms)
    else:
        chip["window"] = window_steps(values["burst_window"], step_ms)
        stands_for["burst_window"] = as_window(step_ms)
    # What turns currents into voltages, and where these count from, is chosen and so exact.
    for name, of in (
        ("rest", "vth"),
        ("capacitance_soma", "bias"),
        ("capacitance_dendrite", "dendrite_bias"),
    ):
        stands_for[name] = Represented((of,), lambda _, name=name: values[name])  # type: ignore[misc]
    leak = 2.0 ** -constants["leak_bits"]
    leaks = {port: 1 / (soma if port.startswith("soma") else dendrite) for port in INPUTS}
    numbers = ChipNumbers(
        parameters=chip,
        represents=stands_for,
        port_units={port: port_unit(values, port, step_ms, leak) * leaks[port] for port in INPUTS},
        constants=constants,
        units={
            **voltage_units(unit, "v", "d", "a", "w", "th"),
            **{f"g_{port}": (leak, "leak") for port in INPUTS},
        },
        origins={"v": values["rest"], "d": values["rest"]},
        starts={
            "v": (unit, values["rest"]),
            "d": (unit, values["rest"]),
            "w": (unit, 0.0),
            "th": (unit, 0.0),
        },
        leaks=leaks,
    )
    scales = {"bias": soma / unit, "dendrite_bias": dendrite / unit}
    return current_noise.with_noise(numbers, values, step_ms, current_noise.BOTH, scales)
