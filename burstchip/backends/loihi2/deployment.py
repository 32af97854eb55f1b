"""Reads a deployment back: populations, synapses and rules, from the images alone.

Which neurons a synapse joins follows from the axon tables (source neuron to neurocore and input axon) and
from the lists in synaptic memory; nothing is read from an artifact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from burstchip.backends.loihi2.folder import Folder, damaged, read_folder
from burstchip.backends.loihi2.folder_checks import CoreFiles, HostFiles, Tensors
from burstchip.backends.loihi2.folder_schema import HOST, Sender, file_name
from burstchip.backends.loihi2.microcode import read_learning
from burstchip.backends.loihi2.wires import Wires, read_wires
from compiler.ir.chip_program import LearningCode
from hw_models.synapses.memory import DamagedMemory, Lists, SynapseFormat, unpack
from hw_models.synapses.shared import SharedLists

Indices = NDArray[np.int64]
#: What the names of tensors of parameters begin with.
_NEURONS = "neurons."


@dataclass(frozen=True)
class DeployedPopulation:
    """A population as its images say it is; `core` is the neurocore of each neuron, `HOST` for a source.

    `parameters` have one value a neuron.
    """

    name: str
    model: str
    program_sha256: str
    size: int
    stream: int
    gather_every: int
    parameters: Mapping[str, Indices]
    spikes: Indices | None
    core: Indices


@dataclass(frozen=True)
class DeployedProjection:
    """A projection's synapses in order of (pre, post), each with the neurocore that it lies on."""

    name: str
    source: str
    output: str
    target: str
    port: str
    formats: tuple[SynapseFormat, ...]
    pre: Indices
    post: Indices
    weights: Indices
    delays: Indices
    tags: Indices
    core: Indices
    learning: LearningCode | None


@dataclass(frozen=True)
class Deployment:
    """What a folder holds; a projection without synapses leaves no trace in it.

    `artifact_sha256` is what the manifest names, `altered` are the files that differ from their hash in it.
    """

    path: Path
    name: str
    chip: str
    seed: int
    artifact_sha256: str
    populations: tuple[DeployedPopulation, ...]
    projections: tuple[DeployedProjection, ...]
    altered: tuple[str, ...]
    #: What the artifact was compiled for; its neurons may lie on another chip.
    target: str = ""


@dataclass(frozen=True)
class _Part:
    """The synapses of one projection on one neurocore, not yet joined to their sources."""

    core: int
    name: str
    first_axon: int
    target: str
    port: str
    form: SynapseFormat
    learning: LearningCode | None
    lists: Lists
    post: Indices


def load_deployment(path: Path) -> Deployment:
    """Read a folder that `burstchip deploy --dry-run` wrote.

    Files that differ from their hash are read all the same, and named in `altered`. Raises `BurstchipError`
    BC410 to BC412; BC411 also where the images contradict themselves or each other.
    """
    folder = read_folder(path)
    try:
        return _read(folder)
    except DamagedMemory as reason:
        raise damaged(path, str(reason)) from None
    except ValueError as reason:
        given = f"images that contradict each other ({type(reason).__name__}: {reason})"
        altered = f"; altered: {', '.join(folder.altered)}" if folder.altered else ""
        raise damaged(path, given + altered) from None


def _require(holds: bool | np.bool_, what: str) -> None:
    if not holds:
        raise ValueError(what)


def _read(folder: Folder) -> Deployment:
    manifest = folder.manifest
    populations = [*_sources(folder.host), *_neurons(folder.cores)]
    populations.sort(key=lambda population: manifest.populations.index(population.name))
    parts = [part for core in folder.cores for part in _parts(core)]
    wires = read_wires(folder)
    names = list(dict.fromkeys(part.name for part in parts))
    projections = [_projection([p for p in parts if p.name == name], wires) for name in names]
    projections.sort(key=lambda projection: manifest.projections.index(projection.name))
    return Deployment(
        folder.path,
        manifest.name,
        manifest.chip,
        manifest.seed,
        manifest.artifact_sha256,
        tuple(populations),
        tuple(projections),
        folder.altered,
        manifest.target or manifest.chip,
    )


def _population(
    table: Sender, parameters: Mapping[str, Indices], spikes: Indices | None, core: Indices
) -> DeployedPopulation:
    return DeployedPopulation(
        table.population,
        table.model,
        table.program_sha256,
        core.size,
        table.stream,
        table.gather_every,
        parameters,
        spikes,
        core,
    )


def _parameters(tensors: Tensors) -> list[str]:
    return sorted(name for name in tensors if name.startswith(_NEURONS))


def _sources(host: HostFiles) -> list[DeployedPopulation]:
    found = []
    for number, table in enumerate(host.table.sources):
        tensors = host.of_source(number)
        parameters = {name.removeprefix(_NEURONS): tensors[name] for name in _parameters(tensors)}
        # Takes no memory: a source without parameters may say that it has any number of neurons.
        core = np.broadcast_to(np.int64(HOST), table.neurons)
        found.append(_population(table, parameters, tensors.get("spikes"), core))
    return found


