"""What would be sent: an image of each neurocore and one of the host, as integers and tables of names.

`build_images` is a pure function. `docs/deployment.md` describes each tensor and table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.loihi2.folder_schema import HOST
from burstchip.backends.loihi2.microcode import learning_entry
from compiler.ir.chip_program import ChipProgram, PopulationCode, ProjectionCode
from compiler.ir.partitioned import Neurocore, Partition, Piece
from compiler.placement.incoming import Incoming, incoming, ranges
from hw_models.chips.chip import Chip
from hw_models.program.serialise import program_sha256
from hw_models.synapses.memory import Lists, SynapseFormat, pack
from hw_models.synapses.shared import share

Tensors = dict[str, NDArray[Any]]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Image:
    """Integers by name, and a table that says what they are; `core` is `HOST` for the host's."""

    core: int
    tensors: Mapping[str, NDArray[Any]]
    table: Mapping[str, Any]


@dataclass(frozen=True)
class Images:
    """All images: one of each neurocore in order, then the host's."""

    cores: tuple[Image, ...]
    host: Image


def neuron_values(population: PopulationCode) -> dict[str, int | NDArray[np.int64]]:
    """What is sent of each neuron: its parameters, and as `start.NAME` the states that it does not start with
    as its program says."""
    starts = {f"start.{name}": value for name, value in population.initial.items()}
    return dict(sorted({**population.parameters, **starts}.items()))


def _parameters(population: PopulationCode, neurons: Indices) -> Tensors:
    return {
        f"neurons.{name}": np.broadcast_to(np.asarray(value, dtype=np.int64), population.size)[neurons]
        for name, value in neuron_values(population).items()
    }


def _neurons(population: PopulationCode) -> dict[str, Any]:
    """What all neurons of a population share."""
    return {
        "population": population.name,
        "model": population.model,
        "program_sha256": program_sha256(population.program),
        "outputs": list(population.program.outputs),
        "stream": population.stream,
        "gather_every": population.gather_every,
    }


def _lists(projection: ProjectionCode, into: Incoming, piece: Piece, base: int) -> tuple[Lists, Indices]:
    """(lists of the synapses onto a piece, the source neuron of each)."""
    lengths, sources, post, order = into.by_source(piece.neurons)
    weights = projection.weights.T if projection.dense else projection.weights
    local = piece.local(post)
    lists = Lists(
        lengths=lengths,
        # A dense list has no index: its axon has the base.
        index=local if projection.dense else local + base,
        weight=weights.reshape(-1)[order].astype(np.int64),
        delay=projection.delays[order].astype(np.int64),
        tag=np.zeros(order.size, dtype=np.int64),
    )
    return lists, sources


@dataclass(frozen=True)
class _Wires:
    """The output axons of every sender, gathered while the neurocores are built."""

    rows: dict[str, list[Indices]]

    def add(self, projection: ProjectionCode, output: int, core: int, sources: Indices, axon: int) -> None:
        axons = axon + np.arange(sources.size)
        columns = (sources, np.full_like(sources, output), np.full_like(sources, core), axons)
        self.rows.setdefault(projection.source, []).append(np.stack(columns, axis=1))

    def sorted(self) -> dict[str, Indices]:
        """The rows of each population that sends, in order of neuron, neurocore and axon."""
        whole = {name: np.concatenate(rows) for name, rows in self.rows.items()}
        return {name: rows[np.lexsort((rows[:, 3], rows[:, 2], rows[:, 0]))] for name, rows in whole.items()}


def _output_axons(wires: Mapping[str, Indices], population: str, neurons: Indices) -> Indices:
    """Rows of these neurons, in rising order, each counted by its place among them."""
    rows = wires.get(population, np.zeros((0, 4), dtype=np.int64))
    starts, stops = (np.searchsorted(rows[:, 0], neurons, side=side) for side in ("left", "right"))
    found = rows[ranges(starts, stops)]
    found[:, 0] = np.repeat(np.arange(neurons.size), stops - starts)
    return found


def _format_entry(form: SynapseFormat) -> dict[str, Any]:
    return dict(vars(form))


