"""A finished placement counted again, from the chip's limits alone: what is wrong with it, in words.

Nothing here is shared with the code that places. Each synapse is looked up on the neurocore of its target,
the lists are sorted together, and their words are added up block by block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import ChipProgram, ProjectionCode
from compiler.ir.partitioned import Neurocore, Partition
from hw_models.chips.chip import Chip
from hw_models.program.serialise import program_sha256
from hw_models.synapses.memory import SynapseFormat

Indices = NDArray[np.int64]


def placement_faults(placed: Partition) -> list[str]:
    """Everything that a placement gets wrong; empty for a sound one."""
    home, faults = _homes(placed)
    if faults:
        return faults  # nothing else can be counted
    return [*_sharing(placed), *_tiles(placed), *_counts(placed, home)]


def _homes(placed: Partition) -> tuple[dict[str, Indices], list[str]]:
    """(the neurocore of each neuron of each population, -1 for none; neurons that are not on exactly one)."""
    home = {p.name: np.full(p.size, -1, dtype=np.int64) for p in placed.code.populations}
    faults = []
    for number, core in enumerate(placed.cores):
        if core.number != number:
            faults.append(f"neurocore {number} is numbered {core.number}")
        for piece in core.pieces:
            if piece.population not in home:
                faults.append(f"neurocore {number} holds the unknown population {piece.population}")
                continue
            where = home[piece.population]
            for neuron in piece.neurons.tolist():
                if not 0 <= neuron < where.size:
                    faults.append(f"neurocore {number} holds neuron {neuron} of {piece.population}")
                elif where[neuron] >= 0:
                    faults.append(f"neuron {neuron} of {piece.population} lies on two neurocores")
                else:
                    where[neuron] = number
    for population in placed.code.populations:
        lost = np.flatnonzero(home[population.name] < 0)
        if population.is_source and lost.size < population.size:
            faults.append(f"the source {population.name} lies on a neurocore")
        elif not population.is_source and lost.size:
            faults.append(f"neuron {lost[0]} of {population.name} lies on no neurocore")
    return home, faults


def _sharing(placed: Partition) -> Iterator[str]:
    """Neurocores with several programs or learning epochs, and pieces whose compartments do not follow."""
    most = max(1, placed.chip["neuron_programs"].value)
    for core in placed.cores:
        populations = [placed.code.population(piece.population) for piece in core.pieces]
        if len({program_sha256(it.program) for it in populations}) > most:
            yield f"neurocore {core.number} has more than {most} neuron programs"
        if len({it.gather_every for it in populations}) > 1:
            yield f"neurocore {core.number} has several learning epochs"
        free = 0
        for piece, it in zip(core.pieces, populations, strict=True):
            if piece.base != free:
                yield f"{it.name} begins at compartment {piece.base} of neurocore {core.number}, not {free}"
            free += len(piece.neurons) * max(1, len(it.ports))
            if sorted(piece.neurons.tolist()) != piece.neurons.tolist():
                yield f"the neurons of {it.name} on neurocore {core.number} are out of order"


def _tiles(placed: Partition) -> Iterator[str]:
    """Neurocores outside of the mesh, and tiles with too many."""
    chip = placed.chip
    chips = max(1, -(-len(placed.cores) // chip["neurocores"].value))
    columns, rows = chip["mesh_columns"].value * chips, chip["mesh_rows"].value
    for core in placed.cores:
        column, row = core.tile
        if not (0 <= column < columns and 0 <= row < rows):
            yield f"neurocore {core.number} lies at tile {column}, {row} of {columns} x {rows}"
    for tile, count in Counter(core.tile for core in placed.cores).items():
        if count > chip["tile_neurocores"].value:
            yield f"tile {tile[0]}, {tile[1]} has {count} neurocores"


def _counts(placed: Partition, home: dict[str, Indices]) -> Iterator[str]:
    """Uses that differ from what is counted here or exceed a limit, and formats that do not hold."""
    code, chip, fan_in = placed.code, placed.chip, _fan_in(placed.code)
    counted = [Counter[str]() for _ in placed.cores]
    formats: list[set[SynapseFormat]] = [set() for _ in placed.cores]
    expected: list[list[ProjectionCode]] = [[] for _ in placed.cores]
    for core in placed.cores:
        for piece in core.pieces:
            ports = len(code.population(piece.population).ports)
            counted[core.number]["compartments"] += len(piece.neurons) * max(1, ports)
    for projection in code.projections:
        source_home = home[projection.source]
        weights, longest = np.unique(projection.weights), int(projection.delays.max(initial=0))
        for number, sources, lengths in _lists(projection, home[projection.target], source_home.size):
            expected[number].append(projection)
            form = placed.cores[number].formats.get(projection.name)
            if form is None:
                yield f"neurocore {number} has no format for {projection.name}"
                continue
            formats[number].add(form)
            if not np.all(form.holds(weights)):
                yield f"{projection.name} on neurocore {number} has weights that its format cannot hold"
            if longest >= 2**form.delay_bits:
                yield f"{projection.name} on neurocore {number} has delays up to {longest} extra steps"
            yield from _format(projection, form, counted[number]["compartments"], number, chip)
            counted[number]["input_axons"] += sources.size
            stored = lengths if projection.kernel is None else _stored(placed, projection, number)
            counted[number]["synaptic_memory_bits"] += _bits(form, stored, chip)
            for sender, axons in Counter(source_home[sources].tolist()).items():
                if sender >= 0:
                    counted[sender]["output_axons"] += axons
    for core, counts, kinds, ends in zip(placed.cores, counted, formats, expected, strict=True):
        counts["synapse_formats"] = len(kinds)
        if set(core.formats) != {projection.name for projection in ends}:
            yield f"neurocore {core.number} lists formats of projections that do not end there"
        learns = [code.projection(name).learning is not None for name in core.formats]
        if sorted(learns) != learns:
            yield f"plastic lists stand before static ones on neurocore {core.number}"
        counts.update(_of_whole_core(chip, core, counts["compartments"], ends, fan_in))
        for limit in (
            "compartments", "synaptic_memory_bits", "input_axons", "output_axons", "synapse_formats",
            "fan_in", "delay_slots", "learning_rules", "trace_configurations",
        ):  # fmt: skip
            if counts[limit] != core.used.get(limit):
                yield f"neurocore {core.number} has {counts[limit]} {limit}, not {core.used.get(limit)}"
            if counts[limit] > chip[limit].value:
                yield f"neurocore {core.number} has {counts[limit]} {limit}, of {chip[limit].value}"


def _fan_in(code: ChipProgram) -> dict[str, Indices]:
    """The synapses onto each neuron of each population, at that of its ports which has most."""
    found = {}
    for population in code.populations:
        onto = {port: np.zeros(population.size, dtype=np.int64) for port in population.ports}
        for projection in code.projections:
            if projection.target == population.name and projection.dense:
                onto[projection.port] += code.population(projection.source).size
            elif projection.target == population.name:
                np.add.at(onto[projection.port], projection.post, 1)
        found[population.name] = np.array([*onto.values(), np.zeros(population.size)], dtype=np.int64).max(
            axis=0
        )
    return found


def _of_whole_core(
    chip: Chip, core: Neurocore, compartments: int, ends: list[ProjectionCode], fan_in: dict[str, Indices]
) -> dict[str, int]:
    """What a neurocore has once for all that lies there, from the projections that end on it."""
    synapses = [fan_in[piece.population][piece.neurons].max(initial=0) for piece in core.pieces]
    rules, traces, slots = set(), set(), 1
    for it in ends:
        changes = {} if it.learning is None else it.learning.rules
        field = chip["delay_bits"].value if "dd" in changes else 0
        while 2**field <= int(it.delays.max(initial=0)):
            field += 1
        slots = max(slots, 2**field)
        if it.learning is not None:
            rules.add((frozenset(changes.items()), it.learning.every, it.learning.rounding))
            traces |= {(x.impulse, x.tau) for x in it.learning.traces if x.name in ("x1", "x2")}
    return {
        "fan_in": int(max(synapses, default=0)),
        "delay_slots": compartments * slots,
        "learning_rules": len(rules),
        "trace_configurations": len(traces),
    }


def _lists(projection: ProjectionCode, home: Indices, sources: int) -> Iterator[tuple[int, Indices, Indices]]:
    """(neurocore, source neurons that have a list there, the lengths of those lists)."""
    if projection.dense:
        for number, here in sorted(Counter(home.tolist()).items()):
            if sources:
                yield number, np.arange(sources), np.full(sources, here)
        return
    keys, lengths = np.unique(home[projection.post] * sources + projection.pre, return_counts=True)
    cores = keys // max(1, sources)
    # The keys rise, and so do the neurocores.
    numbers, first = np.unique(cores, return_index=True)
    for number, start, stop in zip(numbers.tolist(), first, [*first[1:], keys.size], strict=True):
        yield number, keys[start:stop] % sources, lengths[start:stop]


def _stored(placed: Partition, projection: ProjectionCode, number: int) -> Indices:
    """The lengths of the lists of shared weights that a neurocore has to store, found list by list.

    A list serves another neuron whose synapses have the same weights and delays, all at the same distance
    from its own, which is at least 0 and at most the chip's greatest base.
    """
    piece = next(it for it in placed.cores[number].pieces if it.population == projection.target)
    place = {neuron: k for k, neuron in enumerate(piece.neurons.tolist())}
    lists: dict[int, list[tuple[int, int, int]]] = {}
    ends = zip(projection.pre.tolist(), projection.post.tolist(), strict=True)
    weights, delays = projection.weights.tolist(), projection.delays.tolist()
    for (pre, post), weight, delay in zip(ends, weights, delays, strict=True):
        if post in place:
            lists.setdefault(pre, []).append((place[post], weight, delay))
    found = [sorted(it) for it in lists.values()]
    kept: dict[tuple[tuple[int, int, int], ...], int] = {}
    lengths = []
    for it in sorted(found, key=lambda it: it[0][0]):
        first = it[0][0]
        shape = tuple((index - first, weight, delay) for index, weight, delay in it)
        if shape not in kept or first - kept[shape] > placed.chip["axon_base"].value:
            kept[shape] = first
            lengths.append(len(it))
    return np.array(lengths, dtype=np.int64)


def _bits(form: SynapseFormat, lengths: Indices, chip: Chip) -> int:
    """Bits of lists of these lengths, block by block: a header, the synapses, up to the end of a word."""
    word, header = chip["word_bits"].value, chip["format_bits"].value + chip["count_bits"].value
    block = 2 ** chip["count_bits"].value
    synapse = form.index_bits + form.weight_bits + form.delay_bits + form.tag_bits
    total = 0
    for length, lists in Counter(lengths.tolist()).items():
        left = length
        while left > 0:
            bits = header + min(left, block) * synapse
            total += lists * ((bits + word - 1) // word) * word
            left -= block
    return total


def _format(
    projection: ProjectionCode, form: SynapseFormat, compartments: int, number: int, chip: Chip
) -> Iterator[str]:
    """Whether a format has widths that the chip offers and that hold the synapses of a projection."""
    where = f"{projection.name} on neurocore {number}"
    if form.dense != projection.dense or form.sign != projection.sign_mode:
        yield f"{where} is {form.sign} and {'dense' if form.dense else 'sparse'}"
    if form.weight_exp != projection.weight_exp:
        yield f"{where} counts its weights at 2^{form.weight_exp}, not 2^{projection.weight_exp}"
    if not form.dense and (
        form.index_bits not in chip["index_bits"].values or 2**form.index_bits < compartments
    ):
        yield f"{where} has {form.index_bits} index bits for {compartments} compartments"
    plastic = projection.learning is not None
    offered = chip["learning_weight_bits"].values if plastic else chip["weight_bits"].values
    if form.weight_bits not in offered:
        yield f"{where} has {form.weight_bits} weight bits"
    if form.delay_bits > chip["delay_bits"].value:
        yield f"{where} has {form.delay_bits} delay bits"
    if projection.learning is not None:
        wanted = chip["tag_bits"].value if "dt" in projection.learning.rules else 0
        if form.tag_bits != wanted:
            yield f"{where} has {form.tag_bits} tag bits, not {wanted}"
