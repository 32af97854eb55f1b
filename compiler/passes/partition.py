"""partition: populations to neurocores, within every limit of the chip. ChipProgram in, Partition out.

Each population starts a neurocore of its own; its neurons go, in order, onto as few as hold them. Synapses
lie on the neurocore of their target neuron: each source neuron of each projection that has any there takes
one input axon and one list of synapses. A source neuron takes one output axon for each such list. Sources
stay with the host, which injects their messages.

A neuron counts as many compartments as it has ports. Inside a neurocore the compartments are numbered port
by port, so that a dense projection ends on consecutive ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import ChipProgram, PopulationCode, ProjectionCode
from compiler.ir.partitioned import LIMITS, Neurocore, Partition
from compiler.passes.deployable import not_deployable, stored_lists, synapse_format
from hw_models.chips.chip import Chip, Fact
from hw_models.chips.chip import chip as chip_of
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.synapses.memory import SynapseFormat, list_words

register_codes({"BC350": "a neuron or a population that no neurocore holds"})

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Ends:
    """The synapses of a projection as pairs, sorted by target neuron; all pairs where it is dense.

    `order[k]` is the place of pair k among the synapses in order of (pre, post).
    """

    pre: Indices
    post: Indices
    order: Indices

    def onto(self, first: int, last: int) -> slice:
        """The pairs whose target is one of the neurons first..last - 1."""
        start, stop = np.searchsorted(self.post, (first, last))
        return slice(int(start), int(stop))

    def by_source(self, part: slice) -> tuple[Indices, Indices, Indices, Indices]:
        """(synapses of each source, that neuron, target neurons, places) of `part`, source by source."""
        by_source = np.argsort(self.pre[part], kind="stable")
        sources, lengths = np.unique(self.pre[part], return_counts=True)
        return lengths.astype(np.int64), sources, self.post[part][by_source], self.order[part][by_source]


def ends(projection: ProjectionCode) -> Ends:
    """The pairs of neurons that a projection joins."""
    if projection.dense:
        n_post, n_pre = projection.weights.shape
        post, pre = np.divmod(np.arange(n_pre * n_post), n_pre)
        return Ends(pre, post, pre * n_post + post)
    order = np.argsort(projection.post, kind="stable")
    return Ends(projection.pre[order].astype(np.int64), projection.post[order].astype(np.int64), order)


@dataclass(frozen=True)
class _Target:
    """A population that receives: its projections, and what its neurons use of a neurocore."""

    population: PopulationCode
    projections: tuple[ProjectionCode, ...]
    ends: Mapping[str, Ends]
    sizes: Mapping[str, int]
    chip: Chip

    def formats(self, first: int, last: int) -> dict[str, SynapseFormat]:
        """Formats of the projections with synapses onto these neurons."""
        compartments = self.compartments(first, last)
        return {
            projection.name: synapse_format(projection, compartments, self.chip)
            for projection in self.projections
            if (pairs := self.ends[projection.name].onto(first, last)).stop > pairs.start
        }

    def compartments(self, first: int, last: int) -> int:
        return (last - first) * max(1, len(self.population.ports))

    def used(self, first: int, last: int) -> dict[str, int]:
        """What these neurons use of each limit, output axons aside, which depend on all neurocores."""
        words = axons = 0
        formats = self.formats(first, last)
        projections = {projection.name: projection for projection in self.projections}
        for name, form in formats.items():
            pairs = self.ends[name]
            lengths = np.bincount(pairs.pre[pairs.onto(first, last)], minlength=self.sizes[name])
            axons += int(np.count_nonzero(lengths))
            if projections[name].kernel is not None:
                lengths = self._shared_lengths(projections[name], first, last)
            words += int(list_words(form.synapse_bits, lengths).sum())
        return {
            "compartments": self.compartments(first, last),
            "synaptic_memory_bits": words * self.chip["word_bits"].value,
            "input_axons": axons,
            "synapse_formats": len(set(formats.values())),
        }

    def _shared_lengths(self, projection: ProjectionCode, first: int, last: int) -> Indices:
        """The lengths of the lists that are stored, where several axons share one."""
        pairs = self.ends[projection.name]
        lengths, _, post, order = pairs.by_source(pairs.onto(first, last))
        return stored_lists(projection, lengths, post - first, order, self.chip).stored.lengths

    def excess(self, first: int, last: int) -> Fact | None:
        """A limit that these neurons together exceed."""
        if self.compartments(first, last) > self.chip["compartments"].value:
            return self.chip["compartments"]  # reported first: it does not depend on the synapses
        used = self.used(first, last)
        return next((self.chip[name] for name in used if used[name] > self.chip[name].value), None)

    def ranges(self) -> Iterator[tuple[int, int]]:
        """The neurons of each neurocore. Raises `BurstchipError` BC350."""
        first, size = 0, self.population.size
        while first < size:
            fact = self.excess(first, first + 1)
            if fact is not None:
                raise _does_not_fit(self.population.name, first, fact, self.used(first, first + 1))
            # What neurons use grows with their number: doubled until it is too much, then found by halving.
            fits, too_many = first + 1, first + 2
            while too_many <= size and self.excess(first, too_many) is None:
                fits, too_many = too_many, first + 2 * (too_many - first)
            too_many = min(too_many, size + 1)
            while too_many - fits > 1:
                middle = (fits + too_many) // 2
                fits, too_many = (middle, too_many) if self.excess(first, middle) is None else (fits, middle)
            yield first, fits
            first = fits


def _does_not_fit(population: str, neuron: int, fact: Fact, used: Mapping[str, int]) -> BurstchipError:
    return BurstchipError(
        Diagnostic(
            "BC350",
            f"neuron {neuron} of '{population}' exceeds the limits of a neurocore",
            required=str(fact),
            given=f"{used[fact.name]:,}",
            hint="fewer synapses or smaller populations",
        )
    )


def _targets(code: ChipProgram, chip: Chip) -> Iterator[_Target]:
    sizes = {population.name: population.size for population in code.populations}
    for population in code.populations:
        if population.is_source:
            continue
        # Learning axons must follow the others on a neurocore.
        projections = [p for p in code.projections if p.target == population.name]
        projections.sort(key=lambda projection: projection.learning is not None)
        yield _Target(
            population,
            tuple(projections),
            {p.name: ends(p) for p in projections},
            {p.name: sizes[p.source] for p in projections},
            chip,
        )


def _output_axons(
    code: ChipProgram, targets: Mapping[str, _Target], ranges: Mapping[str, list[tuple[int, int]]]
) -> dict[str, Indices]:
    """How many output axons each neuron of each population takes."""
    axons = {population.name: np.zeros(population.size, dtype=np.int64) for population in code.populations}
    for projection in code.projections:
        pairs = targets[projection.target].ends[projection.name]
        for first, last in ranges[projection.target]:
            axons[projection.source][np.unique(pairs.pre[pairs.onto(first, last)])] += 1
    return axons


def partition(code: ChipProgram, chip: Chip | None = None) -> Partition:
    """The neurocores of a program on its target, or on another chip.

    Raises `BurstchipError`: BC351 to BC353 for what the chip does not have, BC350 where a neuron alone
    exceeds a limit; each names the limit and its source.
    """
    chip = chip_of(code.target) if chip is None else chip
    problems = list(not_deployable(code, chip))
    if problems:
        raise BurstchipError(problems)
    targets = {target.population.name: target for target in _targets(code, chip)}
    ranges = {name: list(target.ranges()) for name, target in targets.items()}
    limit = chip["output_axons"]
    while True:
        axons = _output_axons(code, targets, ranges)
        crowded = [
            (name, first, last)
            for name, found in ranges.items()
            for first, last in found
            if axons[name][first:last].sum() > limit.value
        ]
        if not crowded:
            break
        for name, first, last in crowded:
            if last - first == 1:
                raise _does_not_fit(name, first, limit, {limit.name: int(axons[name][first])})
            # More neurocores take more output axons to reach, so all are counted again.
            place = ranges[name].index((first, last))
            middle = (first + last) // 2
            ranges[name][place : place + 1] = [(first, middle), (middle, last)]
    cores: list[Neurocore] = []
    for name, target in targets.items():
        for first, last in ranges[name]:
            used = target.used(first, last)
            used["output_axons"] = int(axons[name][first:last].sum())
            formats = target.formats(first, last)
            cores.append(
                Neurocore(len(cores), name, first, last, formats, {key: used[key] for key in LIMITS})
            )
    return Partition(code, chip, tuple(cores))
