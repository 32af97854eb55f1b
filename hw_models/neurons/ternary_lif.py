"""LIF neuron with events of either sign: Lava's fixed-point TernaryLIF, exactly.

    +1 where v > threshold, -1 where v < lower_threshold, then v = rest

In integers, after the step of `lif` to u and v:

    signed = (v > (vth_hi << 6)) - (v < (vth_lo << 6));   v <- 0 where signed is not 0

`events` are the spikes of either sign, which backends count; a projection from `signed` carries the sign.
Source: lava-nc 0.10.0, `PyTernLifModelFixed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hw_models.neurons.leaky import (
    BIAS,
    DECAYS,
    INITIAL,
    INPUTS,
    INTEGERS,
    PARAMETERS,
    PORTS,
    STATES,
    VARIABLES,
    in_chip_units,
    integer,
    integrate,
    require_order,
    threshold_mv,
    voltage_unit,
)
from hw_models.neurons.model import ChipNumbers, ChipParameter, NeuronModel, Parameter, Reals, Represented
from hw_models.neurons.quantities import INPUT_SHIFT, threshold_units
from hw_models.neurons.roles import Roles
from hw_models.program.trace import program, where
from hw_models.program.widths import FLAG, Width, signed, unsigned


@program(
    states=STATES,
    parameters={**DECAYS, "vth_hi": unsigned(17), "vth_lo": signed(18), **BIAS},
    inputs=INPUTS,
    outputs={"events": FLAG, "signed": Width(-1, 1)},
)
def ternary_lif_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step of the ternary LIF neuron; see the module's equations."""
    u, v = integrate(s, p, x)
    above = v > (p.vth_hi << INPUT_SHIFT)
    below = v < (p.vth_lo << INPUT_SHIFT)
    # With thresholds the wrong way round, which Lava allows, both can be: the signs cancel, but v is kept.
    signed = above - below
    events = 1 - signed.equals(0)
    return {"u": u, "v": where(events, 0, v)}, {"events": events, "signed": signed}


def _in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """The numbers of `leaky` with a second threshold. Raises `BurstchipError` BC192 and BC194."""
    numbers = in_chip_units(values, step_ms, voltage_steps, "vth_hi")
    unit, rest = voltage_unit(values, voltage_steps, "vth_hi"), values["rest"]
    if "vth_lo" in values:
        low, lower = ChipParameter(values["vth_lo"]), values["vth_lo"] + rest
        line = {"vth_lo": Represented(("vth_lo",), lambda chip: chip["vth_lo"])}
    else:
        lower = values["lower_threshold"]
        require_order(("lower_threshold", lower), ("rest", rest), or_equal=False)
        low = ChipParameter(threshold_units(lower, rest, unit), clip=True)
        mantissa_unit = unit * (1 << INPUT_SHIFT)
        line = {
            "lower_threshold": Represented(("vth_lo",), lambda chip: rest + chip["vth_lo"] * mantissa_unit)
        }
    if "vth_lo" not in values or "vth_hi" in values:
        require_order(
            ("lower_threshold", lower), ("threshold", threshold_mv(values, "vth_hi")), or_equal=True
        )
    return replace(
        numbers,
        parameters={**numbers.parameters, "vth_lo": low},
        represents={**numbers.represents, **line},
    )


TERNARY_LIF: NeuronModel = NeuronModel(
    name="ternary_lif",
    kind="neuron",
    doc="`lif` with events of either sign, Lava's TernaryLIF",
    parameters=(
        *PARAMETERS,
        Parameter("lower_threshold", "voltage", -90.0, "a negative event is emitted below it"),
    ),
    ports=PORTS,
    in_chip_units=_in_chip_units,
    program=ternary_lif_program,
    roles=Roles(responses={"soma": "v"}),
    variables=VARIABLES,
    initial=INITIAL,
    options=(
        integer("vth_hi", "threshold of v, in 64 of its units", unsigned(17), "threshold"),
        integer("vth_lo", "lower threshold of v, in 64 of its units", signed(18), "lower_threshold"),
        *INTEGERS,
    ),
)
