"""Sources: models without input ports whose outputs start a network's activity.

`rate_source` emits evenly: each neuron accumulates its rate in a 16-bit phase and emits where the phase
turns over; the phase is drawn again at each sample. `poisson_source` emits with the same
probability in every step. `spike_list` emits, and `message_list` sends, what the user lists. `current_source`
sends a constant graded message between two times. `poisson_noise` sends how many events of a Poisson process
fall into the step, as a graded message. Rates are counted in 2^-16 events a step; pictures are
encoded in 2^-10.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.elementary import exp
from hw_models.neurons.model import (
    ChipNumbers,
    ChipParameter,
    NeuronModel,
    Parameter,
    Reals,
    Represented,
    Settable,
)
from hw_models.neurons.quantities import nearest_steps
from hw_models.neurons.roles import Roles
from hw_models.program import arrivals
from hw_models.program.trace import arrivals as arriving
from hw_models.program.trace import program, random_bits, where
from hw_models.program.widths import FLAG, Width, signed, unsigned

PHASE = 1 << 16
#: Share of all events that may be lost where a step has many.
_LOST = 1e-5
#: Encoded pictures count 2^-10 events a step; this many bits make 2^-16 of them.
ENCODER_SHIFT = 6
ENCODER_MAX = 1023

register_codes(
    {"BC193": "a current that stops before it starts", "BC694": "a rate of more than one event a step"}
)


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


@program(
    states={},
    parameters={
        "gap": Width(0, arrivals.GAP),
        "gap_shift": Width(0, arrivals.GAP_SHIFT),
        "share": Width(0, 1 << arrivals.SHARE_BITS),
        "most": Width(0, arrivals.MOST),
    },
    inputs={},
    outputs={"count": Width(0, arrivals.MOST)},
)
def poisson_noise_program(s, p, x):  # type: ignore[no-untyped-def]
    """What arrives of a Poisson process along the neurons, whose rate is that of the busiest."""
    return {}, {"count": arriving(p.gap, p.gap_shift, p.share, p.most)}


@program(states={}, parameters={}, inputs={"value": FLAG}, outputs={"events": FLAG})
def spike_list_program(s, p, x):  # type: ignore[no-untyped-def]
    """An event where the list has one in this step."""
    return {}, {"events": x.value}


@program(states={}, parameters={}, inputs={"value": signed(16)}, outputs={"message": signed(16)})
def message_list_program(s, p, x):  # type: ignore[no-untyped-def]
    """The message that the list has for this step, else 0."""
    return {}, {"message": x.value}


@program(
    states={},
    parameters={"level": signed(16), "start": unsigned(31), "stop": unsigned(31)},
    inputs={"clock": unsigned(31)},
    outputs={"current": signed(16)},
)
def current_source_program(s, p, x):  # type: ignore[no-untyped-def]
    """The level while start <= clock < stop, else 0."""
    return {}, {"current": where((x.clock >= p.start) & (x.clock < p.stop), p.level, 0)}


def _rates_in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """`rate` in 2^-16, `max_rate` in 2^-10 events a step.

    Raises `BurstchipError` BC694 for more than one event a step, which a source cannot emit.
    """
    most = 1000 / step_ms
    for name in ("rate", "max_rate"):
        greatest = float(np.max(values[name]))
        # A rate such as 6666.67 Hz at a step of 0.15 ms is one event a step as people write it.
        if greatest > most * (1 + 1e-6):
            raise BurstchipError(
                Diagnostic(
                    "BC694",
                    f"a {name} exceeds one event a step",
                    required=f"at most {most:g} Hz at a step of {step_ms:g} ms",
                    given=f"{greatest:g} Hz",
                    hint="a shorter step, or more sources that emit less often",
                )
            )
    return ChipNumbers(
        parameters={
            "value": ChipParameter(np.minimum(values["rate"] * step_ms / 1000 * PHASE, PHASE)),
            "max_value": ChipParameter(
                np.minimum(values["max_rate"] * step_ms / 1000 * 1024, 1024),
                clip=True,
                width=Width(0, ENCODER_MAX),
            ),
        },
        represents={
            "rate": Represented(("value",), lambda chip: chip["value"] / PHASE * 1000 / step_ms),
            "max_rate": Represented(("max_value",), lambda chip: chip["max_value"] / 1024 * 1000 / step_ms),
        },
        port_units={},
    )


def _noise_in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """The mean gap between events along neurons of the greatest rate, and each neuron's share of that rate.

    Raises `BurstchipError` BC694 above 4 events a step.
    """
    mean = np.asarray(values["rate"], dtype=np.float64) * step_ms / 1000
    greatest = float(np.max(mean))
    if greatest > arrivals.MEAN * (1 + 1e-9):
        raise BurstchipError(
            Diagnostic(
                "BC694",
                f"a rate exceeds {arrivals.MEAN:g} events a step",
                required=f"at most {arrivals.MEAN * 1000 / step_ms:g} Hz at a step of {step_ms:g} ms",
                given=f"{float(np.max(values['rate'])):g} Hz",
                hint="a shorter step, or two populations of half the rate",
            )
        )
    gap = (1 << arrivals.GAP_BITS) / greatest if greatest > 0 else 0.0
    # As many bits as there are: the shift is chosen, not rounded.
    shift = int(np.clip(np.ceil(np.log2(max(gap, 1.0) / arrivals.GAP)), 0, arrivals.GAP_SHIFT))
    shares = np.asarray(mean / greatest if greatest > 0 else mean + 1.0, dtype=np.float64)
    whole = 1 << arrivals.SHARE_BITS

    def rate(chip: Mapping[str, Reals]) -> Reals:
        mean_gap = np.asarray(chip["gap"], dtype=np.float64) * 2.0**shift
        most = np.divide(1 << arrivals.GAP_BITS, mean_gap, out=np.zeros_like(mean_gap), where=mean_gap > 0)
        return np.asarray(most * (np.asarray(chip["share"]) / whole) * 1000 / step_ms)

    return ChipNumbers(
        parameters={
            "gap": ChipParameter(np.asarray(gap / 2.0**shift), clip=True),
            "share": ChipParameter(shares * whole),
        },
        represents={"rate": Represented(("gap", "share"), rate)},
        port_units={},
        constants={"gap_shift": shift, "most": _most(greatest)},
        units={"count": (1.0, "")},
    )


def _most(mean: float) -> int:
    """How many events a step tells apart: with more of them, one in 10^5 events would be more."""
    if mean <= 0:
        return 0
    term, most = float(exp(-mean)), 0
    # Probability of each count, and the mean of what is beyond `most`.
    beyond, none = mean, 1 - term
    while beyond > _LOST * mean and most < arrivals.MOST:
        beyond -= none
        most += 1
        term *= mean / most
        none -= term
    return most


def _list_in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    return ChipNumbers({}, {}, {})


def _current_in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """The level as it is, times to the nearest step: in between the message cannot differ.

    Raises `BurstchipError` BC193 where `stop` is not after `start`.
    """
    last = (1 << 31) - 1
    begins, ends = np.broadcast_arrays(np.atleast_1d(values["start"]), np.atleast_1d(values["stop"]))
    if np.any(never := ends <= begins):
        at = int(np.argmax(never))
        raise BurstchipError(
            Diagnostic(
                "BC193",
                "a current stops before it starts",
                required="stop after start",
                given=f"start {begins[at]:g} ms, stop {ends[at]:g} ms",
            )
        )
    start, stop = (
        np.minimum(np.asarray(nearest_steps(values[name], step_ms)), last).astype(np.float64)
        for name in ("start", "stop")
    )
    return ChipNumbers(
        parameters={
            "level": ChipParameter(values["level"]),
            "start": ChipParameter(start),
            "stop": ChipParameter(stop),
        },
        represents={
            "level": Represented(("level",), lambda chip: chip["level"]),
            "start": Represented(("start",), lambda chip: chip["start"] * step_ms),
            # Beyond the last step that the clock counts a time means never.
            "stop": Represented(
                ("stop",),
                lambda chip: np.where(chip["stop"] == last, values["stop"], chip["stop"] * step_ms),
            ),
        },
        port_units={},
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
    _rates_in_chip_units,
    rate_source_program,
    Roles({"value": "rate", "reset": "reset"}, rate="value", full_rate="max_value"),
    (Settable("rate", "rate", "value"),),
)
POISSON_SOURCE = NeuronModel(
    "poisson_source",
    "source",
    "Poisson events at a rate",
    _RATES,
    (),
    _rates_in_chip_units,
    poisson_source_program,
    Roles({"value": "rate"}, rate="value", full_rate="max_value"),
    (Settable("rate", "rate", "value"),),
)
POISSON_NOISE = NeuronModel(
    name="poisson_noise",
    kind="source",
    doc="sends how many events of a Poisson process fall into a step",
    parameters=(Parameter("rate", "rate", 500.0, "events a second", minimum=0.0),),
    ports=(),
    in_chip_units=_noise_in_chip_units,
    program=poisson_noise_program,
)

SPIKE_LIST = NeuronModel(
    "spike_list",
    "source",
    "events listed by neuron and time",
    (),
    (),
    _list_in_chip_units,
    spike_list_program,
    Roles({"value": "listed"}),
)
MESSAGE_LIST = NeuronModel(
    "message_list",
    "source",
    "graded messages listed by neuron and time",
    (),
    (),
    _list_in_chip_units,
    message_list_program,
    Roles({"value": "message"}),
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
    _current_in_chip_units,
    current_source_program,
    Roles({"clock": "clock"}),
    (Settable("level", "level", "level"),),
    continuous=("current",),
)
