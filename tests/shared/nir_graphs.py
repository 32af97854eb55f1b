"""Small NIR files, and what running an imported one gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from burstchip.nir.importing import Imported

Nodes = Mapping[str, Mapping[str, Any]]
Edges = Sequence[tuple[str, str]]


def put(group: h5py.Group, nodes: Nodes, edges: Edges) -> None:
    """A graph as NIR lays it out; a node with `nodes` and `edges` is a graph itself."""
    text = h5py.string_dtype()
    group.create_dataset("type", data="NIRGraph", dtype=text)
    group.create_dataset("edges", data=np.array(edges, dtype=object).reshape(-1, 2), dtype=text)
    inside = group.create_group("nodes")
    for name, fields in nodes.items():
        node = inside.create_group(name)
        if "nodes" in fields:
            put(node, fields["nodes"], fields["edges"])
            continue
        for key, value in fields.items():
            node.create_dataset(key, data=value, **({"dtype": text} if isinstance(value, str) else {}))


def write(path: Path, nodes: Nodes, edges: Edges) -> Path:
    with h5py.File(path, "w") as file:
        put(file.create_group("node"), nodes, edges)
    return path


def chain(*nodes: str) -> list[tuple[str, str]]:
    return list(pairwise(nodes))


@dataclass(frozen=True)
class Ran:
    """An imported file: its text, what was said, and what was recorded, in volts for v."""

    text: str
    imported: Imported
    values: Mapping[str, NDArray[Any]]

    @property
    def notes(self) -> list[str]:
        return [it.message.split(": ", 1)[1] for it in self.imported.notes]


Run = Callable[..., Ran]