def _neurons(cores: tuple[CoreFiles, ...]) -> list[DeployedPopulation]:
    found = []
    pieces = [
        (core.table.core, piece, core.of_piece(number))
        for core in cores
        for number, piece in enumerate(core.table.pieces)
    ]
    for name in dict.fromkeys(piece.population for _, piece, _ in pieces):
        mine = [(core, piece, tensors) for core, piece, tensors in pieces if piece.population == name]
        index = np.concatenate([tensors["index"] for _, _, tensors in mine])
        order = np.argsort(index, kind="stable")
        _require(np.array_equal(index[order], np.arange(index.size)), f"gaps between the neurons of {name}")
        table, names = mine[0][1], _parameters(mine[0][2])
        shared = ("model", "program_sha256", "stream", "gather_every", "outputs", "ports")
        _require(
            all(getattr(piece, key) == getattr(table, key) for _, piece, _ in mine for key in shared)
            and all(_parameters(tensors) == names for _, _, tensors in mine),
            f"the neurocores of {name} differ",
        )
        parameters = {
            key.removeprefix(_NEURONS): np.concatenate([tensors[key] for _, _, tensors in mine])[order]
            for key in names
        }
        on_core = np.repeat([core for core, _, _ in mine], [piece.neurons for _, piece, _ in mine])
        found.append(_population(table, parameters, None, on_core.astype(np.int64)[order]))
    return found


def _ends(core: CoreFiles, compartments: Indices, place: str) -> tuple[str, str, Indices]:
    """The population and the port that some compartments of a neurocore belong to, and their neurons."""
    bases = np.cumsum([0, *(piece.compartments for piece in core.table.pieces)])
    number = np.searchsorted(bases, compartments, side="right") - 1
    _require(np.all(number == number[0]), f"{place}: synapses onto several populations")
    _require(0 <= number[0] < len(core.table.pieces), f"{place}: synapses onto no population")
    piece = core.table.pieces[int(number[0])]
    port, local = np.divmod(compartments - bases[number[0]], piece.neurons)
    _require(np.all(port == port[0]), f"{place}: synapses onto several ports")
    _require(port[0] < len(piece.ports), f"{place}: synapses onto a port that does not exist")
    neurons = core.of_piece(int(number[0]))["index"][local]
    return piece.population, piece.ports[int(port[0])], neurons


def _parts(core: CoreFiles) -> list[_Part]:
    table, words, axons = core.table, core.tensors["synapses"], core.tensors["input_axons"]
    formats = [SynapseFormat(**structs.asdict(entry)) for entry in table.formats]
    _require(np.all(np.diff(axons[:, 3]) >= 0), f"core {table.core}: input axons out of order")
    address, parts = 0, []
    for group, entry in enumerate(table.groups):
        mine = np.flatnonzero(axons[:, 3] == group)
        starts, sizes, bases = axons[mine, :3].T
        place = f"{file_name(table.core)}, {entry.projection}"
        _require(mine.size > 0, f"{place}: no input axons")
        which = np.arange(mine.size)
        if entry.shared:
            # Several axons may have one list.
            starts, first, which = np.unique(starts, return_index=True, return_inverse=True)
            _require(np.array_equal(sizes, sizes[first][which]), f"{place}: lists of several lengths in one")
            sizes = sizes[first]
        expected = address + np.cumsum(sizes) - sizes
        _require(np.array_equal(starts, expected), f"{place}: addresses with gaps")
        end = address + int(sizes.sum())
        form = formats[entry.format]
        try:
            lists = unpack(entry.format, form, words[address:end], sizes)
        except DamagedMemory as reason:
            raise DamagedMemory(f"{place}, from word {address}: {reason}") from None
        if entry.shared:
            lists = SharedLists(lists, which, bases).lists
        index = lists.index + np.repeat(bases, lists.lengths) if form.dense else lists.index
        target, port, post = _ends(core, index, place)
        rule = None if entry.learning is None else read_learning(table.learning[entry.learning])
        parts.append(
            _Part(
                table.core,
                entry.projection,
                int(mine[0]),
                target,
                port,
                form,
                rule,
                lists,
                post,
            )
        )
        address = end
    _require(address == words.size, f"core {table.core}: words that no input axon names")
    return parts


def _projection(parts: list[_Part], wires: Wires) -> DeployedProjection:
    """The parts of one projection as one."""
    one = parts[0]
    columns: list[list[Indices]] = []
    ends: set[tuple[str, str]] = set()
    for part in parts:
        start = int(wires.first[part.core]) + part.first_axon
        mine = slice(start, start + part.lists.lengths.size)
        ends |= {wires.outputs[number] for number in np.unique(wires.output[mine]).tolist()}
        neurons = wires.neuron[mine]
        lists = part.lists
        pre = np.repeat(neurons, lists.lengths)
        core = np.full_like(pre, part.core)
        columns.append([pre, part.post, lists.weight, lists.delay, lists.tag, core])
        alike = part.target == one.target and part.port == one.port
        _require(alike and part.learning == one.learning, f"the parts of {one.name} differ")
    _require(len(ends) == 1, f"{one.name} has several sources")
    pre, post, *fields = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.lexsort((post, pre))
    weights, delays, tags, cores = (field[order] for field in fields)
    source, output = ends.pop()
    return DeployedProjection(
        one.name,
        source,
        output,
        one.target,
        one.port,
        tuple(dict.fromkeys(part.form for part in parts)),
        pre[order],
        post[order],
        weights,
        delays,
        tags,
        cores,
        one.learning,
    )
