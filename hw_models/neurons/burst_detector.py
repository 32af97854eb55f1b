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
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from hw_models.neurons import burst_rule
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
from hw_models.program.trace import Integer, Program, decay, maximum, program, saturate, where
from hw_models.program.widths import FLAG, signed, unsigned

#: One spike in the units of the trace, as a power of two, and what of it is left after tau.
SPIKE_SHIFT = 14
AFTER_TAU = round((1 << SPIKE_SHIFT) / 2.718281828459045)

OUTPUTS = {"events": FLAG, "bursts": FLAG}
#: 1 in the units of what synapses bring that only learn, as a power of two.
SYNAPSE_BITS = 10
_LEARNING = Port("synapses", "number", "takes what synapses bring that only learn: `brought` shows it")
_PORT = Port("spikes", "number", "takes spikes; what is above 0 in a step is one", events=True)


#: States and parameters of either detector.
BY_WINDOW = ({"left": unsigned(16), "single": FLAG}, {"window": unsigned(16)})
BY_TRACE = ({"x": unsigned(20), "single": FLAG}, {"dx": unsigned(12)})

Detected = tuple[dict[str, Integer], dict[str, Integer]]


def _told(spike: Integer, apart: Integer, single: Integer) -> tuple[Integer, dict[str, Integer]]:
    """(`single` after the step, the outputs); `apart`: a spike now is not of the burst before."""
    outputs = {"events": spike & apart, "bursts": where(apart, 0, spike & single)}
    return where(spike, apart, single), outputs


def by_window(s: Any, p: Any, spike: Integer) -> Detected:
    """States and outputs by intervals: `left` are the steps in which another spike is of the same burst."""
    single, outputs = _told(spike, s.left < 1, s.single)
    return {"left": where(spike, p.window, maximum(s.left - 1, 0)), "single": single}, outputs


def by_trace(s: Any, p: Any, spike: Integer) -> Detected:
    """States and outputs by a trace: `x` is that of all spikes before."""
    left = decay(s.x, p.dx)
    single, outputs = _told(spike, left < AFTER_TAU, s.single)
    return {"x": saturate(left + (spike << SPIKE_SHIFT), bits=21), "single": single}, outputs


@lru_cache(maxsize=4)
def detector_program(*, traces: bool = False, rule: bool = False) -> Program:
    """The program of either detector, which teaches its synapses or does not."""
    states, parameters = BY_TRACE if traces else BY_WINDOW
    detected = by_trace if traces else by_window

    def step(s, p, x):  # type: ignore[no-untyped-def]
        spike = x.spikes > 0
        detector, outputs = detected(s, p, spike)
        if not rule:
            return detector, outputs
        kept, factors = burst_rule.taught(s, p, x, spike, outputs["events"], outputs["bursts"])
        return {**detector, **kept, "brought": x.synapses}, {**outputs, **factors}

    step.__name__ = "burst_trace_detector_program" if traces else "burst_detector_program"
    more = burst_rule.declared(rule)
    own = {"brought": signed(16)} if rule else {}
    return program(
        states={**states, **own, **more.states},
        parameters={**parameters, **more.parameters},
        inputs={"spikes": signed(16), **({"synapses": signed(16)} if rule else {}), **more.inputs},
        outputs={**OUTPUTS, **more.outputs},
    )(step)


def window_steps(window_ms: Reals, step_ms: float) -> ChipParameter:
    """Intervals are whole steps, so the whole steps of a window are all of it that counts."""
    return ChipParameter(np.floor(np.asarray(window_ms, dtype=np.float64) / step_ms + 1e-9))


def as_window(step_ms: float) -> Represented:
    """The window that its steps stand for."""
    return Represented(("window",), lambda chip: chip["window"] * step_ms)


def trace_decay(tau_ms: Reals, step_ms: float) -> ChipParameter:
    """What the trace loses in a step."""
    return ChipParameter(decay_units(tau_ms, step_ms), clip=True)


def as_trace(step_ms: float) -> Represented:
    """The time constant that the trace's decay stands for."""
    return Represented(("dx",), lambda chip: decay_tau(chip["dx"], step_ms))


def _window(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    numbers = ChipNumbers(
        parameters={"window": window_steps(values["window"], step_ms)},
        represents={"window": as_window(step_ms)},
        port_units={"spikes": 1.0},
    )
    return _with_rule(numbers, values, step_ms)


def _trace(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    numbers = ChipNumbers(
        parameters={"dx": trace_decay(values["tau"], step_ms)},
        represents={"tau": as_trace(step_ms)},
        port_units={"spikes": 1.0},
        units={"x": (2.0**-SPIKE_SHIFT, "")},
    )
    return _with_rule(numbers, values, step_ms)


def _with_rule(numbers: ChipNumbers, values: Mapping[str, Reals], step_ms: float) -> ChipNumbers:
    """The numbers with those of the rule and of the port that it has."""
    ruled = burst_rule.with_rule(numbers, values, step_ms)
    if ruled is numbers:
        return numbers
    return replace(
        ruled,
        port_units={**numbers.port_units, "synapses": 2.0**-SYNAPSE_BITS},
        units={**ruled.units, "brought": (2.0**-SYNAPSE_BITS, "")},
    )


@lru_cache(maxsize=8)
def _extended(traces: bool, names: frozenset[str]) -> NeuronModel:
    model = BURST_TRACE_DETECTOR if traces else BURST_DETECTOR
    found = burst_rule.extended(model, names, detector_program(traces=traces, rule=True))
    return replace(found, ports=(*found.ports, _LEARNING))


BURST_DETECTOR: NeuronModel = NeuronModel(
    name="burst_detector",
    kind="neuron",
    doc="tells the events and bursts of a train of spikes by their intervals",
    parameters=(Parameter("window", "time", 16.0, "the longest interval within a burst", minimum=0.0),),
    ports=(_PORT,),
    in_chip_units=_window,
    program=detector_program(),
    options=burst_rule.PARAMETERS,
    extended=lambda names: _extended(False, names),
)

BURST_TRACE_DETECTOR: NeuronModel = NeuronModel(
    name="burst_trace_detector",
    kind="neuron",
    doc="tells the events and bursts of a train of spikes by a trace of them",
    parameters=(Parameter("tau", "time", 16.0, "time constant of the trace of spikes", minimum=0.0),),
    ports=(_PORT,),
    in_chip_units=_trace,
    program=detector_program(traces=True),
    options=burst_rule.PARAMETERS,
    extended=lambda names: _extended(True, names),
)
