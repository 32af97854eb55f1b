"""The scale of a population's voltages for what it reaches, in place of the worst case of `quantize_scales`.

Of the scales from `VOLTAGE_STEPS` on, sixteen an octave, those are looked at which

- have every parameter that fits its width at the least scale fit it;
- hold `MARGIN` times what ports and states reached in a run, or what bounds prove of them, and twice the
  least threshold; of weights that learn the worst case, and eight thresholds, for they will have grown
  beyond a run;
- need no greater exponent of any weight than there is;
- do not exceed the one for the worst case, where a signal is bound to the population or no unit of its states
  is known.

Of each the error is predicted: of a port, what rounding and flooring take from its sums (`calibrated_sums`),
as a share of them; of decays, the half of a unit that one loses in a step by rounding, added up over its time
constant, as a share of the least threshold; of the limits of weights that learn, and of parameters that
depend on the scale, such as a bias, the relative error. The least scale is taken whose error, the root of all
squares, is within `NEAR` of the least there is, or so small that it does not matter (`ENOUGH`): a finer one
leaves less room above what was reached.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compiler.ir.calibration import Calibration, Origin
from compiler.passes.calibrated_sums import Sums
from compiler.passes.quantize_neurons import Rounded, rounded_numbers
from compiler.passes.quantize_scales import HEADROOM, SUMS, Arriving, beyond, slowest_decays
from compiler.passes.quantize_weights import EXPONENT_RANGE
from hw_models.neurons.model import ChipNumbers, ChipParameter, NeuronModel, Reals
from hw_models.neurons.quantities import VOLTAGE_STEPS

#: How many times what was reached has to fit. Bounds are of weights that are rounded another time.
MARGIN: Mapping[Origin, float] = {"run": 2.0, "bounds": 1.125}
#: A limit in integers may be nearly half of the one that was asked for, or all of it at another scale.
LIMITS = 2.0
#: Scales an octave, and octaves.
PER_OCTAVE, OCTAVES = 16, 16
NEAR = 1.005
ENOUGH = 2.0**-13


@dataclass(frozen=True)
class Reaching:
    """One projection onto a port: its sums and its worst case.

    The port's base unit is `of_sum` in the unit of the sums, which may be leaks, or count for a millisecond,
    and `of_weight` in that of a weight for a message of 1, which is perhaps not a whole one.
    """

    port: str
    sums: Sums
    worst: Arriving
    of_weight: float
    of_sum: float

    #: The least exponent of the low part of wide weights.
    least: int

    @property
    def learns(self) -> bool:
        """Whether its weights change."""
        return self.sums.form != "static"


def margin(origin: Origin, *, learns: bool) -> float:
    """How many times what was reached has to fit; `learns`: weights that end there change."""
    return MARGIN[origin] * (LIMITS if learns and origin == "bounds" else 1.0)


def _greatest(reals: Reals) -> float:
    return float(np.max(np.asarray(reals)))


def calibrated_steps(
    model: NeuronModel,
    values: Mapping[str, Reals],
    step_ms: float,
    population: str,
    reaching: Sequence[Reaching],
    calibration: Calibration,
    worst: float,
    *,
    signals: bool,
) -> float:
    """The units between rest and the least threshold of a population; the least where no scale holds it all.

    `worst` is the scale for the worst case, which stays where the calibration knows nothing of the
    population. With `signals` no finer one is taken: theirs may be greater than those that were seen. Nor is
    one of a model that does not say what its states count, so that it is not known what they reach.
    """
    if not any(it.population == population for it in calibration.reaches):
        return worst
    base = model.in_chip_units(values, step_ms, float(VOLTAGE_STEPS))
    twice = model.in_chip_units(values, step_ms, 2.0 * VOLTAGE_STEPS)
    if all(_greatest(twice.port_units[it.name]) == _greatest(base.port_units[it.name]) for it in model.ports):
        # Numbers that do not depend on the scale.
        return worst
    states = scaled_states(model, values, step_ms)
    needed = _Needed(model, states, population, reaching, calibration)
    unfit = beyond(model, base)
    lost = slowest_decays(base)
    scaled = {name for name, it in base.parameters.items() if _differ(it, twice.parameters[name])}
    found: list[tuple[float, float]] = []
    for octave in range(OCTAVES + 1):
        before = len(found)
        for part in range(PER_OCTAVE):
            steps = float((VOLTAGE_STEPS << octave) // PER_OCTAVE * (PER_OCTAVE + part))
            if (signals or not states) and steps > worst:
                continue
            numbers = model.in_chip_units(values, step_ms, steps)
            if beyond(model, numbers) <= unfit and needed.fits(numbers, steps):
                squares = [(0.5 / it / steps) ** 2 for it in lost]
                squares += _of_parameters(model, values, rounded_numbers(model, numbers, steps), scaled)
                squares += _of_ports(numbers, reaching)
                found.append((steps, math.sqrt(math.fsum(squares))))
        if len(found) == before:
            # Nor does anything finer fit.
            break
    if not found:
        return float(VOLTAGE_STEPS)
    good = max(min(error for _, error in found) * NEAR, ENOUGH)
    return next(steps for steps, error in found if error <= good)


def _differ(one: ChipParameter, other: ChipParameter) -> bool:
    if callable(one.value) or callable(other.value):
        return False
    return not np.array_equal(np.asarray(one.value), np.asarray(other.value))


def _of_parameters(
    model: NeuronModel, values: Mapping[str, Reals], found: Rounded, scaled: Collection[str]
) -> Iterator[float]:
    """The squared relative error of each parameter that depends on the scale."""
    for it in model.parameters:
        line = found.numbers.represents[it.name]
        if not any(name in scaled for name in line.chip):
            continue
        origin = values.get("rest", 0.0) if it.dimension == "voltage" else 0.0
        asked = np.asarray(values[it.name], dtype=np.float64) - origin
        got = np.asarray(line.value(found.represented), dtype=np.float64) - origin
        whole = float(np.max(np.abs(asked)))
        if whole > 0:
            yield (float(np.max(np.abs(got - asked))) / whole) ** 2


def _of_ports(numbers: ChipNumbers, reaching: Sequence[Reaching]) -> Iterator[float]:
    """The squared error of each port's sums, as a share of their mean square, and of limits of learning."""
    for port in dict.fromkeys(it.port for it in reaching):
        unit = _greatest(numbers.port_units[port])
        off = whole = 0.0
        for it in reaching:
            # What learning leaves of initial weights is not known, nor what a silent source will send.
            if it.port == port and not it.learns:
                weight_unit, quantum = unit * it.of_weight, unit * it.of_sum
                exponent = it.sums.best(it.sums.whole(weight_unit), weight_unit, quantum)
                off += (it.sums.error(exponent, weight_unit, quantum, it.least) / it.of_sum) ** 2
                whole += (it.sums.rms / it.of_sum) ** 2
            elif it.port == port:
                yield it.sums.limit_error(unit * it.of_weight) ** 2
        if whole > 0:
            yield off / whole


