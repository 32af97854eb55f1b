"""Detectors of bursts: from a train of spikes, the events (single spikes or bursts) and the bursts in it.

A burst is two or more spikes with intervals of at most a window. An event is the first spike of a burst, or
one without others; the burst is counted at its second spike, and further spikes of it count for nothing.

`burst_detector`, by the interval n since the last spike, in steps:

    event where n > window;   burst at the first other spike since the last event

`burst_trace_detector`, by a trace of all spikes, tested before it takes up the spike:

    tau dx/dt = -x + 1 for each spike;   event where x < 1/e;   burst at the first other spike since

After a single spike both say the same. After two spikes d apart the trace needs tau (1 + ln(1 + e^(-d/tau)))
to fall to 1/e: spikes before that, but beyond the window, are events for the first detector alone.

In integers x has 2^14 units to a spike and is bounded at 2^20 - 1, which 64 spikes at once would exceed.
Source: Payeur, Guerguiev, Zenke, Richards, Naud, Nat. Neurosci. 24, 1010 (2021); the first is the detector of
the authors' analysis, the second that of their simulations.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hw_models.neurons.model import (
    ChipNumbers,
    ChipParameter,
    NeuronModel,
    Parameter,
    Port,
    Reals,
    Represented,
)
from hw_models.neurons.quantities import decay_tau, decay_units
from hw_models.program.trace import Integer, decay, maximum, program, saturate, where
from hw_models.program.widths import FLAG, signed, unsigned

#: One spike in the units of the trace, as a power of two, and what of it is left after tau.
SPIKE_SHIFT = 14
AFTER_TAU = round((1 << SPIKE_SHIFT) / 2.718281828459045)

OUTPUTS = {"events": FLAG, "bursts": FLAG}
_PORT = Port("spikes", "number", "takes spikes; what is above 0 in a step is one")


def told(spike: Integer, apart: Integer, single: Integer) -> tuple[Integer, dict[str, Integer]]:
    """(`single` after the step, the outputs); `apart`: a spike now is not of the burst before."""
    outputs = {"events": spike & apart, "bursts": where(apart, 0, spike & single)}
    return where(spike, apart, single), outputs


@program(
    states={"left": unsigned(16), "single": FLAG},
    parameters={"window": unsigned(16)},
    inputs={"spikes": signed(16)},
    outputs=OUTPUTS,
)
def burst_detector_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step: `left` are the steps in which another spike is of the same burst."""
    spike, apart = x.spikes > 0, s.left < 1
    single, outputs = told(spike, apart, s.single)
    return {"left": where(spike, p.window, maximum(s.left - 1, 0)), "single": single}, outputs


@program(
    states={"x": unsigned(20), "single": FLAG},
    parameters={"dx": unsigned(12)},
    inputs={"spikes": signed(16)},
    outputs=OUTPUTS,
)
def burst_trace_detector_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step: `x` is the trace of all spikes before."""
    spike, left = x.spikes > 0, decay(s.x, p.dx)
    single, outputs = told(spike, left < AFTER_TAU, s.single)
    return {"x": saturate(left + (spike << SPIKE_SHIFT), bits=21), "single": single}, outputs


def _window(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """Intervals are whole steps, so the whole steps of a window are all of it that counts."""
    steps = np.floor(np.asarray(values["window"], dtype=np.float64) / step_ms + 1e-9)
    return ChipNumbers(
        parameters={"window": ChipParameter(steps)},
        represents={"window": Represented(("window",), lambda chip: chip["window"] * step_ms)},
        port_units={"spikes": 1.0},
    )


def _trace(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    return ChipNumbers(
        parameters={"dx": ChipParameter(decay_units(values["tau"], step_ms), clip=True)},
        represents={"tau": Represented(("dx",), lambda chip: decay_tau(chip["dx"], step_ms))},
        port_units={"spikes": 1.0},
        units={"x": (2.0**-SPIKE_SHIFT, "")},
    )


BURST_DETECTOR: NeuronModel = NeuronModel(
    name="burst_detector",
    kind="neuron",
    doc="tells the events and bursts of a train of spikes by their intervals",
    parameters=(Parameter("window", "time", 16.0, "the longest interval within a burst", minimum=0.0),),
    ports=(_PORT,),
    in_chip_units=_window,
    program=burst_detector_program,
)

BURST_TRACE_DETECTOR: NeuronModel = NeuronModel(
    name="burst_trace_detector",
    kind="neuron",
    doc="tells the events and bursts of a train of spikes by a trace of them",
    parameters=(Parameter("tau", "time", 16.0, "time constant of the trace of spikes", minimum=0.0),),
    ports=(_PORT,),
    in_chip_units=_trace,
    program=burst_trace_detector_program,
)
