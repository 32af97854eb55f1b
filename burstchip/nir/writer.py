"""The HDF5 of a `.nir` file: the same bytes for the same graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import h5py

#: The version of the format's Python package whose layout this is.
VERSION = "1.0.8"


@dataclass(frozen=True)
class OutNode:
    """A node to write: real fields become float32, as in nearly every public file, whole ones int64."""

    kind: str
    fields: Mapping[str, NDArray[Any]]


def nir_bytes(nodes: Mapping[str, OutNode], edges: tuple[tuple[str, str], ...]) -> bytes:
    """A file with one graph. Nodes and edges are written sorted, arrays as they are, not compressed."""
    import h5py

    into = BytesIO()
    with h5py.File(into, "w") as file:
        _put_text(file, "version", VERSION)
        graph = file.create_group("node")
        pairs = np.array(sorted(edges), dtype=object).reshape(-1, 2)
        graph.create_dataset("edges", data=pairs, dtype=h5py.string_dtype())
        inside = graph.create_group("nodes")
        for name in sorted(nodes):
            node = inside.create_group(name)
            for key, values in sorted(nodes[name].fields.items()):
                whole = values.dtype.kind in "iu"
                node.create_dataset(key, data=values.astype(np.int64 if whole else np.float32))
            _put_text(node, "type", nodes[name].kind)
        _put_text(graph, "type", "NIRGraph")
    return into.getvalue()


def _put_text(group: h5py.Group, key: str, text: str) -> None:
    import h5py

    group.create_dataset(key, data=text, dtype=h5py.string_dtype())
