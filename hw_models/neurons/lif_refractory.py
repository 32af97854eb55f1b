"""Leaky integrate-and-fire neuron with a refractory time, a reset of its own and a lowest voltage.

    tau_current du/dt = -u + sum of weights of arriving events
    tau_membrane dv/dt = -(v - rest) + ...,   C dv/dt driven by u and the bias current, v >= lower_bound
    an event where v > threshold, then v = reset, and stays there for the refractory time

In integers, with the decays of `lif` and `left` the steps of the refractory time that are still to come:

    u <- wrap(decay(u, du + 1) + (soma << 6))
    v <- max(clip(decay(v, dv) + u + bias, +-(2^23 - 1)), floor) where left = 0, else v
    event = v > (vth << 6);   v <- reset, left <- refractory where event;   else left <- max(left - 1, 0)

The current goes on through the refractory time. With `reset` at rest and no bound this is Lava's
`LIFRefractory`, of which Lava has a floating-point model alone.
Source: lava-nc 0.10.0, `PyLifRefractoryModelFloat`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hw_models.neurons import lif
from hw_models.neurons.model import ChipNumbers, ChipParameter, Parameter, Reals, Represented
from hw_models.neurons.quantities import INPUT_SHIFT, nearest_steps, require_order
from hw_models.program.trace import maximum, program, where
from hw_models.program.widths import FLAG, Width, unsigned

_LOWEST = 1 - (1 << 23)


@program(
    states={**lif.lif_program.states, "left": unsigned(12)},
    parameters={
        **lif.lif_program.parameters,
        "refractory": unsigned(12),
        "reset": Width(_LOWEST, -_LOWEST),
        "floor": Width(_LOWEST, -_LOWEST),
    },
    inputs=lif.lif_program.inputs,
    outputs={"events": FLAG},
)
def lif_refractory_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step; see the module's equations."""
    u, moved = lif.integrate(s.u, s.v, p, x.soma)
    v = where(s.left > 0, s.v, maximum(moved, p.floor))
    events = v > (p.vth << INPUT_SHIFT)
    left = where(events, p.refractory, maximum(s.left - 1, 0))
    return {"u": u, "v": where(events, p.reset, v), "left": left}, {"events": events}


def in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """As of `lif`; the refractory time to the nearest step, reset and bound as distances from rest.

    Raises `BurstchipError` BC192, and BC194 for a reset that is not below the threshold or is below the
    bound, and for a bound above rest.
    """
    numbers = lif.in_chip_units(values, step_ms, voltage_steps)
    unit, _ = numbers.units["v"]
    reset, bound = ("reset", values["reset"]), ("lower_bound", values["lower_bound"])
    require_order("BC194", reset, ("threshold", values["threshold"]))
    require_order("BC194", bound, ("rest", values["rest"]), equal=True)
    require_order("BC194", bound, reset, equal=True)
    floor = (np.asarray(values["lower_bound"]) - values["rest"]) / unit
    # Below what the register holds a bound is never reached.
    unheld = floor < _LOWEST

    def represented_bound(chip: Mapping[str, Reals]) -> Reals:
        held = values["rest"] + chip["floor"] * unit
        return np.where(unheld, values["lower_bound"], held)

    steps = np.asarray(nearest_steps(values["refractory"], step_ms)).astype(np.float64)
    return replace(
        numbers,
        parameters={
            **numbers.parameters,
            "refractory": ChipParameter(steps),
            "reset": ChipParameter((np.asarray(values["reset"]) - values["rest"]) / unit),
            "floor": ChipParameter(np.maximum(floor, _LOWEST)),
        },
        represents={
            **numbers.represents,
            "refractory": Represented(("refractory",), lambda chip: chip["refractory"] * step_ms),
            "reset": Represented(("reset",), lambda chip: values["rest"] + chip["reset"] * unit),
            "lower_bound": Represented(("floor",), represented_bound),
        },
    )


LIF_REFRACTORY = replace(
    lif.LIF,
    name="lif_refractory",
    doc="leaky integrate-and-fire neuron with refractory time, reset and lowest voltage",
    parameters=(
        *(replace(it, doc="resting potential") if it.name == "rest" else it for it in lif.LIF.parameters),
        Parameter(
            "refractory", "time", 2.0, "for which the voltage stays at the reset after an event", minimum=0.0
        ),
        Parameter("reset", "voltage", -70.0, "voltage after an event"),
        Parameter("lower_bound", "voltage", -1e6, "the voltage does not fall below it"),
    ),
    in_chip_units=in_chip_units,
    program=lif_refractory_program,
)
