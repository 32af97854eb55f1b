"""Which neuron sends to each input axon of a deployment, as the output axons of all senders say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.loihi2.folder import Folder
from burstchip.backends.loihi2.folder_schema import Sender

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Wires:
    """The sender of every input axon: `output[k]` numbers one of `outputs`, (population, output).

    The axons of neurocore c are numbered from `first[c]` on.
    """

    outputs: tuple[tuple[str, str], ...]
    output: Indices
    neuron: Indices
    first: Indices


def read_wires(folder: Folder) -> Wires:
    """All output axons by the input axon that they lead to.

    Raises ValueError for an input axon that has no sender, or several.
    """
    axons = np.array([core.tensors["input_axons"].shape[0] for core in folder.cores], dtype=np.int64)
    first = np.cumsum(axons) - axons
    outputs: list[tuple[str, str]] = []
    columns = [np.zeros((0, 3), dtype=np.int64)]  # output, neuron, numbered input axon
    senders: list[tuple[Sender, Indices, Indices | None]] = [
        (table, folder.host.of_source(number)["output_axons"], None)
        for number, table in enumerate(folder.host.table.sources)
    ]
    senders += [
        (piece, core.of_piece(number)["output_axons"], core.of_piece(number)["index"])
        for core in folder.cores
        for number, piece in enumerate(core.table.pieces)
    ]
    for table, rows, index in senders:
        place, output, to, axon = rows.T
        neuron = place if index is None else index[place]
        columns.append(np.stack((len(outputs) + output, neuron, first[to] + axon), axis=1))
        outputs += [(table.population, name) for name in table.outputs]
    output, neuron, places = np.concatenate(columns).T
    senders_of = np.bincount(places, minlength=int(axons.sum()))
    if np.any(senders_of != 1):
        place = int(np.flatnonzero(senders_of != 1)[0])
        core = int(np.flatnonzero(first <= place)[-1])
        raise ValueError(f"core {core}: {senders_of[place]} senders to input axon {place - first[core]}")
    order = np.argsort(places)
    return Wires(tuple(outputs), output[order], neuron[order], first)
