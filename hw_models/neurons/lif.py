"""Leaky integrate-and-fire neuron with a filtered synaptic current: Lava's fixed-point LIF, exactly.

    tau_current du/dt = -u + sum of weights of arriving events
    tau_membrane dv/dt = -(v - rest) + ...,   C dv/dt driven by u and the bias current
    an event where v > threshold, then v = reset, for as long as the refractory time

In integers, with tz the shift that rounds toward zero:

    u <- wrap(tz(u (4096 - (du + 1)), 12) + (soma << 6))
    v <- clip(tz(v (4096 - dv), 12) + u + bias, +-(2^23 - 1));   bias = bias_mant << bias_exp
    event = v > (vth << 6);   v <- 0 where event

A population that has them runs a longer program, with each of these alone or together:

    lower_bound   v <- max(v, v_min) before an event is looked for
    refractory    v stays as it is where idle > 0;   idle <- refractory where event, else max(idle - 1, 0)
    reset         v <- v_reset in place of 0 where event
    subtract      v <- v - (vth << 6) where event and the neuron's flag is 1

A weight is the greatest depolarisation, in mV, that one event causes in a neuron at rest, at any step: the
peak of the two exponentials, or the jump where tau_current is 0.
Source: lava-nc 0.10.0, `PyLifModelBitAcc`; the refractory time is that of `PyLifRefractoryModelFloat`,
which Lava has in floating point alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from hw_models.diagnostics import BurstchipError, Diagnostic
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
    require_order,
    threshold_mv,
    voltage_unit,
)
from hw_models.neurons.model import ChipNumbers, ChipParameter, NeuronModel, Parameter, Reals, Represented
from hw_models.neurons.quantities import INPUT_SHIFT, nearest_steps
from hw_models.neurons.roles import Roles
from hw_models.program.trace import Program, maximum, program, where
from hw_models.program.widths import FLAG, unsigned

#: The chip's parameter of each option that makes the program longer.
_CHIP = {"refractory": "refractory", "reset": "v_reset", "lower_bound": "v_min", "subtract": "subtract"}


@program(
    states=STATES,
    parameters={**DECAYS, "vth": unsigned(17), **BIAS},
    inputs=INPUTS,
    outputs={"events": FLAG},
)
def lif_program(s, p, x):  # type: ignore[no-untyped-def]
    """One step of the LIF neuron; see the module's equations."""
    u, v = integrate(s, p, x)
    events = v > (p.vth << INPUT_SHIFT)
    return {"u": u, "v": where(events, 0, v)}, {"events": events}


@lru_cache(maxsize=8)
def lif_program_with(options: frozenset[str]) -> Program:
    """The program with these of `refractory`, `reset`, `lower_bound` and `subtract`."""
    if not options:
        return lif_program

    def step(s, p, x):  # type: ignore[no-untyped-def]
        u, v = integrate(s, p, x)
        if "lower_bound" in options:
            v = maximum(v, p.v_min)
        if "refractory" in options:
            v = where(s.idle > 0, s.v, v)
        events = v > (p.vth << INPUT_SHIFT)
        after = p.v_reset if "reset" in options else 0
        if "subtract" in options:
            after = where(p.subtract > 0, v - (p.vth << INPUT_SHIFT), after)
        states = {"u": u, "v": where(events, after, v)}
        if "refractory" in options:
            states["idle"] = where(events, p.refractory, maximum(s.idle - 1, 0))
        return states, {"events": events}

    step.__name__ = "_".join(("lif_program", *sorted(options)))
    widths = {
        "refractory": unsigned(16),
        "reset": STATES["v"],
        "lower_bound": STATES["v"],
        "subtract": FLAG,
    }
    idle = {"idle": widths["refractory"]} if "refractory" in options else {}
    more = {chip: widths[name] for name, chip in _CHIP.items() if name in options}
    return program(
        states={**STATES, **idle},
        parameters={**DECAYS, "vth": unsigned(17), **BIAS, **more},
        inputs=INPUTS,
        outputs={"events": FLAG},
    )(step)


