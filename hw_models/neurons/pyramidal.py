"""The two-compartment pyramidal neuron whose dendrite turns single spikes into bursts.

The equations of `hw_models.neurons.two_compartments` and

    soma      + R_soma dendrite_to_soma f(d)
    dendrite  + R_dendrite (plateau f(d) + back_propagation K)
    K = 1 for `back_propagation_time` after a spike, else 0; another spike begins it again
    spike     v <- rest;   nothing else but the jump of the threshold makes it refractory

A spike takes back to the dendrite, whose regenerative current f keeps it up; this current drives further
spikes. In a step f is that of the dendrite in its middle, half of the way that f at its beginning would take
it: with f from the beginning alone, a burst is the less likely the longer the step.
Sources: Payeur, Guerguiev, Zenke, Richards, Naud, Nat. Neurosci. 24, 1010 (2021), and the neuron of its
simulations of figures 2 and 3; Naud and Sprekeler, PNAS 115, E6329 (2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from hw_models.neurons import burst_rule, current_noise
from hw_models.neurons.burst_detector import BY_TRACE, BY_WINDOW, by_trace, by_window
from hw_models.neurons.conductances import VOLTAGE, toward
from hw_models.neurons.model import ChipNumbers, ChipParameter, NeuronModel, Parameter, Reals
from hw_models.neurons.quantities import mv_per_unit, nearest_steps
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
    proportional,
    sigmoid,
    slow,
    two_compartments,
)
from hw_models.program.trace import Integer, Program, maximum, program, shift_rounded, where
from hw_models.program.widths import unsigned

_CURRENTS = {"soma_current": "dendrite_to_soma", "plateau": "plateau", "bap": "back_propagation"}


@lru_cache(maxsize=8)
def pyramidal_program(*, traces: bool = False, rule: bool = False, noisy: bool = False) -> Program:
    """The program: bursts found by intervals or by a trace, with or without the burst rule and noise."""
    states, parameters = BY_TRACE if traces else BY_WINDOW
    detected = by_trace if traces else by_window
    more = burst_rule.declared(rule)

    def pyramidal(s, p, x):  # type: ignore[no-untyped-def]
        noise, p = current_noise.disturbed(s, p, current_noise.BOTH, noisy)
        soma, dendrite, conductances = currents(s, p, x)
        dendrite = dendrite + where(s.box > 0, p.bap, 0)

        def moved(f: Integer) -> Integer:
            return toward(s.d, dendrite + shift_rounded(f * p.plateau, RESULT_BITS), p.d_dendrite)

        f = sigmoid(shift_rounded(s.d + moved(sigmoid(s.d, p)), 1), p)
        v = toward(s.v, soma + shift_rounded(f * p.soma_current, RESULT_BITS), p.d_soma)
        d = moved(f)
        before = slow(s, p, d)
        spike = v > p.vth + before["th"]
        detector, outputs = detected(s, p, spike)
        after = {
            "v": where(spike, 0, v),
            "d": d,
            "box": where(spike, p.box_steps, maximum(s.box - 1, 0)),
            **after_spike(before, spike, p),
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
            "box": unsigned(16),
            **states,
            **more.states,
            **current_noise.states(current_noise.BOTH, noisy),
        },
        parameters={
            **CHIP,
            **dict.fromkeys(_CURRENTS, VOLTAGE),
            "box_steps": unsigned(16),
            **parameters,
            **more.parameters,
            **current_noise.chip(current_noise.BOTH, noisy),
        },
        inputs={**INPUTS, **more.inputs},
        outputs={**OUTPUTS, **more.outputs},
    )(pyramidal)


def in_chip_units(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """What both two-compartment neurons have, and the currents of the dendrite's plateau."""
    numbers = two_compartments(values, step_ms, voltage_steps)
    unit = mv_per_unit(values["threshold"], values["rest"], voltage_steps)
    chip, stands_for = dict(numbers.parameters), dict(numbers.represents)
    for chip_name, name in _CURRENTS.items():
        at = "soma" if chip_name == "soma_current" else "dendrite"
        scale = values[f"tau_{at}"] / values[f"capacitance_{at}"] / unit
        chip[chip_name], stands_for[name] = proportional(values[name], chip_name, scale)
    chip["box_steps"] = ChipParameter(
        np.asarray(nearest_steps(values["back_propagation_time"], step_ms), dtype=np.float64)
    )
    stands_for["back_propagation_time"] = as_time("box_steps", step_ms)
    return burst_rule.with_rule(replace(numbers, parameters=chip, represents=stands_for), values, step_ms)


@lru_cache(maxsize=16)
def _extended(names: frozenset[str]) -> NeuronModel:
    names = current_noise.completed(names, current_noise.BOTH)
    program = pyramidal_program(
        traces="burst_trace" in names,
        rule=bool(names & burst_rule.NAMES),
        noisy=current_noise.TAU in names,
    )
    return burst_rule.extended(PYRAMIDAL, names, program)


PYRAMIDAL: NeuronModel = NeuronModel(
    name="pyramidal",
    kind="neuron",
    doc="two-compartment pyramidal neuron with a regenerative dendrite",
    parameters=(
        *parameters_with(midpoint_mv=-38.0),
        Parameter("dendrite_to_soma", "current", 1300.0, "current into the soma where f is 1"),
        Parameter("plateau", "current", 1200.0, "regenerative current of the dendrite where f is 1"),
        Parameter("back_propagation", "current", 2600.0, "current into the dendrite after a spike"),
        Parameter("back_propagation_time", "time", 2.0, "how long that current lasts", minimum=0.0),
    ),
    ports=PORTS,
    in_chip_units=in_chip_units,
    program=pyramidal_program(),
    variables=VARIABLES,
    initial=INITIAL,
    options=(BURST_TRACE, *burst_rule.PARAMETERS, *current_noise.parameters(current_noise.BOTH)),
    extended=_extended,
)
