"""What the files of a deployment say of each other: tensors have their types and shapes, indices are of
something that exists.

Each check raises ValueError with a text that names the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.loihi2.folder_schema import HOST, CoreTable, HostTable, Manifest, Sender, file_name
from hw_models.chips.reading import chip

Tensors = Mapping[str, NDArray[Any]]
#: Of a row for each of so many, or of any number of rows; then the columns.
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class CoreFiles:
    """Both files of a neurocore."""

    table: CoreTable
    tensors: Tensors

    def of_piece(self, number: int) -> Tensors:
        """The tensors of one piece, by their names after its number."""
        return _numbered(self.tensors, number)


@dataclass(frozen=True)
class HostFiles:
    """Both files of the host."""

    table: HostTable
    tensors: Tensors

    def of_source(self, number: int) -> Tensors:
        """The tensors of one source, by their names after its number."""
        return _numbered(self.tensors, number)


def _numbered(tensors: Tensors, number: int) -> Tensors:
    prefix = f"{number}."
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def check_folder(manifest: Manifest, cores: Sequence[CoreFiles], host: HostFiles) -> None:
    """Raise ValueError where tables, tensors and the manifest do not belong together."""
    _check_names(manifest, cores, host)
    for core in cores:
        place = f"{file_name(core.table.core)}.safetensors: "
        pieces = [core.of_piece(number) for number in range(len(core.table.pieces))]
        for number, (piece, tensors) in enumerate(zip(core.table.pieces, pieces, strict=True)):
            shapes = {**_shapes(piece, "output_axons"), "index": (piece.neurons,)}
            _check_tensors(f"{place}{number}.", tensors, shapes)
        numbered = {f"{n}.{name}" for n, tensors in enumerate(pieces) for name in tensors}
        shared = {name: value for name, value in core.tensors.items() if name not in numbered}
        _check_tensors(place, shared, {"input_axons": (None, 4), "synapses": (None,)})
        _check_input_axons(f"{place}input_axons", core)
    counted = 0
    for number, source in enumerate(host.table.sources):
        tensors = host.of_source(number)
        counted += len(tensors)
        place = f"{file_name(HOST)}.safetensors: {number}."
        _check_tensors(place, tensors, _shapes(source, "output_axons"), optional={"spikes": (None, 2)})
        _within(f"{place}spikes", tensors.get("spikes", np.zeros((0, 2)))[:, 1], source.neurons, "neuron")
        _check_output_axons(f"{place}output_axons", tensors["output_axons"], source, cores)
    if counted < len(host.tensors):
        raise ValueError(f"{file_name(HOST)}.safetensors: tensors of no source")
    for core in cores:
        for number, piece in enumerate(core.table.pieces):
            place = f"{file_name(core.table.core)}.safetensors: {number}.output_axons"
            _check_output_axons(place, core.of_piece(number)["output_axons"], piece, cores)


def _check_names(manifest: Manifest, cores: Sequence[CoreFiles], host: HostFiles) -> None:
    sources = [source.population for source in host.table.sources]
    most = manifest.compartments or chip(manifest.chip)["compartments"].value
    for number, core in enumerate(cores):
        table, place = core.table, f"{file_name(number)}.json"
        if table.core != number:
            raise ValueError(f"{place}: `$.core` is {table.core}")
        for index, piece in enumerate(table.pieces):
            if piece.population in sources:
                found = f"`$.pieces[{index}].population` is '{piece.population}'"
                raise ValueError(f"{place}: {found}, a source of the host")
        if table.compartments > most:
            raise ValueError(f"{place}: `$.pieces` take {table.compartments} compartments, of {most}")
        for index, group in enumerate(table.groups):
            if group.projection not in manifest.projections:
                found = f"`$.groups[{index}].projection` is '{group.projection}'"
                raise ValueError(f"{place}: {found}, which the manifest does not name")
    populations = {*sources, *(piece.population for core in cores for piece in core.table.pieces)}
    if populations != set(manifest.populations):
        first = min(populations ^ set(manifest.populations))
        raise ValueError(f"manifest.json: `$.populations` and the images disagree on '{first}'")


def _shapes(table: Sender, *lists: str) -> dict[str, Shape]:
    """The shapes of the parameters of neurons, and of lists of axons."""
    return {"neurons.": (table.neurons,), **dict.fromkeys(lists, (None, 4))}


def _check_tensors(
    place: str, tensors: Tensors, shapes: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None
) -> None:
    """Shapes by name, `neurons.` for all that begin so; words are unsigned, all else is signed."""
    known = {**shapes, **(optional or {})}
    for name in shapes.keys() - {"neurons."} - tensors.keys():
        raise ValueError(f"{place}{name} is missing")
    for name, found in tensors.items():
        shape = known.get("neurons." if name.startswith("neurons.") else name)
        if shape is None:
            raise ValueError(f"{place}{name} belongs to nothing")
        dtype = np.dtype(np.uint64 if name == "synapses" else np.int64)
        sizes = zip(found.shape, shape, strict=False)
        alike = len(found.shape) == len(shape) and all(size in (given, None) for given, size in sizes)
        if found.dtype != dtype or not alike:
            wanted = " x ".join("any" if size is None else str(size) for size in shape)
            given = " x ".join(map(str, found.shape))
            raise ValueError(f"{place}{name} is {given} of {found.dtype}, not {wanted} of {dtype}")


def _within(place: str, found: NDArray[Any], size: int, what: str) -> None:
    wrong = np.flatnonzero((found < 0) | (found >= size))
    if wrong.size:
        raise ValueError(f"{place}[{wrong[0]}] names {what} {found[wrong[0]]} of {size}")


def _check_input_axons(place: str, core: CoreFiles) -> None:
    """Lists lie in the memory, dense ones begin at a compartment, groups are known."""
    table, words = core.table, core.tensors["synapses"].size
    start, size, base, group = core.tensors["input_axons"].T
    _within(place, start, words, "word")
    _within(place, size - 1, words, "the length")
    _within(place, base, table.compartments, "compartment")
    _within(place, group, len(table.groups), "group")


def _check_output_axons(place: str, rows: NDArray[Any], table: Sender, cores: Sequence[CoreFiles]) -> None:
    """The neuron, its output, the neurocore and the input axon there all exist."""
    neuron, output, core, axon = rows.T
    _within(place, neuron, table.neurons, "neuron")
    _within(place, output, len(table.outputs), "output")
    _within(place, core, len(cores), "neurocore")
    for number in np.unique(core).tolist():
        there = cores[number].tensors["input_axons"].shape[0]
        _within(place, np.where(core == number, axon, 0), there, f"of {file_name(number)} input axon")
