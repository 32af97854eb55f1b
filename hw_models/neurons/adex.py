"""Adaptive exponential integrate-and-fire neuron with conductance synapses.

    C dv/dt = -g (v - rest) + g slope exp((v - threshold) / slope) - w + bias + g drive
    tau_adaptation dw/dt = subthreshold (v - rest) - w
    spike where v > peak:  v <- reset for `refractory`, w <- w + adaptation

with g = `leak` and the drive of `hw_models.neurons.conductances`. v is at least `floor`. All right-hand sides
read the state at the beginning of the step, but for w, which reads the new v, and where it was reset, the
reset: how far a step takes v above the peak depends on the step alone. The exponential's argument ends at 12,
from where on a step takes any neuron over its peak.

`adex_pv` and `adex_som` have the parameters of cells that express parvalbumin and somatostatin; the threshold
of a neuron with a rheobase I is rest + I / (g + a) + slope (1 - ln(1 + a / g)), a = `subthreshold`.
Sources: Brette and Gerstner, J. Neurophysiol. 94, 3637 (2005); Payeur, Guerguiev, Zenke, Richards, Naud, Nat.
Neurosci. 24, 1010 (2021), whose simulations hold v at rest while it is refractory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from hw_models.neurons import current_noise
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
    membrane,
    opened,
    port_unit,
    ports,
    time_constants,
    toward,
    voltages,
)
from hw_models.neurons.model import (
    ChipNumbers,
    ChipParameter,
    NeuronModel,
    Parameter,
    Reals,
    Represented,
    Settable,
)
from hw_models.neurons.quantities import decay_tau, decay_units, mv_per_unit, nearest_steps, voltage_units
from hw_models.program.trace import Program, clip, function, maximum, program, saturate, shift_rounded, where
from hw_models.program.widths import FLAG, Width, unsigned

ARGUMENT_BITS = 10
RESULT_BITS = 12
SLOPE_BITS = 20
LOW, HIGH = -16 << ARGUMENT_BITS, 12 << ARGUMENT_BITS
RATIO_BITS = 12


@lru_cache(maxsize=2)
def adex_program(*, noisy: bool = False) -> Program:
    """The program, with or without noise."""

    def adex_program(s, p, x):  # type: ignore[no-untyped-def]
        """One step; `w` is the adaptation's current as the voltage it leads to."""
        noise, p = current_noise.disturbed(s, p, current_noise.SOMA, noisy)
        exc, inh = opened(s.g_exc, x.exc, p.d_exc), opened(s.g_inh, x.inh, p.d_inh)
        argument = clip(shift_rounded((s.v - p.threshold) * p.slope, SLOPE_BITS), LOW, HIGH)
        steep = function("exp", argument, argument_bits=ARGUMENT_BITS, result_bits=RESULT_BITS)
        target = drive(s.v, exc, inh, p) + p.bias - s.w + shift_rounded(steep * p.rise, RESULT_BITS)
        moved = maximum(toward(s.v, target, p.d_v), p.floor)
        v = where(s.idle > 0, p.v_reset, moved)
        spike = v > p.peak
        after = where(spike, p.v_reset, v)
        w = toward(s.w, shift_rounded(after * p.ratio, RATIO_BITS), p.d_w)
        states = {
            "v": after,
            "w": saturate(w + spike * p.adapt, bits=24),
            "idle": where(spike, p.refractory, maximum(s.idle - 1, 0)),
            "g_exc": exc,
            "g_inh": inh,
            **noise,
        }
        return states, {"events": spike}

    return program(
        states={
            "v": VOLTAGE,
            "w": VOLTAGE,
            "idle": unsigned(16),
            "g_exc": CONDUCTANCE,
            "g_inh": CONDUCTANCE,
            **current_noise.states(current_noise.SOMA, noisy),
        },
        parameters={
            **WIDTHS,
            "d_v": DECAY,
            "d_w": DECAY,
            "threshold": VOLTAGE,
            "slope": unsigned(24),
            "rise": unsigned(23),
            "peak": VOLTAGE,
            "floor": VOLTAGE,
            "v_reset": VOLTAGE,
            "ratio": Width(-(1 << 20), 1 << 20),
            "adapt": VOLTAGE,
            "bias": BIAS,
            "refractory": unsigned(16),
            **current_noise.chip(current_noise.SOMA, noisy),
        },
        inputs={"exc": CONDUCTANCE, "inh": CONDUCTANCE},
        outputs={"events": FLAG},
    )(adex_program)


