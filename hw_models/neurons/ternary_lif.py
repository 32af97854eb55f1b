"""Leaky integrate-and-fire neuron with two thresholds, which sends +1 or -1: Lava's fixed-point TernaryLIF.

The equations are those of `lif`, but for

    signed = +1 where v > threshold, -1 where v < lower_threshold, else 0;   v = rest where signed is not 0

A synapse from `signed` multiplies its weight by it; `events` are 1 at either. In integers `vth_lo` is the
lower threshold: -1 where v < (vth_lo << 6).
Source: lava-nc 0.10.0, `PyTernLifModelFixed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hw_models.neurons import lif
from hw_models.neurons.model import ChipNumbers, ChipParameter, Parameter, Reals, Represented
from hw_models.neurons.quantities import INPUT_SHIFT, require_order
from hw_models.program.trace import program, where
from hw_models.program.widths import FLAG, Width


@program(
    states=lif.lif_program.states,
    parameters={**lif.lif_program.parameters, "vth_lo": Width(1 - (1 << 17), 0)},
    inputs=lif.lif_program.inputs,
    outputs={"events": FLAG, "signed": Width(-1, 1)},
)
def ternary_lif_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step; see the module's equations."""
    u, v = lif.integrate(s.u, s.v, p, x.soma)
    up, down = v > (p.vth << INPUT_SHIFT), v < (p.vth_lo << INPUT_SHIFT)
    events = up | down
    return {"u": u, "v": where(events, 0, v)}, {"events": events, "signed": up - down}


def in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """As of `lif`. Raises `BurstchipError` BC192, and BC195 where `lower_threshold` is not below rest."""
    numbers = lif.in_chip_units(values, step_ms, voltage_steps)
    require_order("BC195", ("lower_threshold", values["lower_threshold"]), ("rest", values["rest"]))
    mantissa = numbers.units["v"][0] * (1 << INPUT_SHIFT)
    lower = (np.asarray(values["lower_threshold"]) - values["rest"]) / mantissa
    return replace(
        numbers,
        parameters={**numbers.parameters, "vth_lo": ChipParameter(lower)},
        represents={
            **numbers.represents,
            "lower_threshold": Represented(
                ("vth_lo",), lambda chip: values["rest"] + chip["vth_lo"] * mantissa
            ),
        },
    )


TERNARY_LIF = replace(
    lif.LIF,
    name="ternary_lif",
    doc="leaky integrate-and-fire neuron that sends +1 or -1, Lava's fixed-point TernaryLIF",
    parameters=(
        *lif.LIF.parameters,
        Parameter("lower_threshold", "voltage", -90.0, "-1 is sent below it"),
    ),
    in_chip_units=in_chip_units,
    program=ternary_lif_program,
)
