"""Ornstein-Uhlenbeck currents into a neuron: noise with a memory, new for each neuron and step.

    tau_noise di/dt = -i + sqrt(2 tau_noise) sd xi(t),   xi white noise of unit strength

In a step of dt, exactly, i <- k i + sd sqrt(1 - k^2) N with k = exp(-dt / tau_noise): its standard deviation
is sd at any step. N is the sum of four uniform draws, two of either sign, of variance 1 (the greatest is
3.46), so that i is normally distributed where tau_noise is several steps. With a tau_noise of 0 it is white:
another N in each step. i begins at 0, and adds to a bias.
Source: Uhlenbeck, Ornstein, Phys. Rev. 36, 823 (1930); the update is Gillespie, Phys. Rev. E 54, 2084 (1996).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from hw_models.neurons.conductances import BIAS, DECAY, decays, kept_on_average, time_constants
from hw_models.neurons.model import ChipNumbers, ChipParameter, Parameter, Reals, Represented
from hw_models.neurons.quantities import decay_units
from hw_models.program.trace import Integer, random_bits, saturate, shift_rounded
from hw_models.program.widths import Width, unsigned

_DRAW_BITS = 16
#: The standard deviation of four uniform draws.
_SPREAD = np.sqrt(4 / 12) * (1 << _DRAW_BITS)
#: The option that they all share.
TAU = "tau_noise"

#: Biases by the option whose noise adds to them; the chip's decay and its physical time constant.
SOMA: Mapping[str, str] = {"noise": "bias"}
BOTH: Mapping[str, str] = {"noise": "bias", "dendrite_noise": "dendrite_bias"}
_DECAY = {"d_noise": TAU}


def parameters(biases: Mapping[str, str]) -> tuple[Parameter, ...]:
    """The options of a model; a population that is given one of them has all."""
    where = {"bias": "the soma" if len(biases) > 1 else "the membrane", "dendrite_bias": "the dendrite"}
    return (
        *(
            Parameter(name, "current", 0.0, f"standard deviation of a random current into {where[bias]}", 0)
            for name, bias in biases.items()
        ),
        Parameter(TAU, "time", 5.0, "how long such a current lasts", minimum=0.0),
    )


def completed(given: frozenset[str], biases: Mapping[str, str]) -> frozenset[str]:
    """The options that are given, with all of the noise where one of them is."""
    of_noise = frozenset((*biases, TAU))
    return given | of_noise if given & of_noise else given


def states(biases: Mapping[str, str], noisy: bool) -> Mapping[str, Width]:
    """What a program's declarations have more, where its neurons are noisy."""
    return {f"i_{name}": BIAS for name in biases} if noisy else {}


def chip(biases: Mapping[str, str], noisy: bool) -> Mapping[str, Width]:
    """The same of its parameters."""
    return {"d_noise": DECAY, **{f"amp_{name}": unsigned(26) for name in biases}} if noisy else {}


def disturbed(s: Any, p: Any, biases: Mapping[str, str], noisy: bool) -> tuple[dict[str, Integer], Any]:
    """The currents of a step, and `p` with biases that have them."""
    if not noisy:
        return {}, p
    now, changed = {}, dict(vars(p))
    for name, bias in biases.items():
        state = getattr(s, f"i_{name}")
        one, two, three, four = (random_bits(state, _DRAW_BITS) for _ in range(4))
        drawn = shift_rounded((one + two - three - four) * getattr(p, f"amp_{name}"), _DRAW_BITS)
        now[f"i_{name}"] = saturate(kept_on_average(state, p.d_noise) + drawn, bits=28)
        changed[bias] = getattr(p, bias) + now[f"i_{name}"]
    return now, SimpleNamespace(**changed)


def with_noise(
    numbers: ChipNumbers,
    values: Mapping[str, Reals],
    step_ms: float,
    biases: Mapping[str, str],
    scales: Mapping[str, Reals],
) -> ChipNumbers:
    """A model's numbers, with those of the noise where it has some; `scales` are units of a bias for a pA."""
    if TAU not in values:
        return numbers
    kept = 1 - np.asarray(decay_units(values[TAU], step_ms, 1), dtype=np.float64)
    # What the draws' spread becomes in a step.
    drawn = np.sqrt(1 - kept**2) / _SPREAD * (1 << _DRAW_BITS)
    found = dict(numbers.parameters) | decays(values, step_ms, _DECAY)
    stands_for = dict(numbers.represents) | time_constants(step_ms, _DECAY)
    units = dict(numbers.units)
    for name, bias in biases.items():
        scale = np.asarray(scales[bias] * drawn, dtype=np.float64)
        found[f"amp_{name}"] = ChipParameter(np.asarray(values[name], dtype=np.float64) * scale)
        stands_for[name] = _spread(f"amp_{name}", scale)
        if np.ndim(scales[bias]) == 0:
            units[f"i_{name}"] = (float(1 / scales[bias]), "pA")
    return replace(numbers, parameters=found, represents=stands_for, units=units)


def _spread(chip_name: str, scale: Reals) -> Represented:
    return Represented((chip_name,), lambda found: found[chip_name] / scale)
