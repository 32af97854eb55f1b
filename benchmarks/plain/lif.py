"""LIF neurons, alone or behind Poisson sources, in plain numpy: one pass over all neurons a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.plain.integers import Integers, bounded, decayed, draws, index_bits, key
from compiler.ir.chip_program import ChipProgram, PopulationCode, ProjectionCode

_HALF = 1 << 23

#: The sums of the weights of the events of the sources listed, [extra steps of delay, target].
Sum = Callable[[NDArray[np.intp]], Integers]


@dataclass
class PlainLif:
    """The states of the neurons, and what they and their synapses have done so far."""

    u: Integers
    v: Integers
    #: What arrives from this step on, [step, neuron].
    under_way: Integers
    clock: int = 0
    events: int = 0
    synaptic_events: int = 0


def resting(code: ChipProgram) -> PlainLif:
    """The neurons `cells` of a network at the start of time."""
    size = code.population("cells").size
    longest = max((int(projection.delays.max()) for projection in code.projections), default=0)
    zeros = np.zeros(size, dtype=np.int64)
    return PlainLif(zeros, zeros, np.zeros((1 + longest, size), dtype=np.int64))


def _integer(population: PopulationCode, name: str) -> int:
    value = population.parameters[name]
    assert isinstance(value, int)
    return value


def _update(cells: PopulationCode, state: PlainLif, soma: Integers | int) -> None:
    u = decayed(state.u, 4096 - (_integer(cells, "du") + 1)) + (soma << 6)
    u = np.where(u > _HALF, u - 2 * _HALF, np.where(u <= -_HALF, u + 2 * _HALF, u))
    bias = _integer(cells, "bias_mant") << _integer(cells, "bias_exp")
    v = bounded(decayed(state.v, 4096 - _integer(cells, "dv")) + u + bias, 1 - _HALF, _HALF - 1)
    fired = v > (_integer(cells, "vth") << 6)
    state.u, state.v = u, np.where(fired, 0, v)
    state.events += int(np.count_nonzero(fired))


def run_population(code: ChipProgram, state: PlainLif, steps: int) -> None:
    """Advance neurons without synapses."""
    cells = code.population("cells")
    for _ in range(steps):
        _update(cells, state, 0)
    state.clock += steps


def dense_sum(projection: ProjectionCode) -> Sum:
    """The sum over rows of the weight matrix."""
    weights = np.ascontiguousarray(projection.weights.T).astype(np.int32)
    # Of the ways to write it, the quickest whose sums cannot overflow.
    return lambda sources: np.asarray(
        weights.take(sources, axis=0).sum(axis=0, dtype=np.int32, keepdims=True), np.int64
    )


def sparse_sum(projection: ProjectionCode, sources: int, targets: int) -> Sum:
    """The sum over the listed synapses of each source."""
    first = np.searchsorted(projection.pre, np.arange(sources + 1))
    synapses = [np.arange(first[j], first[j + 1]) for j in range(sources)]
    delays, weights = projection.delays.astype(np.int64), projection.weights.astype(np.float64)
    shape = (1 + int(delays.max()), targets)
    places = projection.post + targets * delays

    def add(listed: NDArray[np.intp]) -> Integers:
        if not len(listed):
            return np.zeros(shape, dtype=np.int64)
        chosen = np.concatenate([synapses[j] for j in listed])
        # Sums of integers below 2^53 are exact in float64.
        summed = np.bincount(places[chosen], weights[chosen], shape[0] * targets)
        return summed.astype(np.int64).reshape(shape)

    return add


def run_events(code: ChipProgram, state: PlainLif, steps: int, add: Sum) -> None:
    """Advance Poisson sources, synapses and neurons."""
    senses, cells = code.population("senses"), code.population("cells")
    (projection,) = code.projections
    fan_out = np.bincount(projection.pre, minlength=senses.size)
    if projection.dense:
        fan_out[:] = cells.size
    exponent, places = projection.weight_exp, index_bits(senses.size)
    value = np.uint32(_integer(senses, "value"))
    listed = _emitted(code.seed, senses.stream, state.clock - 1, places, value)
    for clock in range(state.clock, state.clock + steps):
        summed = add(listed)
        state.synaptic_events += int(fan_out[listed].sum())
        state.under_way += summed << exponent if exponent >= 0 else summed >> -exponent
        _update(cells, state, state.under_way[0])
        state.under_way[:-1] = state.under_way[1:]
        state.under_way[-1] = 0
        listed = _emitted(code.seed, senses.stream, clock, places, value)
    state.clock += steps


def _emitted(
    seed: int, stream: int, clock: int, places: NDArray[np.uint32], value: np.uint32
) -> NDArray[np.intp]:
    """The sources that emit in a step; none before the first."""
    if clock < 0:
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero((draws(key(seed, stream, clock), places) & np.uint32(0xFFFF)) < value)
