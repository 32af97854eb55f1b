"""LIF neuron that is set back to rest at regular intervals: Lava's fixed-point LIFReset, exactly.

    u <- 0, v <- 0 at the times reset_offset + k reset_interval, before the step of `lif`

In integers, with t the steps since the last time at which it was set back:

    u, v <- 0, 0 where t < 1;   then the step of `lif`;   t <- t + 1, less reset_interval from there on

A time between two steps is rounded to the nearest. Times count from 0, the first step; the steps of Lava's
`reset_offset` count from 1.
Source: lava-nc 0.10.0, `PyLifResetModelBitAcc`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from hw_models.neurons.leaky import (
    BIAS,
    DECAYS,
    INITIAL,
    INPUTS,
    INTEGERS,
    PARAMETERS,
    PORTS,
    STATES,
    THRESHOLD,
    VARIABLES,
    in_chip_units,
    integrate,
)
from hw_models.neurons.model import ChipNumbers, ChipParameter, NeuronModel, Parameter, Reals, Represented
from hw_models.neurons.quantities import INPUT_SHIFT, nearest_steps
from hw_models.neurons.roles import Roles
from hw_models.program.trace import program, where
from hw_models.program.widths import FLAG, Width, unsigned

#: Steps that an interval can have.
LONGEST = (1 << 24) - 1


@program(
    states={**STATES, "since": unsigned(24)},
    parameters={
        **DECAYS,
        "vth": unsigned(17),
        **BIAS,
        "interval": Width(1, LONGEST),
        "first": unsigned(24),
    },
    inputs=INPUTS,
    outputs={"events": FLAG},
    initial={"since": "first"},
)
def lif_reset_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step of the LIF neuron, from rest where `since` is 0."""
    anew = s.since < 1
    u, v = integrate(SimpleNamespace(u=where(anew, 0, s.u), v=where(anew, 0, s.v)), p, x)
    events = v > (p.vth << INPUT_SHIFT)
    later = s.since + 1
    since = where(later < p.interval, later, 0)
    return {"u": u, "v": where(events, 0, v), "since": since}, {"events": events}


def _in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """The numbers of `leaky`; times to the nearest step, and at least one step."""
    numbers = in_chip_units(values, step_ms, voltage_steps)
    interval = np.maximum(_steps(values["reset_interval"], step_ms), 1.0)
    offset = _steps(values["reset_offset"], step_ms)
    # A first time beyond one interval has others before it.
    parameters = {
        **numbers.parameters,
        "interval": ChipParameter(interval),
        "first": ChipParameter(np.mod(-offset, interval)),
    }
    represents = {
        **numbers.represents,
        "reset_interval": Represented(("interval",), lambda chip: chip["interval"] * step_ms),
        "reset_offset": Represented(("first",), lambda _: offset * step_ms),
    }
    return replace(numbers, parameters=parameters, represents=represents)


def _steps(time_ms: Reals, step_ms: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(nearest_steps(time_ms, step_ms), dtype=np.float64)


LIF_RESET: NeuronModel = NeuronModel(
    name="lif_reset",
    kind="neuron",
    doc="`lif` that is set back to rest at regular intervals, Lava's LIFReset",
    parameters=(
        *PARAMETERS,
        Parameter("reset_interval", "time", 100.0, "time between two returns to rest", minimum=0.0),
        Parameter("reset_offset", "time", 0.0, "time of one of them, counted from the start", minimum=0.0),
    ),
    ports=PORTS,
    in_chip_units=_in_chip_units,
    program=lif_reset_program,
    # A return to rest cuts a response short: no state says what a weight does.
    roles=Roles(),
    variables=VARIABLES,
    initial=INITIAL,
    options=(THRESHOLD, *INTEGERS),
)
