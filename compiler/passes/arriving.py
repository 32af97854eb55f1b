"""The least and the greatest that the ports of a population can get in a step, neuron by neuron."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from compiler.ir.certificate import Weights
from compiler.ir.chip_program import ChipProgram, PopulationCode, ProjectionCode
from compiler.ir.signals import Listed, Signal, Streamed, Written
from compiler.ir.verify_signals import signal_range
from hw_models.plasticity.engine_numpy import WEIGHT_RANGES, SignMode
from hw_models.program.intervals import Interval, interval
from hw_models.program.ranges import output_range
from hw_models.program.widths import Width

Integers = NDArray[np.int64]

#: Events see a weight of the carry form rounded to 8 bits.
_CARRY = (-127, 127)


def _weight_ends(projection: ProjectionCode, weights: Weights) -> tuple[Integers, Integers]:
    """The least and the greatest weight of each synapse, as events see them."""
    learning = projection.learning
    if learning is None or weights == "given":
        given = projection.forward(projection.weights).astype(np.int64)
        return given, given
    low, high = (
        _CARRY if learning.form == "carry" else WEIGHT_RANGES[cast(SignMode, projection.sign_mode.lower())]
    )
    shape = projection.weights.shape
    return np.full(shape, low, dtype=np.int64), np.full(shape, high, dtype=np.int64)


def _summed(code: ChipProgram, projection: ProjectionCode, weights: Weights) -> Interval:
    """What a projection adds to each target neuron in a step, at the least and at the most."""
    source, size = code.population(projection.source), code.population(projection.target).size
    # A parameter that a signal sets can be anything of its width.
    fixed = {name: value for name, value in source.parameters.items() if name not in source.signals}
    sent = output_range(source.program, fixed, projection.output)
    # A synapse may get no message at all.
    least, most = min(sent.low, 0), max(sent.high, 0)
    lowest, highest = _weight_ends(projection, weights)
    ends = [weight * message for weight in (lowest, highest) for message in (least, most)]
    totals = [
        it.sum(axis=1) if projection.dense else _by_target(projection, it, size)
        for it in (np.minimum.reduce(ends), np.maximum.reduce(ends))
    ]
    exponent = projection.weight_exp
    if exponent >= 0:
        return Interval(totals[0] << exponent, totals[1] << exponent)
    # What was emitted in one step is floored by itself: each delay beside the first may lose one more.
    floors = max(len(np.unique(projection.delays)) - 1, 0)
    low = totals[0] >> -exponent
    return Interval(np.where(low < 0, low - floors, low), totals[1] >> -exponent)


def _by_target(projection: ProjectionCode, values: Integers, size: int) -> Integers:
    # Sums of integers below 2^53 are exact in float64.
    return np.bincount(projection.post, values, minlength=size).astype(np.int64)


def signal_ends(code: ChipProgram, population: PopulationCode, signal: Signal) -> tuple[int, int] | None:
    """The least and the greatest integer of a population's signal; None where a parameter has it."""
    if isinstance(signal, Streamed | Written):
        name = signal.stream if isinstance(signal, Streamed) else signal.name
        if name in code.host:
            # Until the host writes it is what it starts with.
            start, largest = signal_range(signal) or (0, 0), code.host[name].largest
            return min(start[0], -largest), max(start[1], largest)
    if isinstance(signal, Listed) and population.spikes is not None and population.spikes.shape[1] > 2:
        # A list has messages of its own, and no message is 0.
        messages = population.spikes[:, 2]
        return int(np.min(messages, initial=0)), int(np.max(messages, initial=0))
    return signal_range(signal)


@dataclass(frozen=True)
class Arriving:
    """The sums of a population's ports, [neuron], and the ends of what each projection adds."""

    sums: Mapping[str, Interval]
    shares: Mapping[str, tuple[tuple[str, Width], ...]]


def arriving(code: ChipProgram, population: PopulationCode, weights: Weights) -> Arriving:
    """What arrives if every source sends the worst that it can at every synapse; see `Weights`."""
    sums: dict[str, Interval] = {}
    shares: dict[str, tuple[tuple[str, Width], ...]] = {}
    for port in population.ports:
        total = interval(0, 0, (population.size,))
        found: list[tuple[str, Width]] = []
        for projection in code.projections:
            if (projection.target, projection.port) == (population.name, port):
                added = _summed(code, projection, weights)
                total = Interval(total.low + added.low, total.high + added.high)
                found.append((projection.name, Width(int(added.low.min()), int(added.high.max()))))
        if port in population.signals and (ends := signal_ends(code, population, population.signals[port])):
            total = Interval(total.low + ends[0], total.high + ends[1])
            found.append(("signal", Width(*ends)))
        sums[port] = total
        shares[port] = tuple(sorted(found, key=lambda it: it[1].low - it[1].high))
    return Arriving(sums, shares)
