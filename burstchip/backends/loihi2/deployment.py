"""Reads a deployment back: populations, synapses and rules, from the images alone.

Which neurons a synapse joins follows from the axon tables (source neuron to neurocore and input axon) and
from the lists in synaptic memory; nothing is read from an artifact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.loihi2.folder import Folder, damaged, file_name, read_folder
from burstchip.backends.loihi2.images import HOST, Image
from burstchip.backends.loihi2.microcode import read_learning
from compiler.ir.chip_program import LearningCode
from hw_models.synapses.memory import DamagedMemory, Lists, SynapseFormat, unpack

Indices = NDArray[np.int64]


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


@dataclass(frozen=True)
class _Part:
    """The synapses of one projection on one neurocore, not yet joined to their sources."""

    core: int
    name: str
    first_axon: int
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
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError) as reason:
        given = f"images that contradict each other ({type(reason).__name__}: {reason})"
        altered = f"; altered: {', '.join(folder.altered)}" if folder.altered else ""
        raise damaged(path, given + altered) from None


def _require(holds: bool | np.bool_, what: str) -> None:
    if not holds:
        raise ValueError(what)


def _read(folder: Folder) -> Deployment:
    manifest = folder.manifest
    populations = [*_sources(folder.images.host), *_neurons(folder.images.cores)]
    populations.sort(key=lambda population: manifest["populations"].index(population.name))
    parts = [part for image in folder.images.cores for part in _parts(image)]
    wires = _wires(folder)
    names = list(dict.fromkeys(part.name for part in parts))
    projections = [_projection([p for p in parts if p.name == name], wires, folder) for name in names]
    projections.sort(key=lambda projection: manifest["projections"].index(projection.name))
    return Deployment(
        folder.path,
        manifest["name"],
        manifest["chip"],
        manifest["seed"],
        manifest["artifact_sha256"],
        tuple(populations),
        tuple(projections),
        folder.altered,
    )


def _population(
    table: Mapping[str, Any], parameters: Mapping[str, Indices], spikes: Indices | None, core: Indices
) -> DeployedPopulation:
    _require(all(values.shape == core.shape for values in parameters.values()), "parameters of some neurons")
    return DeployedPopulation(
        table["population"],
        table["model"],
        table["program_sha256"],
        core.size,
        table["stream"],
        table["gather_every"],
        parameters,
        spikes,
        core,
    )


def _sources(host: Image) -> list[DeployedPopulation]:
    found = []
    for number, table in enumerate(host.table["sources"]):
        prefix = f"{number}.neurons."
        parameters = {k.removeprefix(prefix): v for k, v in host.tensors.items() if k.startswith(prefix)}
        core = np.full(table["neurons"], HOST, dtype=np.int64)
        found.append(_population(table, parameters, host.tensors.get(f"{number}.spikes"), core))
    return found


def _neurons(images: tuple[Image, ...]) -> list[DeployedPopulation]:
    found = []
    for name in dict.fromkeys(image.table["population"] for image in images):
        mine = [image for image in images if image.table["population"] == name]
        sizes = [image.table["neurons"] for image in mine]
        firsts = [image.table["first"] for image in mine]
        _require(firsts == [sum(sizes[:k]) for k in range(len(sizes))], f"gaps between the neurons of {name}")
        shared = ("model", "program_sha256", "stream", "gather_every", "outputs", "ports")
        _require(
            all(image.table[key] == mine[0].table[key] for image in mine for key in shared),
            f"the neurocores of {name} differ",
        )
        names = [key for key in mine[0].tensors if key.startswith("neurons.")]
        parameters = {
            key.removeprefix("neurons."): np.concatenate([image.tensors[key] for image in mine])
            for key in names
        }
        core = np.repeat([image.core for image in mine], sizes).astype(np.int64)
        found.append(_population(mine[0].table, parameters, None, core))
    return found


def _parts(image: Image) -> list[_Part]:
    table, words, axons = image.table, image.tensors["synapses"], image.tensors["input_axons"]
    formats = [SynapseFormat(**entry) for entry in table["formats"]]
    neurons = table["neurons"]
    _require(words.dtype == np.uint64 and axons.shape[1:] == (4,), f"core {image.core}: wrong tensors")
    _require(np.all(np.diff(axons[:, 3]) >= 0), f"core {image.core}: input axons out of order")
    address, parts = 0, []
    for group, entry in enumerate(table["groups"]):
        mine = np.flatnonzero(axons[:, 3] == group)
        starts, sizes, bases = axons[mine, :3].T
        place = f"{file_name(image.core)}, {entry['projection']}"
        expected = address + np.cumsum(sizes) - sizes
        _require(np.all(sizes > 0) and np.array_equal(starts, expected), f"{place}: addresses with gaps")
        end = address + int(sizes.sum())
        form = formats[entry["format"]]
        try:
            lists = unpack(entry["format"], form, words[address:end], sizes)
        except DamagedMemory as reason:
            raise DamagedMemory(f"{place}, from word {address}: {reason}") from None
        index = lists.index + np.repeat(bases, lists.lengths) if form.dense else lists.index
        port, local = np.divmod(index, neurons)
        _require(np.all(port == port[0]), f"{place}: synapses onto several ports")
        rule = None if entry["learning"] is None else read_learning(table["learning"][entry["learning"]])
        parts.append(
            _Part(
                image.core,
                entry["projection"],
                int(mine[0]),
                table["ports"][int(port[0])],
                form,
                rule,
                lists,
                local + table["first"],
            )
        )
        address = end
    _require(address == words.size, f"core {image.core}: words that no input axon names")
    return parts


@dataclass(frozen=True)
class _Wires:
    """The sender of every input axon: `output[k]` numbers one of `outputs`, (population, output).

    The axons of neurocore c are numbered from `first[c]` on.
    """

    outputs: tuple[tuple[str, str], ...]
    output: Indices
    neuron: Indices
    first: Indices


def _wires(folder: Folder) -> _Wires:
    """All output axons by the input axon that they lead to."""
    cores, host = folder.images.cores, folder.images.host
    axons = np.array([image.tensors["input_axons"].shape[0] for image in cores], dtype=np.int64)
    first = np.cumsum(axons) - axons
    outputs: list[tuple[str, str]] = []
    columns = [np.zeros((0, 3), dtype=np.int64)]  # output, neuron, numbered input axon
    senders = [
        (table, host.tensors[f"{number}.output_axons"], 0)
        for number, table in enumerate(host.table["sources"])
    ]
    senders += [(image.table, image.tensors["output_axons"], image.table["first"]) for image in cores]
    for table, rows, first_neuron in senders:
        neuron, output, core, axon = rows.T
        _require(
            np.all((neuron >= 0) & (neuron < table["neurons"])),
            "an output axon of a neuron that does not exist",
        )
        _require(
            np.all((output >= 0) & (output < len(table["outputs"]))),
            "an output axon of an output that does not exist",
        )
        _require(
            np.all((core >= 0) & (core < len(cores))), "an output axon to a neurocore that does not exist"
        )
        _require(
            np.all((axon >= 0) & (axon < axons[core])), "an output axon to an input axon that does not exist"
        )
        numbers = (len(outputs) + output, first_neuron + neuron, first[core] + axon)
        columns.append(np.stack(numbers, axis=1))
        outputs += [(table["population"], name) for name in table["outputs"]]
    output, neuron, places = np.concatenate(columns).T
    senders_of = np.bincount(places, minlength=int(axons.sum()))
    if np.any(senders_of != 1):
        place = int(np.flatnonzero(senders_of != 1)[0])
        core = int(np.flatnonzero(first <= place)[-1])
        raise ValueError(f"core {core}: {senders_of[place]} senders to input axon {place - first[core]}")
    order = np.argsort(places)
    return _Wires(tuple(outputs), output[order], neuron[order], first)


def _projection(parts: list[_Part], wires: _Wires, folder: Folder) -> DeployedProjection:
    """The parts of one projection as one."""
    one = parts[0]
    target = folder.images.cores[one.core].table["population"]
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
        alike = folder.images.cores[part.core].table["population"] == target and part.port == one.port
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
        target,
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
