"""lower: to what the target offers. ChipProgram in, ChipProgram out.

- weight exponents: a model that shifts its input itself takes the greatest shift that all projections of a
  port share; what is left stays as the projection's `weight_exp`;
- the burst rule becomes sums of products in the chip's grammar:
  with a tag that y2 moves or that carries by itself; a K beyond 7 cannot be represented, so that the neuron
  sends a smaller y1;
- each population learns the epoch of its plastic synapses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from compiler.ir.chip_program import ChipProgram, LearningCode, PopulationCode, ProjectionCode
from hw_models.diagnostics import BurstchipError, Diagnostic, Subject, register_codes

register_codes(
    {
        "BC320": "plastic projections of one population disagree",
    }
)

#: The greatest right shift that a product's exponent can hold.
PRODUCT_SHIFT_MAX = 7
PORT_EXPONENT_MAX = 7


def consolidated_burst_rule(shift: int, consolidation: int) -> dict[str, str]:
    """The burst rule with a tag that gathers until y2 = 32 moves 2^-S of it into the weight and clears it."""
    return {"dt": f"u0*2^{-shift}*x1*y1 - u0*t*y2", "dw": f"u0*2^{-consolidation}*t*y2"}


def carrying_burst_rule(shift: int, consolidation: int) -> dict[str, str]:
    """The burst rule with a tag that carries into the weight, in the chip's grammar.

    With h = 2^S, sgn(t-h) + sgn(t+h) is 2 for t > h, -2 for t < -h and 0 between: half of it carries one
    weight unit up or down, and the tag gives up exactly the h tag units that this unit is worth. Nothing
    is rounded on the way (a tag of just +-h carries by half a unit, rounded at random, in expectation
    right), so what is too small to carry stays in the tag and is not lost. Carrying waits for a learning
    epoch in which the presynaptic neuron fires (x0), so that silent synapses cost nothing.
    """
    high = 1 << consolidation
    signs = (f"sgn(t-{high})", f"sgn(t+{high})")
    carried = "".join(f" - x0*2^{consolidation - 1}*{sign}" for sign in signs)
    return {
        "dt": f"u0*2^{-shift}*x1*y1{carried}",
        "dw": " + ".join(f"x0*2^-1*{sign}" for sign in signs),
    }


def _agree(population: PopulationCode, what: str, key: str, values: Mapping[str, int]) -> int:
    """The one value of all projections, by their names; `key` is where a plasticity says it."""
    first = next(iter(values.values()), 0)
    other = next((name for name, value in values.items() if value != first), None)
    if other is not None:
        raise BurstchipError(
            Diagnostic(
                "BC320",
                f"the plastic projections onto '{population.name}' differ in {what}",
                required=f"one {what}: the neuron gathers its burst errors once for all of them",
                given=", ".join(f"{name}: {value}" for name, value in values.items()),
                hint="use one plasticity for all projections of the population",
                about=Subject("plasticity", other, (key,)),
            )
        )
    return first


def _factor_shift(learning: LearningCode) -> int:
    """By how many bits the neuron's third factor shrinks, since the product's exponent ends at 7."""
    return max(0, learning.shift - PRODUCT_SHIFT_MAX) if learning.form == "chip" else 0


def port_exponent(population: PopulationCode, port: str, projections: Sequence[ProjectionCode]) -> int:
    """The left shift of what arrives at a port: the greatest that all its projections share."""
    ending = [p.weight_exp for p in projections if (p.target, p.port) == (population.name, port)]
    if not ending:
        given = population.parameters[population.roles.exponents[port]]
        assert isinstance(given, int)
        return given
    return int(np.clip(min(ending), 0, PORT_EXPONENT_MAX))


def _population(population: PopulationCode, projections: list[ProjectionCode]) -> PopulationCode:
    parameters, roles = dict(population.parameters), population.roles
    for port, parameter in roles.exponents.items():
        parameters[parameter] = port_exponent(population, port, projections)
    learned = {p.name: p.learning for p in projections if p.learning is not None}
    epochs = {name: learning.every for name, learning in learned.items()}
    every = _agree(population, "learning epoch", "every", epochs)
    if roles.factor_shift:
        shifts = {name: _factor_shift(learning) for name, learning in learned.items()}
        shift = _agree(population, "learning rate beyond 2^-7", "learning_rate", shifts)
        parameters[roles.factor_shift] = shift
    return replace(population, parameters=parameters, gather_every=every)


def _projection(projection: ProjectionCode, targets: dict[str, PopulationCode]) -> ProjectionCode:
    population = targets[projection.target]
    parameter = population.roles.exponents.get(projection.port)
    if parameter is not None:
        port_exponent = population.parameters[parameter]
        assert isinstance(port_exponent, int)
        projection = replace(projection, weight_exp=projection.weight_exp - port_exponent)
    learning = projection.learning
    if learning is None or learning.form != "chip" or "consolidation" not in learning.rules:
        return projection
    shift, consolidation = min(learning.shift, PRODUCT_SHIFT_MAX), int(learning.rules["consolidation"])
    rule = consolidated_burst_rule if learning.consolidate_every else carrying_burst_rule
    lowered = replace(learning, rules=rule(shift, consolidation))
    return replace(projection, learning=replace(lowered, gains=_gains(lowered, consolidation)))


def _gains(learning: LearningCode, consolidation: int) -> tuple[float, ...]:
    """What the products of a burst rule are worth where both rates are exact, and not powers of two.

    A tag that y2 moves gathers at the exact learning rate and moves at the exact consolidation rate. One that
    carries by itself does so at 2^S, whatever the rate: its units are such that 2^S of them are a weight
    unit, and it gathers at the product of both rates.
    """
    rate, moved = learning.rate, learning.consolidation
    learns = 1.0 if rate is None else rate * 2.0**learning.shift
    moves = 1.0 if moved is None else moved * 2.0**consolidation
    rule = learning.rule
    assert rule.dw is not None and rule.dt is not None, "a burst rule changes weight and tag"
    weight, tag = ([product.gain for product in change.products] for change in (rule.dw, rule.dt))
    if learning.consolidate_every:
        tag[0] *= learns
        weight[0] *= moves
    else:
        tag[0] *= learns * moves
    return (*weight, *tag)


def lower(code: ChipProgram) -> ChipProgram:
    """Exponents, rules and epochs as the chip takes them. Raises `BurstchipError` BC320."""
    populations = tuple(
        _population(population, [p for p in code.projections if p.target == population.name])
        for population in code.populations
    )
    targets = {population.name: population for population in populations}
    return replace(
        code, populations=populations, projections=tuple(_projection(p, targets) for p in code.projections)
    )
