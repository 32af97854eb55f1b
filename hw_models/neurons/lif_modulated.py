"""LIF neuron that hands third factors to the synapses that learn at it: a trace of its events, and what
arrives at its port `modulator`: a reward, an error, a neuromodulator.

    tau_modulator dm/dt = -m + sum of weights of what arrives at `modulator`;   y2 = m
    tau_trace dy/dt = -y + 16 for each event;                                   y1 = y

In integers, after the step of `lif`, with 64 units of m and y to one of a third factor:

    m <- clip(tz(m (4096 - (dm + 1)), 12) + (modulator << 6), +-32767);   y2 = clip(tz(m, 6), +-127)
    y <- min(tz(y (4096 - (dy + 1)), 12) + (events << 10), 8191);         y1 = y >> 6

Synapses read what was sent in the last step of a learning epoch. m reaches 511: what is beyond is lost.
Source: three-factor rules as lava-nc 0.10.0 has them (`s_in_y1` and `s_in_y2` of `LearningDense`), whose
neurons for them compute the trace of their spikes themselves.
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
    THRESHOLD,
    VARIABLES,
    in_chip_units,
    integrate,
)
from hw_models.neurons.model import (
    ChipNumbers,
    ChipParameter,
    NeuronModel,
    Parameter,
    Port,
    Reals,
    Represented,
)
from hw_models.neurons.quantities import INPUT_SHIFT, decay_tau, decay_units
from hw_models.neurons.roles import Roles
from hw_models.program.trace import decay, minimum, program, saturate, shift_toward_zero, where
from hw_models.program.widths import FLAG, Width, signed, unsigned

#: Units of m and y to one of a third factor, and what an event adds to y, as a power of two.
FACTOR = 1 << INPUT_SHIFT
INCREMENT_SHIFT = 4 + INPUT_SHIFT


@program(
    states={**STATES, "m": Width(-32767, 32767), "y": unsigned(13)},
    parameters={**DECAYS, "vth": unsigned(17), **BIAS, "dm": Width(-1, 4095), "dy": Width(-1, 4095)},
    inputs={**INPUTS, "modulator": signed(18)},
    outputs={"events": FLAG, "y1": unsigned(7), "y2": Width(-127, 127)},
)
def lif_modulated_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step; see the module's equations."""
    u, v = integrate(s, p, x)
    events = v > (p.vth << INPUT_SHIFT)
    m = saturate(decay(s.m, p.dm + 1) + (x.modulator << INPUT_SHIFT), bits=16)
    y2 = saturate(shift_toward_zero(m, INPUT_SHIFT), bits=8)
    y = minimum(decay(s.y, p.dy + 1) + (events << INCREMENT_SHIFT), 8191)
    states = {"u": u, "v": where(events, 0, v), "m": m, "y": y}
    return states, {"events": events, "y1": y >> INPUT_SHIFT, "y2": y2}


def _in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """The numbers of `leaky`, and the decays of the third factors."""
    numbers = in_chip_units(values, step_ms, voltage_steps)
    parameters, represents = dict(numbers.parameters), dict(numbers.represents)
    for name, tau in (("dm", "tau_modulator"), ("dy", "tau_trace")):
        parameters[name] = ChipParameter(decay_units(values[tau], step_ms), clip=True, offset=-1)
        represents[tau] = _as_tau(name, step_ms)
    return replace(
        numbers,
        parameters=parameters,
        represents=represents,
        port_units={**numbers.port_units, "modulator": 1.0},
        units={**numbers.units, "m": (1 / FACTOR, ""), "y": (1 / FACTOR, "")},
        starts={**numbers.starts, "m": (1 / FACTOR, 0.0), "y": (1 / FACTOR, 0.0)},
    )


def _as_tau(name: str, step_ms: float) -> Represented:
    # Lava adds 1 to what a current loses; so do these two.
    return Represented((name,), lambda chip: decay_tau(chip[name], step_ms))


LIF_MODULATED: NeuronModel = NeuronModel(
    name="lif_modulated",
    kind="neuron",
    doc="`lif` with third factors for the synapses that learn at it: a trace of its events, and a modulator",
    parameters=(
        *PARAMETERS,
        Parameter("tau_modulator", "time", 0.0, "time constant of the modulator", minimum=0.0),
        Parameter("tau_trace", "time", 20.0, "time constant of the trace of its events", minimum=0.0),
    ),
    ports=(*PORTS, Port("modulator", "number", "adds to the third factor y2")),
    in_chip_units=_in_chip_units,
    program=lif_modulated_program,
    roles=Roles(responses={"soma": "v", "modulator": "m"}),
    variables=VARIABLES,
    initial=(
        *INITIAL,
        Parameter("m", "number", None, "modulator"),
        Parameter("y", "number", None, "trace of its events"),
    ),
    options=(THRESHOLD, *INTEGERS),
)