def _with_options(values: Mapping[str, Reals], step_ms: float, voltage_steps: float) -> ChipNumbers:
    """The numbers of `leaky`, and those of the options that are given.

    Raises `BurstchipError` BC192 and BC194 where voltages do not go together.
    """
    numbers = in_chip_units(values, step_ms, voltage_steps)
    unit, rest = voltage_unit(values, voltage_steps), values["rest"]
    parameters, represents = dict(numbers.parameters), dict(numbers.represents)
    starts = dict(numbers.starts)
    if "reset" in values and np.any(values.get("subtract", 0.0)):
        raise BurstchipError(
            Diagnostic(
                "BC194",
                "an event either sets the potential or takes the threshold off it",
                required="'reset', or 'subtract: 1'",
                given="both",
            )
        )
    reset = ("reset", values.get("reset", rest))
    require_order(reset, ("threshold", threshold_mv(values)), or_equal=False)
    if "lower_bound" in values:
        bound = ("lower_bound", values["lower_bound"])
        require_order(bound, ("rest", rest), or_equal=True)
        require_order(bound, reset, or_equal=True)
    for name in ("reset", "lower_bound"):
        if name in values:
            chip = _CHIP[name]
            # A bound that the register does not reach is the register's own.
            parameters[chip] = ChipParameter((values[name] - rest) / unit, clip=name == "lower_bound")
            represents[name] = _as_voltage(chip, unit, rest)
    if "subtract" in values:
        parameters["subtract"] = ChipParameter(values["subtract"])
        represents["subtract"] = Represented(("subtract",), lambda chip: chip["subtract"])
    if "refractory" in values:
        # In between two steps nothing changes.
        waits = np.asarray(nearest_steps(values["refractory"], step_ms), dtype=np.float64)
        parameters["refractory"] = ChipParameter(waits)
        represents["refractory"] = Represented(("refractory",), lambda chip: chip["refractory"] * step_ms)
        starts["idle"] = (step_ms, 0.0)
    return replace(numbers, parameters=parameters, represents=represents, starts=starts)


def _as_voltage(chip: str, unit: float, rest: Reals) -> Represented:
    return Represented((chip,), lambda found: rest + found[chip] * unit)


_REFRACTORY = Parameter(
    "refractory", "time", None, "time after an event in which the potential stays at the reset", minimum=0.0
)
_IDLE = Parameter("idle", "time", None, "what is left of the refractory time", minimum=0.0)


@lru_cache(maxsize=256)
def _extended(names: frozenset[str]) -> NeuronModel:
    longer = names & frozenset(_CHIP)
    return replace(
        LIF.with_given(names),
        program=lif_program_with(longer),
        in_chip_units=_with_options,
        initial=(*INITIAL, _IDLE) if "refractory" in longer else INITIAL,
    )


LIF: NeuronModel = NeuronModel(
    name="lif",
    kind="neuron",
    doc="leaky integrate-and-fire neuron, Lava's fixed-point LIF",
    parameters=PARAMETERS,
    ports=PORTS,
    in_chip_units=in_chip_units,
    program=lif_program,
    roles=Roles(responses={"soma": "v"}),
    variables=VARIABLES,
    initial=INITIAL,
    options=(
        _REFRACTORY,
        Parameter("reset", "voltage", None, "potential after an event; rest where not given"),
        Parameter("lower_bound", "voltage", None, "least potential; that of the register where not given"),
        Parameter(
            "subtract", "number", None, "1: an event takes the threshold off the potential", 0, 1, True
        ),
        THRESHOLD,
        *INTEGERS,
    ),
    extended=_extended,
)


@lru_cache(maxsize=256)
def _refractory(names: frozenset[str]) -> NeuronModel:
    """The model `lif` with a refractory time that need not be given, by a name of its own."""
    full = _extended(names | {"refractory"})
    parameters = tuple(replace(it, default=2.0) if it.name == "refractory" else it for it in full.parameters)
    return replace(
        full,
        name="lif_refractory",
        doc="`lif` with a refractory time, Lava's LIFRefractory in integers",
        parameters=parameters,
    )


LIF_REFRACTORY = replace(
    _refractory(frozenset()),
    options=tuple(it for it in LIF.options if it.name != "refractory"),
    extended=_refractory,
)