def _memory(
    code: ChipProgram, chip: Chip, core: Neurocore, into: Mapping[str, Incoming], wires: _Wires
) -> tuple[Tensors, dict[str, Any]]:
    """The synaptic memory and the input axons of a neurocore."""
    projections = {projection.name: projection for projection in code.projections}
    formats = list(dict.fromkeys(core.formats.values()))
    groups: list[dict[str, Any]] = []
    learning: list[dict[str, Any]] = []
    words: list[NDArray[np.uint64]] = [np.zeros(0, dtype=np.uint64)]
    axons: list[Indices] = [np.zeros((0, 4), dtype=np.int64)]
    address = axon = 0
    for name, form in core.formats.items():
        projection = projections[name]
        piece = core.piece(projection.target)
        assert piece is not None, f"neurocore {core.number} has synapses of {name}, and no neurons"
        ports = code.population(projection.target).ports
        base = piece.base + ports.index(projection.port) * piece.neurons.size
        lists, sources = _lists(projection, into[name], piece, base)
        shares = projection.kernel is not None
        if shares:
            shared = share(lists, chip["axon_base"].value)
            lists = shared.stored
        image, sizes = pack(formats.index(form), form, lists)
        starts = address + np.cumsum(sizes) - sizes
        bases = np.full_like(starts, base)
        if shares:
            starts, sizes, bases = starts[shared.which], sizes[shared.which], shared.base
        table = [starts, sizes, bases, np.full_like(starts, len(groups))]
        axons.append(np.stack(table, axis=1))
        outputs = list(code.population(projection.source).program.outputs)
        wires.add(projection, outputs.index(projection.output), core.number, sources, axon)
        rule = None
        if projection.learning is not None:
            rule = len(learning)
            learning.append(learning_entry(projection.learning))
        group = {"projection": name, "format": formats.index(form), "learning": rule}
        groups.append({**group, "shared": True} if shares else group)
        words.append(image)
        address, axon = address + image.size, axon + sources.size
    tensors: Tensors = {
        "synapses": np.concatenate(words),
        "input_axons": np.concatenate(axons),
    }
    entries = [_format_entry(form) for form in formats]
    return tensors, {"formats": entries, "groups": groups, "learning": learning}


def _host(code: ChipProgram, wires: Mapping[str, Indices]) -> Image:
    sources = [p for p in code.populations if p.is_source]
    tensors: Tensors = {}
    for number, population in enumerate(sources):
        everyone = np.arange(population.size)
        parameters = _parameters(population, everyone)
        tensors |= {f"{number}.{name}": value for name, value in parameters.items()}
        tensors[f"{number}.output_axons"] = _output_axons(wires, population.name, everyone)
        if population.spikes is not None:
            tensors[f"{number}.spikes"] = population.spikes.astype(np.int64)
    table = {"sources": [{**_neurons(p), "neurons": p.size} for p in sources]}
    return Image(HOST, tensors, table)


def _pieces(
    code: ChipProgram, core: Neurocore, wires: Mapping[str, Indices]
) -> tuple[Tensors, list[dict[str, Any]]]:
    """The neurons of a neurocore: their numbers, parameters and output axons, each named by its piece."""
    tensors: Tensors = {}
    tables = []
    for number, piece in enumerate(core.pieces):
        population = code.population(piece.population)
        tensors |= {f"{number}.{k}": v for k, v in _parameters(population, piece.neurons).items()}
        tensors[f"{number}.index"] = piece.neurons
        tensors[f"{number}.output_axons"] = _output_axons(wires, piece.population, piece.neurons)
        size = int(piece.neurons.size)
        tables.append({**_neurons(population), "neurons": size, "ports": list(population.ports)})
    return tensors, tables


def build_images(partition: Partition) -> Images:
    """The images of a partitioned program."""
    code = partition.code
    into = incoming(code)
    gathered = _Wires({})
    memories = [_memory(code, partition.chip, core, into, gathered) for core in partition.cores]
    wires = gathered.sorted()
    cores = []
    for core, (memory, table) in zip(partition.cores, memories, strict=True):
        neurons, pieces = _pieces(code, core, wires)
        tile = list(core.tile)
        cores.append(
            Image(
                core.number,
                {**neurons, **memory},
                {"core": core.number, "tile": tile, "pieces": pieces, **table},
            )
        )
    return Images(tuple(cores), _host(code, wires))
