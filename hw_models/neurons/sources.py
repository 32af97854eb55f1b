"""Sources: models without input ports whose outputs start a network's activity.

`rate_source` emits evenly: each neuron accumulates its rate in a 16-bit phase and emits where the phase
turns over; the phase starts anew, at random, at each sample. `poisson_source` emits with the same
probability in every step. `spike_list` emits what the user lists. `current_source` sends a constant graded
message between two times. Rates are counted in 2^-16 events a step; pictures are encoded in 2^-10.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hw_models.neurons.model import NeuronModel, Parameter, Quantized, QuantizedParameter
from hw_models.neurons.quantities import integers, reals
from hw_models.neurons.roles import Roles
from hw_models.program.trace import program, random_bits, where
from hw_models.program.widths import FLAG, Width, signed, unsigned

PHASE = 1 << 16
#: Encoded pictures count 2^-10 events a step; this many bits make 2^-16 of them.
ENCODER_SHIFT = 6
ENCODER_MAX = 1023


@program(
    states={"phase": unsigned(16)},
    parameters={},
    inputs={"value": Width(0, PHASE), "reset": FLAG},
    outputs={"events": FLAG},
)
def rate_source_program(s, p, x):  # type: ignore[no-untyped-def]
    """phase <- phase + value; an event and minus 2^16 where it reaches 2^16."""
    start = random_bits(x.reset, 10) << ENCODER_SHIFT
    reached = where(x.reset, start, s.phase) + x.value
    events = reached >= PHASE
    return {"phase": reached - (events << 16)}, {"events": events}


@program(
    states={},
    parameters={},
    inputs={"value": Width(0, PHASE)},
    outputs={"events": FLAG},
)
def poisson_source_program(s, p, x):  # type: ignore[no-untyped-def]
    """An event where 16 random bits are below the value."""
    return {}, {"events": random_bits(x.value, 16) < x.value}


@program(states={}, parameters={}, inputs={"value": FLAG}, outputs={"events": FLAG})
def spike_list_program(s, p, x):  # type: ignore[no-untyped-def]
    """An event where the list has one in this step."""
    return {}, {"events": x.value}


@program(
    states={},
    parameters={"level": signed(16), "start": unsigned(31), "stop": unsigned(31)},
    inputs={"clock": unsigned(31)},
    outputs={"current": signed(16)},
)
def current_source_program(s, p, x):  # type: ignore[no-untyped-def]
    """The level while start <= clock < stop, else 0."""
    return {}, {"current": where((x.clock >= p.start) & (x.clock < p.stop), p.level, 0)}


def _quantize_rate(values: Mapping[str, float | NDArray[np.float64]], step_ms: float) -> Quantized:
    """`rate` to 2^-16, `max_rate` to 2^-10 events a step."""
    rate = integers(np.minimum(np.asarray(values["rate"]) * step_ms / 1000 * PHASE, PHASE))
    most = integers(np.minimum(np.asarray(values["max_rate"]) * step_ms / 1000 * 1024, ENCODER_MAX))
    return Quantized(
        parameters={"value": rate, "max_value": most},
        port_units={},
        report=(
            QuantizedParameter(
                "rate",
                reals(values["rate"]),
                reals(np.asarray(rate) / PHASE * 1000 / step_ms),
                f"value = {rate}",
            ),
            QuantizedParameter(
                "max_rate",
                reals(values["max_rate"]),
                reals(np.asarray(most) / 1024 * 1000 / step_ms),
                f"max_value = {most}",
            ),
        ),
    )


def _quantize_list(values: Mapping[str, float | NDArray[np.float64]], step_ms: float) -> Quantized:
    return Quantized(parameters={}, port_units={})


def _quantize_current(values: Mapping[str, float | NDArray[np.float64]], step_ms: float) -> Quantized:
    last = (1 << 31) - 1
    start, stop = (integers(np.minimum(np.asarray(values[n]) / step_ms, last)) for n in ("start", "stop"))
    level = integers(values["level"])
    # Beyond the last step that the clock counts there is no difference to never.
    represented_stop = np.where(np.asarray(stop) == last, values["stop"], np.asarray(stop) * step_ms)
    return Quantized(
        parameters={"level": level, "start": start, "stop": stop},
        port_units={},
        report=(
            QuantizedParameter("level", reals(values["level"]), reals(level), f"level = {level}"),
            QuantizedParameter(
                "start", reals(values["start"]), reals(np.asarray(start) * step_ms), f"start = {start}"
            ),
            QuantizedParameter("stop", reals(values["stop"]), reals(represented_stop), f"stop = {stop}"),
        ),
    )


_RATES = (
    Parameter("rate", "rate", 0.0, "event rate where no task sets it", minimum=0.0),
    Parameter("max_rate", "rate", 0.0, "event rate of a full-intensity pixel of a task", minimum=0.0),
)

RATE_SOURCE = NeuronModel(
    "rate_source",
    "source",
    "evenly spaced events at a rate",
    _RATES,
    (),
    _quantize_rate,
    rate_source_program,
    Roles({"value": "rate", "reset": "reset"}, rate="value", full_rate="max_value"),
)
POISSON_SOURCE = NeuronModel(
    "poisson_source",
    "source",
    "Poisson events at a rate",
    _RATES,
    (),
    _quantize_rate,
    poisson_source_program,
    Roles({"value": "rate"}, rate="value", full_rate="max_value"),
)
SPIKE_LIST = NeuronModel(
    "spike_list",
    "source",
    "events listed by neuron and time",
    (),
    (),
    _quantize_list,
    spike_list_program,
    Roles({"value": "listed"}),
)
CURRENT_SOURCE = NeuronModel(
    "current_source",
    "source",
    "a constant graded message between two times",
    (
        Parameter(
            "level", "number", 1.0, "the message; a synapse multiplies it by its weight", -32768, 32767, True
        ),
        Parameter("start", "time", 0.0, "first time at which it is sent", minimum=0.0),
        Parameter("stop", "time", 2147483647.0, "time from which it is not sent any more", minimum=0.0),
    ),
    (),
    _quantize_current,
    current_source_program,
    Roles({"clock": "clock"}),
)
