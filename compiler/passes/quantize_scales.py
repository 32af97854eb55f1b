"""The scale of each population's voltages: how many of the chip's units lie between rest and threshold.

A model's least scale is `VOLTAGE_STEPS`; the compiler takes the least multiple 2^k of it at which

- no weight that arrives needs a negative exponent, whose sums are floored: one event then does what it says;
- what a decay loses by rounding toward zero, up to a unit a step, stays small beside the threshold,

as far as the widths allow: every parameter fits its own, eight times the least threshold fits the states, the
greatest weight needs no greater exponent than there is, and four times what all sources send at once fits
the port. Sources, and models whose numbers do not depend on the scale, keep the least.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hw_models.neurons.model import ChipNumbers, NeuronModel, Reals
from hw_models.neurons.numbers import width_of
from hw_models.neurons.quantities import VOLTAGE_STEPS

#: A decay's rounding may move a voltage by a unit a step: with so many units to the threshold for each step
#: of the time constant that is at most 1/128 of the threshold in the end.
UNITS_A_STEP = 128
#: Powers of two between the threshold and the end of a state, for what inhibition and a burst of input add.
HEADROOM = 3
#: How many times what all sources send at once fits a port.
SUMS = 4
_MOST = 16


@dataclass(frozen=True)
class Arriving:
    """What comes from one projection, in the port's base unit.

    `magnitude` is that of its greatest weight, which is to be at most `steps` weight units; `at_once` what
    one neuron gets where all sources send their most.
    """

    port: str
    magnitude: float
    steps: float
    at_once: float


def _exponent(arriving: Arriving, unit: float) -> int:
    return math.ceil(math.log2(arriving.magnitude / (arriving.steps * unit)) - 1e-9)


def _units(numbers: ChipNumbers, ports: Sequence[str]) -> dict[str, float]:
    return {port: float(np.max(numbers.port_units[port])) for port in ports}


def voltage_steps(
    model: NeuronModel,
    values: Mapping[str, Reals],
    step_ms: float,
    arriving: Sequence[Arriving],
    greatest_exponent: int,
) -> float:
    """The units between rest and the least threshold of a population with these physical parameters."""
    least = float(VOLTAGE_STEPS)
    base, twice = (model.in_chip_units(values, step_ms, scale) for scale in (least, 2 * least))
    ports = [port.name for port in model.ports]
    units, halved = _units(base, ports), _units(twice, ports)
    scaled = [it for it in arriving if it.magnitude > 0 and halved[it.port] != units[it.port]]
    lost = slowest_decays(base)
    wanted = [-_exponent(it, units[it.port]) for it in scaled]
    wanted += [math.ceil(math.log2(UNITS_A_STEP / it / least)) for it in lost]
    doublings = min(max([0, *wanted]), _MOST, *_allowed(model, base, twice, scaled, units, greatest_exponent))
    unfit = beyond(model, base)
    while doublings > 0:
        if beyond(model, model.in_chip_units(values, step_ms, least * 2.0**doublings)) <= unfit:
            break
        doublings -= 1
    return least * 2.0 ** max(doublings, 0)


def _allowed(
    model: NeuronModel,
    base: ChipNumbers,
    twice: ChipNumbers,
    scaled: Sequence[Arriving],
    units: Mapping[str, float],
    greatest_exponent: int,
) -> list[int]:
    """The doublings that each width allows."""
    found = [greatest_exponent - _exponent(it, units[it.port]) for it in scaled]
    for port in {it.port for it in scaled}:
        at_once = sum(it.at_once for it in scaled if it.port == port) / units[port]
        # A port that shifts its input itself takes mantissas: there the exponent is the bound.
        if at_once > 0 and port not in model.roles.exponents:
            found.append(math.floor(math.log2(model.program.inputs[port].high / (SUMS * at_once))))
    for name, (unit, _) in base.units.items():
        if name in model.program.states and twice.units[name][0] != unit:
            room = (model.program.states[name].high + 1) / VOLTAGE_STEPS
            found.append(math.floor(math.log2(room)) - HEADROOM)
    return found or [0]


def slowest_decays(numbers: ChipNumbers) -> list[float]:
    """The least share of a voltage that each decay loses in a step, at least the least there is."""
    return [
        float(np.min(np.maximum(np.asarray(it.value), 1.0))) / it.decays_voltage
        for it in numbers.parameters.values()
        if it.decays_voltage and not callable(it.value)
    ]


def beyond(model: NeuronModel, numbers: ChipNumbers) -> set[str]:
    """The parameters whose integers do not fit their width."""
    found = set()
    for name, it in numbers.parameters.items():
        width = width_of(name, it, model)
        if width is None or it.clip or callable(it.value):
            continue
        most = model.program.parameters[it.exponent].high if it.exponent is not None else 0
        integers = np.rint(np.asarray(it.value, dtype=np.float64)) + it.offset
        if np.max(integers) > width.high * 2.0**most or np.min(integers) < width.low * 2.0**most:
            found.add(name)
    return found
