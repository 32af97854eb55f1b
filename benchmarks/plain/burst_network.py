"""The training of a network input -> hidden -> readout by the burst rule, in plain numpy.

The same integers as the simulator's, in the same order: one array operation after the other for each step,
with the synapses of the events of a step summed by rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.plain.burst_units import BurstUnits
from benchmarks.plain.carry import CarrySynapses, Events
from benchmarks.plain.chip import ChipSynapses
from benchmarks.plain.integers import Bits, Integers, draws, index_bits, key, shifted
from burstchip.tasks.presentation import Pictures
from compiler.ir.chip_program import ChipProgram, PopulationCode, ProjectionCode, TaskCode

#: Encoded pictures count 2^-10 events a step.
_ENCODED = 1024
_NONE = np.empty(0, dtype=np.intp)


@dataclass
class _Source:
    """Evenly spaced events at rates given by a picture, from a random phase on."""

    code: PopulationCode
    places: Bits
    value: Integers
    phase: Integers

    def turn_to(self, image: NDArray[np.uint8], maximum: int, k: int) -> None:
        """Begin a picture."""
        most = self.code.parameters["max_value"]
        self.value = (image.astype(np.int64) * most + maximum // 2) // maximum
        self.phase = (draws(k, self.places) & np.uint32(_ENCODED - 1)).astype(np.int64)

    def emit(self) -> Events:
        """The pixels that emit an event in a step."""
        self.phase += self.value
        emitted = np.flatnonzero(self.phase >= _ENCODED)
        self.phase &= _ENCODED - 1
        return emitted


@dataclass
class PlainNetwork:
    """A network under training, and how many samples it has been shown."""

    code: ChipProgram
    task: TaskCode
    source: _Source
    hidden: BurstUnits
    readout: BurstUnits
    to_hidden: CarrySynapses | ChipSynapses
    to_readout: CarrySynapses | ChipSynapses
    feedback: Integers
    feedback_exponent: int
    #: Samples between two moves of the tags into the weights; 0 where the rule does that by itself.
    consolidate_every: int
    samples: int = 0
    #: What the source has emitted for the step to come: it is one ahead.
    emitted: Events = field(default_factory=lambda: _NONE)


def _synapses(seed: int, projection: ProjectionCode) -> CarrySynapses | ChipSynapses:
    assert projection.learning is not None
    form = CarrySynapses if projection.learning.form == "carry" else ChipSynapses
    return form(seed, projection)


def untrained(code: ChipProgram) -> PlainNetwork:
    """The network, before its first sample, of a program that is shaped as the templates are."""
    task = code.task
    assert task is not None
    populations = {population.name: population for population in code.populations}
    (hidden,) = (name for name in populations if name not in (task.input, task.readout))
    found = {(p.source, p.target): p for p in code.projections}
    assert found.keys() == {(task.input, hidden), (hidden, task.readout), (task.readout, hidden)}
    feedback, size = found[task.readout, hidden], populations[task.input].size
    none = np.zeros(size, dtype=np.int64)
    return PlainNetwork(
        code=code,
        task=task,
        source=_Source(populations[task.input], index_bits(size), none, none),
        hidden=BurstUnits(populations[hidden]),
        readout=BurstUnits(populations[task.readout]),
        to_hidden=_synapses(code.seed, found[task.input, hidden]),
        to_readout=_synapses(code.seed, found[hidden, task.readout]),
        feedback=np.ascontiguousarray(feedback.weights.T).astype(np.int64),
        feedback_exponent=feedback.weight_exp,
        consolidate_every=max(p.learning.consolidate_every for p in code.projections if p.learning),
    )


def _source_step(network: PlainNetwork, pictures: Pictures, sample: int, clock: int) -> None:
    """Let the source emit for step `clock`, which shows picture number `sample`."""
    source = network.source
    if clock % network.task.present == 0:
        k = key(network.code.seed, source.code.stream, clock)
        source.turn_to(pictures.images[sample], pictures.maximum, k)
    network.emitted = source.emit()


def show(network: PlainNetwork, pictures: Pictures, sample: int, following: int) -> int:
    """Present one sample, learning from it; the class read out. The source ends with `following` begun."""
    code, task, hidden, readout = network.code, network.task, network.hidden, network.readout
    first = network.samples * task.present
    if network.samples == 0:
        _source_step(network, pictures, sample, 0)
        # The chip form's epoch before clock 0, in whose last step the source emits.
        network.to_hidden.end_step(-1, network.emitted, None, 0)
        network.to_readout.end_step(-1, _NONE, None, 0)
    label = np.arange(readout.code.size) == pictures.labels[sample]
    lesson = np.where(label, readout.p["teacher_on"], readout.p["teacher_off"])
    layers = ((hidden, network.to_hidden), (readout, network.to_readout))
    for units, synapses in layers:
        units.begin_sample()
        synapses.begin_sample()
    hidden_events, error = _NONE, None
    network.samples += 1
    for n in range(first, first + task.present):
        last = n == first + task.present - 1
        plastic = n - first >= task.teach_after
        a_hidden = network.to_hidden.arrive(network.emitted)
        a_readout = network.to_readout.arrive(hidden_events)
        a_dendrite = 0 if error is None else shifted(error @ network.feedback, network.feedback_exponent)
        for units, synapses in layers:
            if n % synapses.every == 0:
                units.forget()
        keys = [key(code.seed, units.code.stream, n) for units, _ in layers]
        event, _ = hidden.step(a_hidden, a_dendrite, 0, plastic, keys[0])
        _, error = readout.step(a_readout, 0, lesson, plastic, keys[1])
        # What would arrive after the sample is dropped.
        hidden_events = _NONE if last else np.flatnonzero(event)
        _source_step(network, pictures, following if last else sample, n + 1)
        every = network.consolidate_every
        consolidates = last and every > 0 and network.samples % every == 0
        for (units, synapses), k, emitted in zip(layers, keys, (network.emitted, hidden_events), strict=True):
            y1 = None
            if plastic and (n + 1) % synapses.every == 0:
                y1 = units.gathered if synapses.learning.form == "carry" else units.third_factor(k)
            synapses.end_step(n, emitted, y1, units.consolidate if consolidates else 0)
    return int(np.argmax((readout.count << 20) + readout.v + (1 << 19)))
