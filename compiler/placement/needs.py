"""What neurons need of the neurocore that they share: a count of each limit, and how their synapses lie.

Neurons are numbered over all populations that are not sources, in the order of the program: neuron k of a
population is number first[population] + k.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import ChipProgram, LearningCode, PopulationCode, ProjectionCode
from compiler.ir.partitioned import LIMITS, Piece
from compiler.passes.deployable import stored_lists, synapse_format
from compiler.placement.incoming import Incoming, incoming
from hw_models.chips.chip import Chip, Fact
from hw_models.program.serialise import program_sha256
from hw_models.synapses.memory import SynapseFormat, list_words

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Needs:
    """Counts for sets of neurons of one program on one chip; `rates[population]` weights each neuron's axons.

    `kinds` has a number for each neuron: only neurons of one kind, which run one program and learn at one
    epoch, may share a neurocore. `fan_in` has for each neuron the synapses onto the port with most.
    """

    code: ChipProgram
    chip: Chip
    rates: Mapping[str, Indices]
    populations: tuple[PopulationCode, ...]
    first: Mapping[str, int]
    kinds: Indices
    into: Mapping[str, Incoming]
    projections: tuple[ProjectionCode, ...]
    fan_in: Indices
    _formats: dict[tuple[str, int], SynapseFormat] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many neurons there are."""
        return int(self.kinds.size)

    def pieces(self, neurons: Indices) -> tuple[Piece, ...]:
        """Neurons, given by their numbers in rising order, as pieces of their populations."""
        found, base = [], 0
        for population in self.populations:
            first = self.first[population.name]
            start, stop = np.searchsorted(neurons, (first, first + population.size))
            if stop > start:
                found.append(Piece(population.name, neurons[start:stop] - first, base))
                base += int(stop - start) * max(1, len(population.ports))
        return tuple(found)

    def compartments(self, pieces: tuple[Piece, ...]) -> int:
        """How many compartments pieces take."""
        return sum(p.neurons.size * max(1, len(self.code.population(p.population).ports)) for p in pieces)

    def lists(
        self, pieces: tuple[Piece, ...]
    ) -> Iterator[tuple[ProjectionCode, SynapseFormat, Indices, Indices]]:
        """Each projection that ends on pieces: its format, source neurons with synapses there, how many."""
        of = {piece.population: piece.neurons for piece in pieces}
        compartments = self.compartments(pieces)
        for projection in self.projections:
            if projection.target in of:
                heard, lengths = self.into[projection.name].heard(of[projection.target])
                if heard.size:
                    yield projection, self.format(projection, compartments), heard, lengths

    def format(self, projection: ProjectionCode, compartments: int) -> SynapseFormat:
        """How a projection's synapses lie on a neurocore with so many compartments."""
        width = self.chip.fit("index_bits", (compartments - 1).bit_length())
        assert width is not None, f"{compartments} compartments a neurocore"
        key = (projection.name, width)
        if key not in self._formats:
            self._formats[key] = synapse_format(projection, compartments, self.chip)
        return self._formats[key]

    def used(self, pieces: tuple[Piece, ...]) -> tuple[dict[str, int], dict[str, SynapseFormat], int]:
        """(use of each limit, output axons aside; the formats by projection; the words read in a step).

        The words that are read are those of each source neuron's list times its rate.
        """
        words = axons = load = 0
        formats: dict[str, SynapseFormat] = {}
        rules, traces = set(), set()
        for projection, form, heard, lengths in self.lists(pieces):
            formats[projection.name] = form
            sizes = list_words(form.synapse_bits, lengths)
            axons += heard.size
            words += int(sizes.sum()) if projection.kernel is None else self._shared(projection, form, pieces)
            load += int(sizes @ self.rates[projection.source][heard])
            if projection.learning is not None:
                rules.add(stored_rule(projection.learning))
                traces.update(stored_traces(projection.learning))
        compartments = self.compartments(pieces)
        counted = {
            "compartments": compartments,
            "synaptic_memory_bits": words * self.chip["word_bits"].value,
            "input_axons": axons,
            "output_axons": 0,
            "synapse_formats": len(set(formats.values())),
            "fan_in": max((self._most_into(piece) for piece in pieces), default=0),
            "delay_slots": compartments << max((it.delay_bits for it in formats.values()), default=0),
            "learning_rules": len(rules),
            "trace_configurations": len(traces),
        }
        return {name: counted[name] for name in LIMITS}, formats, load

    def _most_into(self, piece: Piece) -> int:
        return int(self.fan_in[self.first[piece.population] + piece.neurons].max(initial=0))

    def _shared(self, projection: ProjectionCode, form: SynapseFormat, pieces: tuple[Piece, ...]) -> int:
        """The words of the lists that are stored where several axons share one."""
        piece = next(piece for piece in pieces if piece.population == projection.target)
        lengths, _, post, order = self.into[projection.name].by_source(piece.neurons)
        stored = stored_lists(projection, lengths, piece.local(post), order, self.chip).stored
        return int(list_words(form.synapse_bits, stored.lengths).sum())

    def excess(self, neurons: Indices, most_read: int | None = None) -> Fact | None:
        """A limit that these neurons together exceed, output axons aside.

        With `most_read` also a load of more words; it is reported as the limit of synaptic memory.
        """
        pieces = self.pieces(neurons)
        if self.compartments(pieces) > self.chip["compartments"].value:
            return self.chip["compartments"]  # reported first: it does not depend on the synapses
        used, _, load = self.used(pieces)
        if most_read is not None and load > most_read:
            return self.chip["synaptic_memory_bits"]
        return next((self.chip[name] for name in LIMITS if used[name] > self.chip[name].value), None)

    def output_axons(self, parts: list[tuple[Piece, ...]]) -> dict[str, Indices]:
        """How many output axons each neuron of each population takes to reach these neurocores."""
        axons = {p.name: np.zeros(p.size, dtype=np.int64) for p in self.code.populations}
        for pieces in parts:
            for projection, _, heard, _ in self.lists(pieces):
                axons[projection.source][heard] += 1
        return axons


