"""The arrays that a run works on: every state of every neuron, synapse and message in flight.

All of them together are the complete state: with them and the clock a run goes on exactly where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.layout import X_TRACES, Layout, has_own_delays
from burstchip.backends.sim.learning_source import ChipLearning
from compiler.ir.chip_program import (
    FACTORS,
    LearningCode,
    PopulationCode,
    ProjectionCode,
)
from compiler.ir.signals import Constant, Host, Streamed, Waveform, Written, course
from hw_models.plasticity.carry import STORED_RANGE
from hw_models.plasticity.draws import counter_draws
from hw_models.plasticity.engine_numpy import WEIGHT_RANGES
from hw_models.plasticity.lava_draws import lava_draws
from hw_models.plasticity.traces import THIRD_FACTOR_LIMIT, spike_trace, third_factor

Arrays = dict[str, NDArray[Any]]

#: Bytes of a cache line, and of the part of memory that caches keep lines apart by.
_LINE = 64
_PAGE = 4096
#: Bytes from which on an array stays where it is, so that it is not held twice.
_LARGE = 1 << 20


def placed(arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Copies of all but large ones in one block, so that vectors of 512 bits lie in one cache line each.

    Each array begins an odd number of lines after the one before: a loop over many of the same length would
    otherwise find all of its vectors in the same two sets of the first cache.
    """
    found: Arrays = dict(arrays)
    lines = {name: -(-it.nbytes // _LINE) | 1 for name, it in arrays.items() if it.nbytes < _LARGE}
    block = np.zeros(sum(lines.values()) * _LINE + _PAGE, dtype=np.uint8)
    begin = -block.ctypes.data % _PAGE
    for name, length in lines.items():
        array = arrays[name]
        found[name] = block[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
        found[name][...] = array
        begin += length * _LINE
    return found


def initial_states(population: PopulationCode, number_type: str) -> Arrays:
    """Each state variable of a population at the start."""
    starts = population.starts(real=number_type != "int32")
    return {
        name: np.broadcast_to(np.asarray(starts[name]), (population.size,)).astype(number_type)
        for name in population.program.states
    }


def source_major(projection: ProjectionCode, values: NDArray[Any]) -> NDArray[Any]:
    """A copy, (post, pre) to (pre, post) where dense; a sparse list is sorted by source already."""
    return np.array(values.T, order="C") if projection.dense else values.copy()


def _weights(index: int, projection: ProjectionCode, layout: Layout, arrays: Arrays) -> None:
    if layout.variant.real:
        stored = source_major(projection, projection.exact / projection.unit)
    else:
        stored = source_major(projection, projection.weights)
    held = stored if layout.is_plastic(projection) else projection.forward(stored)
    arrays[f"w_{index}"] = held.astype(layout.weight_type, copy=False)
    if layout.is_chip(projection):
        assert projection.learning is not None
        for name in ("t", "d"):
            shape = stored.shape if projection.learning.rule.touches(name) else (0,) * stored.ndim
            arrays[f"{name}_{index}"] = np.zeros(shape, dtype=layout.weight_type)
        arrays[f"lowest_{index}"] = np.zeros(layout.code.population(projection.source).size, dtype=np.int16)


def _traces(index: int, projection: ProjectionCode, layout: Layout, arrays: Arrays) -> None:
    """Traces of both sides: what is stored between epochs, noted places, and the history of an epoch."""
    assert projection.learning is not None
    chip = ChipLearning(index, projection, projection.learning)
    real = layout.variant.real
    number_type = np.float64 if real else np.int32
    by_name = {trace.name: trace for trace in projection.learning.traces}
    for side, names, population in (("x", X_TRACES, projection.source), ("y", FACTORS, projection.target)):
        size = layout.code.population(population).size
        if side == "y" and chip.third_factors:
            traces = [third_factor()] * len(names)
            # Where nothing is rounded nothing leaks.
            reals = [(1.0, 0.0)] * len(names)
        else:
            used = [by_name.get(name) for name in names]
            traces = [spike_trace(t.tau, t.impulse) if t else spike_trace(0, 0) for t in used]
            reals = [(t.real_kept, t.real_increment) if t else (0.0, 0.0) for t in used]
        arrays[f"stored_{side}_{index}"] = np.zeros((len(names), size), dtype=number_type)
        arrays[f"noted_{side}_{index}"] = np.zeros(size, dtype=np.int32)
        arrays[f"history_{side}_{index}"] = np.zeros((chip.places, len(names), size), dtype=number_type)
        exact = np.array(reals)
        floors = exact[:, :1].copy() if real else np.array([t.floors for t in traces])
        arrays[f"floors_{side}_{index}"] = floors
        arrays[f"thresholds_{side}_{index}"] = np.array([t.thresholds for t in traces])
        impulses = np.array([[t.impulse, t.fraction] for t in traces], dtype=np.int64)
        arrays[f"impulses_{side}_{index}"] = exact[:, 1:].copy() if real else impulses


def signal_values(layout: Layout, host: Host) -> Arrays:
    """What signals with one value for each neuron are at the start of a call, and room for what is listed.

    None of it is state: what a waveform or a stream is comes with every call.
    """
    values: Arrays = {}
    for number, population in enumerate(layout.code.populations):
        parameters = population.numbers(real=layout.variant.real)
        for name, signal in population.signals.items():
            if layout.has_values(number, name):
                value: Any = 0
                if isinstance(signal, Constant) and isinstance(signal.value, str):
                    value = parameters[signal.value]
                elif isinstance(signal, Written):
                    value = host.written.get(signal.name, signal.start)
                filled = np.broadcast_to(np.asarray(value), (population.size,)).astype(layout.number_type)
                values[f"x_{number}_{name}"] = filled
        if layout.lit_input(number):
            values[f"lit_{number}"] = np.zeros(population.size + 1, dtype=np.int32)
            values[f"lit_count_{number}"] = np.zeros(1, dtype=np.int64)
    return placed(values)


def periodic_flags(layout: Layout, begin: int, steps: int) -> NDArray[np.uint8]:
    """Each of `layout.flags` in each of `steps` steps from `begin` on, [step, flag]."""
    found = np.zeros((steps, len(layout.flags)), dtype=np.uint8)
    for k, (signal, ahead) in enumerate(layout.flags):
        place = np.arange(begin, begin + steps) + (layout.code.lead if ahead else 0)
        place = place % signal.period if signal.period else place
        found[:, k] = (place >= signal.first) & (place < signal.last)
    return found


def signal_courses(layout: Layout, host: Host, begin: int, steps: int) -> Arrays:
    """The rows of all waveforms and streams, and which of them each of `steps` steps from `begin` on has."""
    found: Arrays = {}
    for number, population in enumerate(layout.code.populations):
        first = begin + (layout.code.lead if population.is_source else 0)
        for name, signal in layout.signals(number).items():
            if isinstance(signal, Waveform | Streamed):
                played = course(signal, first, steps, host, real=layout.variant.real)
                rows = np.asarray(played.rows, dtype=layout.number_type)
                found[f"rows_{number}_{name}"] = np.ascontiguousarray(
                    rows[:, np.newaxis] if rows.ndim == 1 else rows
                )
                found[f"index_{number}_{name}"] = played.index
                found[f"at_{number}_{name}"] = np.full(1, -1, dtype=np.int64)
    return found


def _reached(projection: ProjectionCode, size: int) -> NDArray[np.int32]:
    """Where each synapse adds, from the slot of the step on, in a ring of sums laid out flat."""
    delays = projection.delays.astype(np.int64)
    post = np.arange(len(delays)) % size if projection.dense else projection.post
    # Twice round the ring is still an index of 32 bits.
    assert (delays.max() + 2) * size < 1 << 31, "the ring of sums has 2^31 entries"
    return (delays * size + post).astype(np.int32)


def trace_draws(layout: Layout, seed: int, first_step: int, steps: int) -> Arrays:
    """The draws of all chip traces for some steps, from Lava's generators or from the counter-based one.

    `first_step` is a clock, from -lead_in on; it counts Lava's steps from the lead-in's first.
    """
    drawn: Arrays = {}
    for index, projection in enumerate(layout.code.projections):
        learning = projection.learning
        if learning is None or not layout.is_chip(projection):
            continue
        own = learning.seed_in(seed)
        if learning.rounding == "lava":
            lava = lava_draws(own, first_step + layout.lead_in, steps, learning.every)
            traces = lava.traces
            drawn[f"rounding_{index}"] = lava.rounding
        else:
            traces = counter_draws(own, learning.trace_stream, first_step, steps, learning.every)
        for name in ("x_decay", "x_impulse", "y_decay", "y_impulse", "y_second"):
            drawn[f"{name}_{index}"] = getattr(traces, name)
    return drawn


def allocate(layout: Layout) -> Arrays:
    """Every array of a program at the start of time."""
    real, number_type = layout.variant.real, layout.number_type
    arrays: Arrays = {}
    for number, population in enumerate(layout.code.populations):
        for name, values in initial_states(population, number_type).items():
            arrays[f"s_{number}_{name}"] = values
        for output in layout.programs[number].output:
            arrays[f"o_{number}_{output}"] = np.zeros(population.size, dtype=number_type)
        parameters = population.numbers(real=real)
        for name, value in parameters.items():
            if np.ndim(value) == 1:
                arrays[f"p_{number}_{name}"] = np.asarray(value, dtype=number_type)
        if population.spikes is not None:
            # An event is a message of 1.
            ones = np.ones((len(population.spikes), 1), dtype=np.int64)
            arrays[f"spikes_{number}"] = np.hstack([population.spikes, ones])[:, :3].copy()
            arrays[f"at_{number}"] = np.zeros(1, dtype=np.int64)
    for number, output in layout.senders:
        arrays[f"e_{number}_{output}"] = np.zeros(layout.code.populations[number].size + 1, dtype=np.int32)
        arrays[f"c_{number}_{output}"] = np.zeros(1, dtype=np.int64)
    for number, port in layout.ports:
        size = layout.code.populations[number].size
        arrays[f"a_{number}_{port}"] = np.zeros((layout.depth(number, port), size), dtype=number_type)
    for index, projection in enumerate(layout.code.projections):
        _weights(index, projection, layout, arrays)
        target = layout.numbers[projection.target]
        source_size = layout.code.populations[layout.numbers[projection.source]].size
        if layout.floors(projection):
            depth = layout.depth(target, projection.port)
            if layout.floors_each_delay(projection):
                depth = 1 + int(projection.delays.max())
            arrays[f"b_{index}"] = np.zeros((depth, layout.code.populations[target].size), dtype=number_type)
        if not projection.dense:
            counts = np.bincount(projection.pre, minlength=source_size)
            arrays[f"indptr_{index}"] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
            arrays[f"post_{index}"] = projection.post
        if has_own_delays(projection):
            arrays[f"reach_{index}"] = _reached(projection, layout.code.populations[target].size)
        if layout.is_carry(projection):
            arrays[f"x1_{index}"] = np.zeros(source_size, dtype=np.float64 if real else np.int32)
        elif layout.is_chip(projection):
            _traces(index, projection, layout, arrays)
    counters = len(layout.code.populations)
    arrays["event_totals"] = np.zeros((counters, 2), dtype=np.int64)
    arrays["clipped_inputs"] = np.zeros(counters, dtype=np.int64)
    arrays["synaptic_events"] = np.zeros(len(layout.code.projections), dtype=np.int64)
    return placed(arrays)


#: Arrays of `allocate` that a run never changes, by the first part of their names.
_FIXED = ("indptr", "post", "reach", "p", "spikes", "floors", "thresholds", "impulses")


def unsound(layout: Layout, arrays: Mapping[str, NDArray[Any]], own: Mapping[str, NDArray[Any]]) -> str:
    """The name of an array that no run of the program has, or "": compiled code indexes memory with these.

    `own` are those of a run of the program, with the same names, types and shapes.
    """
    for name, array in arrays.items():
        kind, _, rest = name.partition("_")
        low: int | None
        high: int | None
        if kind in _FIXED:
            if not np.array_equal(array, own[name]):
                return name
            continue
        if kind == "e":
            # A list of neurons, with a place more than there are.
            low, high = 0, len(array) - 1
        elif kind == "c":
            low, high = 0, len(own[f"e_{rest}"]) - 1
        elif kind == "at":
            low, high = 0, len(own[f"spikes_{rest}"])
        elif kind == "noted":
            learning = layout.code.projections[int(rest.rpartition("_")[2])].learning
            assert learning is not None
            low, high = 0, learning.every
        elif kind == "s" and not layout.variant.real:
            number, _, state = rest.partition("_")
            width = layout.programs[int(number)].states[state]
            low, high = width.low, width.high
        else:
            continue
        if np.any((array < low) | (array > high)):
            return name
    return ""


def _exact_learning(index: int, projection: ProjectionCode, learning: LearningCode) -> Mapping[str, float]:
    """What `reference` learns with: the bounds of a stored weight, and the carry form's rate and trace."""
    carry = learning.form == "carry"
    held = STORED_RANGE if carry else WEIGHT_RANGES[ChipLearning(index, projection, learning).sign_mode]
    low, high = (float(bound) for bound in held)
    if projection.limit is not None:
        most = projection.limit / projection.unit
        low, high = (-most if low < 0 else low), (most if high > 0 else high)
    values = {f"low_{index}": low, f"high_{index}": high}
    if carry:
        (trace,) = learning.traces
        values |= {f"kept_{index}": trace.real_kept, f"increment_{index}": trace.real_increment}
        values[f"shift_{index}"] = learning.real_shift
    return values


def scalars(layout: Layout) -> Mapping[str, Any]:
    """Sizes and parameters that are one number for a whole population."""
    number_type = np.float64 if layout.variant.real else np.int64
    values: dict[str, Any] = {}
    for number, population in enumerate(layout.code.populations):
        values[f"n_{number}"] = population.size
        for name, value in population.numbers(real=layout.variant.real).items():
            if np.ndim(value) == 0:
                values[f"p_{number}_{name}"] = number_type(value)
    for index, projection in enumerate(layout.code.projections):
        values[f"scale_{index}"] = 2.0**projection.weight_exp
        if layout.is_chip(projection) and projection.learning is not None:
            third = ChipLearning(index, projection, projection.learning).third_factors
            values[f"lowest_x_{index}"] = 0
            values[f"lowest_y_{index}"] = -THIRD_FACTOR_LIMIT if third else 0
        if layout.variant.real and projection.learning is not None:
            values |= _exact_learning(index, projection, projection.learning)
            if layout.is_chip(projection):
                gains = projection.learning.gains or [it.gain for it in projection.learning.rule.products]
                values |= {f"gain_{index}_{number}": gain for number, gain in enumerate(gains)}
    return values
