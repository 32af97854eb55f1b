"""The simplified pyramidal neuron: events of a soma, each a burst with a probability set by the dendrite.

The equations of `hw_models.neurons.two_compartments`, in which soma and dendrite do not drive each other, and

    event    where v > threshold + th, and no spike in the last `refractory`
             v <- rest;  with the probability f(d) there is a second spike
    second   after `second_after` and a uniform time of at most `second_within`; it is only emitted and
             begins `refractory` again

In integers f has 14 bits, as have the draws that it is compared with; times are counted in steps.
Source: Payeur, Guerguiev, Zenke, Richards, Naud, Nat. Neurosci. 24, 1010 (2021), and the neuron of its
simulations of figure 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from hw_models.neurons import burst_rule, current_noise
from hw_models.neurons.burst_detector import BY_TRACE, BY_WINDOW, by_trace, by_window
from hw_models.neurons.conductances import toward
from hw_models.neurons.model import ChipNumbers, NeuronModel, Parameter, Reals
from hw_models.neurons.two_compartments import (
    BURST_TRACE,
    CHIP,
    INITIAL,
    INPUTS,
    OUTPUTS,
    PORTS,
    RESULT_BITS,
    STATES,
    VARIABLES,
    after_spike,
    as_time,
    currents,
    parameters_with,
    sigmoid,
    slow,
    two_compartments,
    whole_steps,
)
from hw_models.program.trace import Program, maximum, program, random_bits, where
from hw_models.program.widths import unsigned

_TIMES = ("refractory", "second_after", "second_within")
_DRAW_BITS = 16
_TIME = unsigned(16)


@lru_cache(maxsize=8)
def burst_poisson_program(*, traces: bool = False, rule: bool = False, noisy: bool = False) -> Program:
    """The program: bursts found by intervals or by a trace, with or without the burst rule and noise."""
    states, parameters = BY_TRACE if traces else BY_WINDOW
    detected = by_trace if traces else by_window
    more = burst_rule.declared(rule)

    def burst_poisson(s, p, x):  # type: ignore[no-untyped-def]
        f = sigmoid(s.d, p)
        noise, p = current_noise.disturbed(s, p, current_noise.BOTH, noisy)
        soma, dendrite, conductances = currents(s, p, x)
        v, d = toward(s.v, soma, p.d_soma), toward(s.d, dendrite, p.d_dendrite)
        before = slow(s, p, d)
        event = (v > p.vth + before["th"]) & (s.idle < 1)
        doubles = event & (random_bits(v, RESULT_BITS) < f)
        wait = p.second_after + (random_bits(v, _DRAW_BITS) * p.second_within >> _DRAW_BITS)
        second = (s.waits > 0) & (s.waits <= 1)
        spike = event | second
        detector, outputs = detected(s, p, spike)
        after = {
            "v": where(event, 0, v),
            "d": d,
            "idle": where(spike, p.refractory, maximum(s.idle - 1, 0)),
            "waits": where(doubles, wait, maximum(s.waits - 1, 0)),
            **after_spike(before, event, p),
            **conductances,
            **detector,
            **noise,
        }
        if not rule:
            return after, {"spikes": spike, **outputs}
        kept, factors = burst_rule.taught(s, p, x, spike, outputs["events"], outputs["bursts"])
        return {**after, **kept}, {"spikes": spike, **outputs, **factors}

    return program(
        states={
            **STATES,
            "idle": _TIME,
            "waits": unsigned(17),
            **states,
            **more.states,
            **current_noise.states(current_noise.BOTH, noisy),
        },
        parameters={
            **CHIP,
            **dict.fromkeys(_TIMES, _TIME),
            **parameters,
            **more.parameters,
            **current_noise.chip(current_noise.BOTH, noisy),
        },
        inputs={**INPUTS, **more.inputs},
        outputs={**OUTPUTS, **more.outputs},
    )(burst_poisson)


def in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """What both two-compartment neurons have, and times in steps."""
    numbers = two_compartments(values, step_ms, voltage_steps)
    added = replace(
        numbers,
        parameters={**numbers.parameters, **{name: whole_steps(name, values, step_ms) for name in _TIMES}},
        represents={**numbers.represents, **{name: as_time(name, step_ms) for name in _TIMES}},
    )
    return burst_rule.with_rule(added, values, step_ms)


@lru_cache(maxsize=16)
def _extended(names: frozenset[str]) -> NeuronModel:
    names = current_noise.completed(names, current_noise.BOTH)
    program = burst_poisson_program(
        traces="burst_trace" in names,
        rule=bool(names & burst_rule.NAMES),
        noisy=current_noise.TAU in names,
    )
    return burst_rule.extended(BURST_POISSON, names, program)


BURST_POISSON: NeuronModel = NeuronModel(
    name="burst_poisson",
    kind="neuron",
    doc="simplified pyramidal neuron, whose dendrite sets the probability of a second spike",
    parameters=(
        *parameters_with(midpoint_mv=-57.0),
        Parameter("refractory", "time", 20.0, "time after a spike without an event", minimum=0.0),
        Parameter("second_after", "time", 5.0, "least time to a second spike", minimum=0.0),
        Parameter("second_within", "time", 10.0, "greatest random time beyond it", minimum=0.0),
    ),
    ports=PORTS,
    in_chip_units=in_chip_units,
    program=burst_poisson_program(),
    variables=VARIABLES,
    initial=INITIAL,
    options=(BURST_TRACE, *burst_rule.PARAMETERS, *current_noise.parameters(current_noise.BOTH)),
    extended=_extended,
)