def stored_rule(learning: LearningCode) -> tuple[object, ...]:
    """What a neurocore stores of how synapses learn, their traces aside; projections that agree share it."""
    return tuple(sorted(learning.rules.items())), learning.every, learning.rounding


def stored_traces(learning: LearningCode) -> set[tuple[float, int]]:
    """The configurations of presynaptic traces: a time constant and an impulse each."""
    return {(trace.tau, trace.impulse) for trace in learning.traces if trace.name.startswith("x")}


def _fan_in(
    code: ChipProgram, populations: tuple[PopulationCode, ...], into: Mapping[str, Incoming]
) -> Indices:
    """For each neuron the synapses onto the port with most."""
    found = [np.zeros(0, dtype=np.int64)]
    for population in populations:
        ports = np.zeros((max(1, len(population.ports)), population.size), dtype=np.int64)
        for projection in code.projections:
            if projection.target == population.name:
                ports[list(population.ports).index(projection.port)] += into[projection.name].fan_in()
        found.append(ports.max(axis=0))
    return np.concatenate(found)


def needs(code: ChipProgram, chip: Chip, rates: Mapping[str, Indices] | None = None) -> Needs:
    """The counts of a program on a chip; without `rates` every neuron sends one message a step."""
    populations = tuple(p for p in code.populations if not p.is_source)
    sizes = [p.size for p in populations]
    first = dict(zip((p.name for p in populations), np.cumsum([0, *sizes])[:-1].tolist(), strict=True))
    keys = [(program_sha256(p.program), p.gather_every) for p in populations]
    numbers = list(dict.fromkeys(keys))
    kinds = np.repeat([numbers.index(key) for key in keys], sizes).astype(np.int64)
    place = {p.name: number for number, p in enumerate(populations)}
    # Learning axons must follow the others on a neurocore.
    ordered = sorted(code.projections, key=lambda p: (p.learning is not None, place[p.target]))
    uniform = {p.name: np.ones(p.size, dtype=np.int64) for p in code.populations}
    given = uniform if rates is None else {**uniform, **rates}
    into = incoming(code)
    fan_in = _fan_in(code, populations, into)
    return Needs(code, chip, given, populations, first, kinds, into, tuple(ordered), fan_in)
