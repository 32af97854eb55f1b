"""Parameters and initial states that are drawn: one value a neuron, each of which its range has to hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from compiler.draws import draw_values
from compiler.ir.network import Population
from compiler.ir.values import Normal, Uniform, Value
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.neurons.model import BASE_UNITS, NeuronModel, Parameter

register_codes({"BC360": "a drawn value is out of range"})

#: What stands before the name of a state among the names of values.
INITIAL = "initial."


def _out_of_range(population: Population, it: Parameter, what: str, drawn: NDArray[np.float64]) -> Diagnostic:
    low = -np.inf if it.minimum is None else it.minimum
    high = np.inf if it.maximum is None else it.maximum
    excess = np.maximum(low - drawn, drawn - high)
    unit = BASE_UNITS[it.dimension]
    bounds = [f"at least {low:g} {unit}"] if np.isfinite(low) else []
    bounds += [f"at most {high:g} {unit}"] if np.isfinite(high) else []
    return Diagnostic(
        "BC360",
        f"{np.count_nonzero(excess > 0)} of {drawn.size} drawn values of '{what}' of population"
        f" '{population.name}' are out of range",
        population.parameter_places.get(what, population.place),
        required=" and ".join(bound.rstrip() for bound in bounds),
        given=f"{drawn[np.argmax(excess)]:g} {unit}".rstrip(),
        hint="draw from an interval, {uniform: [low, high]}, or make 'sd' smaller",
    )


def _values(population: Population, model: NeuronModel) -> Iterator[tuple[Parameter, str, Value]]:
    for parameter in model.parameters:
        if parameter.name in population.parameters:
            yield parameter, parameter.name, population.parameters[parameter.name]
    for state in model.initial:
        if state.name in population.initial:
            yield state, INITIAL + state.name, population.initial[state.name]


def draw_population(population: Population, model: NeuronModel, seed: int, stream: int) -> Population:
    """The population with a number for each neuron wherever it has a distribution.

    Raises `BurstchipError` BC360 where a number is outside the range of its parameter.
    """
    found: dict[str, tuple[float, ...]] = {}
    wrong = []
    for it, what, value in _values(population, model):
        if not isinstance(value, Uniform | Normal):
            continue
        drawn = draw_values(value, seed, stream, what, population.size)
        below = it.minimum is not None and drawn.min() < it.minimum
        if below or (it.maximum is not None and drawn.max() > it.maximum):
            wrong.append(_out_of_range(population, it, what, drawn))
        found[what] = tuple(drawn.tolist())
    if wrong:
        raise BurstchipError(wrong)
    if not found:
        return population
    initial = {name: found.get(INITIAL + name, value) for name, value in population.initial.items()}
    parameters = {name: found.get(name, value) for name, value in population.parameters.items()}
    return replace(population, parameters=parameters, initial=initial, drawn=frozenset(found))
