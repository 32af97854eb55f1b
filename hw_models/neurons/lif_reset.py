"""Leaky integrate-and-fire neuron that is set back to rest at regular times: Lava's fixed-point LIFReset.

The equations are those of `lif`. At the start of the steps at times reset_offset + n reset_interval the
current and the voltage are set to 0 first: where `since`, which counts the steps of an interval,

    since <- 0 where since + 1 >= reset_interval, else since + 1

is `reset_offset`.
Source: lava-nc 0.10.0, `PyLifResetModelBitAcc`, whose `reset_offset` counts steps from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hw_models.neurons import lif
from hw_models.neurons.model import ChipNumbers, ChipParameter, Parameter, Reals, Represented
from hw_models.neurons.quantities import INPUT_SHIFT, nearest_steps
from hw_models.neurons.roles import Roles
from hw_models.program.trace import decay, program, saturate, where, wrap
from hw_models.program.widths import FLAG, Width, unsigned

_MOST_STEPS = (1 << 16) - 1


@program(
    states={**lif.lif_program.states, "since": unsigned(16)},
    parameters={
        **lif.lif_program.parameters,
        "reset_interval": Width(1, _MOST_STEPS),
        "reset_offset": Width(0, _MOST_STEPS - 1),
    },
    inputs=lif.lif_program.inputs,
    outputs={"events": FLAG},
)
def lif_reset_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step; see the module's equations."""
    begins = s.since.equals(p.reset_offset)
    u = wrap(decay(where(begins, 0, s.u), p.du + 1) + (x.soma << INPUT_SHIFT), bits=24)
    v = saturate(decay(where(begins, 0, s.v), p.dv) + u + (p.bias_mant << p.bias_exp), bits=24)
    events = v > (p.vth << INPUT_SHIFT)
    since = where(s.since + 1 >= p.reset_interval, 0, s.since + 1)
    return {"u": u, "v": where(events, 0, v), "since": since}, {"events": events}


def in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """As of `lif`; both times to the nearest step, at least one, the offset within the interval."""
    numbers = lif.in_chip_units(values, step_ms, voltage_steps)
    interval = np.maximum(np.asarray(nearest_steps(values["reset_interval"], step_ms)), 1)
    offset = np.asarray(nearest_steps(values["reset_offset"], step_ms))
    whole = offset // interval * interval
    return replace(
        numbers,
        parameters={
            **numbers.parameters,
            "reset_interval": ChipParameter(interval.astype(np.float64)),
            "reset_offset": ChipParameter((offset - whole).astype(np.float64)),
        },
        represents={
            **numbers.represents,
            "reset_interval": Represented(("reset_interval",), lambda chip: chip["reset_interval"] * step_ms),
            # Whole intervals make no difference, and are no rounding.
            "reset_offset": Represented(
                ("reset_offset",), lambda chip: (chip["reset_offset"] + whole) * step_ms
            ),
        },
    )


LIF_RESET = replace(
    lif.LIF,
    name="lif_reset",
    doc="leaky integrate-and-fire neuron set back to rest at regular times, Lava's fixed-point LIFReset",
    parameters=(
        *lif.LIF.parameters,
        Parameter("reset_interval", "time", 100.0, "time between two resets", minimum=0.0),
        Parameter("reset_offset", "time", 0.0, "time of the first reset", minimum=0.0),
    ),
    in_chip_units=in_chip_units,
    program=lif_reset_program,
    # No response to an event alone: a reset may fall into it.
    roles=Roles(),
)