def in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """Potentials as shares of the distance from rest to threshold, currents as the voltages they lead to."""
    rest, leak = values["rest"], values["leak"]
    unit = mv_per_unit(values["threshold"], rest, voltage_steps)
    chip, stands_for, constants = membrane(values, step_ms, unit, voltage_steps)
    tau = values["capacitance"] / leak
    slow = {"d_w": "tau_adaptation"}
    chip["d_v"] = ChipParameter(decay_units(tau, step_ms, WHOLE), clip=True, decays_voltage=WHOLE)
    chip |= decays(values, step_ms, slow, decays_voltage=WHOLE)
    stands_for |= time_constants(step_ms, slow)
    stands_for["capacitance"] = Represented(
        ("d_v",), lambda found: decay_tau(found["d_v"], step_ms, WHOLE) * leak
    )
    potentials, of_potentials = voltages(
        values, unit, {"threshold": "threshold", "peak": "peak", "floor": "floor", "v_reset": "reset"}
    )
    chip |= potentials
    stands_for |= of_potentials
    scale = unit * (1 << ARGUMENT_BITS + SLOPE_BITS)
    slope = np.asarray(values["slope"], dtype=np.float64)
    chip |= {"slope": ChipParameter(scale / slope), "rise": ChipParameter(slope / unit)}
    stands_for["slope"] = Represented(("slope", "rise"), lambda found: scale / found["slope"])
    chip |= {
        "bias": ChipParameter(values["bias"] / (leak * unit)),
        "adapt": ChipParameter(values["adaptation"] / (leak * unit)),
        "ratio": ChipParameter(values["subthreshold"] / leak * (1 << RATIO_BITS)),
        "refractory": ChipParameter(
            np.asarray(nearest_steps(values["refractory"], step_ms), dtype=np.float64)
        ),
    }
    stands_for |= {
        "bias": Represented(("bias",), lambda found: found["bias"] * leak * unit),
        "adaptation": Represented(("adapt",), lambda found: found["adapt"] * leak * unit),
        "subthreshold": Represented(("ratio",), lambda found: found["ratio"] / (1 << RATIO_BITS) * leak),
        "refractory": Represented(("refractory",), lambda found: found["refractory"] * step_ms),
        # Where voltages count from, and what turns currents into them, are chosen and so exact.
        "rest": Represented(("threshold",), lambda _: rest),
        "leak": Represented(("bias",), lambda _: leak),
    }
    open_unit = 2.0 ** -constants["leak_bits"]
    numbers = ChipNumbers(
        parameters=chip,
        represents=stands_for,
        port_units={port: port_unit(values, port, step_ms, open_unit) * leak for port in ("exc", "inh")},
        constants=constants,
        units={**voltage_units(unit, "v", "w"), "g_exc": (open_unit, "leak"), "g_inh": (open_unit, "leak")},
        origins={"v": rest},
        starts={"v": (unit, rest), "w": (unit * leak, 0.0)},
        leaks={"exc": leak, "inh": leak},
    )
    scales = {"bias": 1 / (leak * unit)}
    return current_noise.with_noise(numbers, values, step_ms, current_noise.SOMA, scales)


@lru_cache(maxsize=2)
def _noisy(names: frozenset[str]) -> NeuronModel:
    all_names = current_noise.completed(names, current_noise.SOMA)
    return replace(ADEX.with_given(all_names), program=adex_program(noisy=True))


ADEX: NeuronModel = NeuronModel(
    name="adex",
    kind="neuron",
    doc="adaptive exponential integrate-and-fire neuron",
    parameters=(
        Parameter("capacitance", "capacitance", 281.0, "capacitance of the membrane", minimum=1e-3),
        Parameter("leak", "conductance", 30.0, "leak conductance", minimum=1e-3),
        Parameter("rest", "voltage", -70.6, "resting potential"),
        Parameter("threshold", "voltage", -50.4, "potential at which the exponential takes off"),
        Parameter("slope", "voltage", 2.0, "how sharply it does", minimum=1e-3),
        Parameter("peak", "voltage", 0.0, "an event is emitted above it"),
        Parameter("reset", "voltage", -70.6, "potential after an event, while it is refractory"),
        Parameter("floor", "voltage", -100.0, "least potential"),
        Parameter("refractory", "time", 0.0, "time after an event at the reset", minimum=0.0),
        Parameter("subthreshold", "conductance", 4.0, "adaptation's current per mV of the potential"),
        Parameter("adaptation", "current", 80.5, "what an event adds to adaptation's current"),
        Parameter("tau_adaptation", "time", 144.0, "time constant of adaptation", minimum=0.0),
        *PARAMETERS,
        Parameter("bias", "current", 0.0, "constant current"),
    ),
    ports=ports("", "the membrane"),
    in_chip_units=in_chip_units,
    program=adex_program(),
    variables=(Settable("bias", "bias", "bias"),),
    initial=(
        Parameter("v", "voltage", None, "potential of the membrane"),
        Parameter("w", "current", None, "adaptation's current"),
    ),
    options=current_noise.parameters(current_noise.SOMA),
    extended=_noisy,
)


ADEX_PV = ADEX.preset(
    "adex_pv",
    "`adex` as a cell that expresses parvalbumin",
    capacitance=100.0,
    leak=10.0,
    rest=-70.0,
    threshold=-48.0,
    slope=2.0,
    reset=-70.0,
    floor=-80.0,
    refractory=1.0,
    subthreshold=0.0,
    adaptation=0.0,
    tau_adaptation=5.0,
)

ADEX_SOM = ADEX.preset(
    "adex_som",
    "`adex` as a cell that expresses somatostatin",
    capacitance=100.0,
    leak=5.0,
    rest=-70.0,
    threshold=-61.8358,
    slope=4.0,
    reset=-70.0,
    floor=-80.0,
    refractory=2.0,
    subthreshold=0.5,
    adaptation=10.0,
    tau_adaptation=500.0,
)