class _Needed:
    """What a scale has to hold."""

    def __init__(
        self,
        model: NeuronModel,
        scaled: Collection[str],
        population: str,
        reaching: Sequence[Reaching],
        calibration: Calibration,
    ) -> None:
        self.model, self.reaching = model, reaching
        self.ports = dict(_ports(model, population, reaching, calibration))
        known = {name: calibration.reach(population, "state", name) for name in sorted(scaled)}
        learns = any(it.learns for it in reaching)
        times = margin(calibration.origin, learns=learns)
        #: None where nothing is known.
        self.states = {name: None if it is None else times * it.greatest for name, it in known.items()}
        #: The least number of thresholds that a state has to hold.
        self.thresholds = 1 << HEADROOM if learns and calibration.origin == "run" else 2

    def fits(self, numbers: ChipNumbers, steps: float) -> bool:
        """Whether a scale holds all of it."""
        program = self.model.program
        for it in self.reaching:
            unit = _greatest(numbers.port_units[it.port]) * it.of_weight
            if it.sums.whole(unit) > EXPONENT_RANGE[1]:
                return False
        for port, most in self.ports.items():
            width = program.inputs[port]
            if most > min(-width.low, width.high) * float(np.min(numbers.port_units[port])):
                return False
        for state, reached in self.states.items():
            width = program.states[state]
            room = min(-width.low, width.high) if width.low < 0 else width.high
            if reached is None:
                if steps * (1 << HEADROOM) > room + 1:
                    return False
            elif reached > room * numbers.units[state][0] or self.thresholds * steps > room + 1:
                return False
        return True


def _ports(
    model: NeuronModel, population: str, reaching: Sequence[Reaching], calibration: Calibration
) -> Iterator[tuple[str, float]]:
    """(port, what it has to hold in its base unit)."""
    for port in dict.fromkeys(it.port for it in reaching):
        # A port that shifts its input itself takes mantissas: there the exponent is the bound.
        if port in model.roles.exponents:
            continue
        here = [it for it in reaching if it.port == port]
        reach = calibration.reach(population, "port", port)
        learns = any(it.learns for it in here)
        if reach is None or reach.greatest == 0 or (learns and calibration.origin == "run"):
            yield port, SUMS * sum(it.worst.at_once for it in here)
        else:
            yield port, margin(calibration.origin, learns=learns) * reach.greatest


def scaled_states(model: NeuronModel, values: Mapping[str, Reals], step_ms: float) -> frozenset[str]:
    """The states whose unit depends on the scale."""
    one, other = (model.in_chip_units(values, step_ms, n * VOLTAGE_STEPS).units for n in (1.0, 2.0))
    states = model.program.states
    return frozenset(name for name in one if name in states and other[name][0] != one[name][0])
