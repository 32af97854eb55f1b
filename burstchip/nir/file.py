"""The HDF5 of a `.nir` file, read with bounds: nothing outside the file, nothing larger than declared limits.

HDF5 can name other files, point in circles and declare arrays that a few bytes unpack to. So links other
than hard ones, arrays kept elsewhere, and types other than numbers and text are refused, and sizes are added
up before anything is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burstchip.files.hdf5_heap import can_hold, has_endless_heap
from burstchip.nir.errors import wrong

if TYPE_CHECKING:
    import h5py

#: Bytes of a file, and of all its arrays once they are unpacked.
MOST_FILE_BYTES = 1 << 29
MOST_ARRAY_BYTES = 1 << 29
#: Nodes of a graph with its subgraphs, edges, and levels of subgraphs.
MOST_NODES = 10_000
MOST_EDGES = 100_000
MOST_LEVELS = 16
#: Axes of an array, and characters of a name or a text.
_MOST_AXES = 8
_MOST_TEXT = 256
#: The greatest magnitude of a number: products of some stay finite. What a network cannot say is found later.
_LARGEST = 1e100

#: A number, an array of numbers, or a text.
Field = NDArray[Any] | str


@dataclass(frozen=True)
class RawNode:
    """A node as the file has it: its kind, its fields, and the graph inside where it is one."""

    kind: str
    fields: Mapping[str, Field]
    graph: RawGraph | None = None


@dataclass(frozen=True)
class RawGraph:
    """Nodes by name, sorted, and edges (source, target) between names, sorted, each once."""

    nodes: Mapping[str, RawNode]
    edges: tuple[tuple[str, str], ...]
    repeated: int = 0


def read_file(path: Path) -> RawGraph:
    """The graph of a file. Raises `BurstchipError` BC800, BC801."""
    import h5py

    name = path.name
    try:
        size = path.stat().st_size
        if size > MOST_FILE_BYTES:
            raise wrong(
                "BC801", name, "", "the file is too large", f"{MOST_FILE_BYTES} bytes", f"{size} bytes"
            )
        if size and has_endless_heap(path):
            given = "a heap whose free space has no length"
            raise wrong("BC800", name, "", "the file is damaged", "a NIR file (HDF5)", given)
        with h5py.File(path, "r") as file:
            return _Reader(name, size).whole(file)
    # What h5py raises for a damaged file depends on where the damage is.
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, OverflowError, UnicodeError) as reason:
        missing = not path.exists()
        given = "the file is missing" if missing else (str(reason).splitlines() or ["unreadable"])[0]
        raise wrong("BC800", str(path), "", "the file cannot be read", "a NIR file (HDF5)", given) from None
    except (MemoryError, RecursionError) as reason:
        given = type(reason).__name__
        raise wrong("BC801", name, "", "the file does not fit", "a file that fits", given) from None


class _Reader:
    """One file as it is read; counts what it has met."""

    def __init__(self, file: str, size: int) -> None:
        self.file, self.size = file, size
        self.bytes = 0
        self.nodes = 0

    def whole(self, file: h5py.File) -> RawGraph:
        node = self._child(file, "node", "")
        if node is None:
            raise wrong("BC800", self.file, "", "it holds no graph", "a group 'node'", "none")
        found = self._node(node, "", 0)
        if found.graph is None:
            raise wrong(
                "BC800",
                self.file,
                "",
                "its first node is not a graph",
                "a node of the kind NIRGraph",
                found.kind,
            )
        return found.graph

    def _node(self, group: Any, name: str, level: int) -> RawNode:
        import h5py

        if not isinstance(group, h5py.Group):
            raise wrong("BC800", self.file, name, "it is not a group", "a group with a 'type'", "a dataset")
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise wrong("BC801", self.file, name, "too many nodes", f"{MOST_NODES}", "more")
        kind = self._field(group, "type", name)
        if not isinstance(kind, str):
            raise wrong("BC800", self.file, name, "it has no kind", "a text 'type'", "none")
        if kind == "NIRGraph":
            return RawNode(kind, {}, self._graph(group, name, level))
        fields = {}
        for key in self._names(group, name):
            if key in ("type", "metadata"):
                continue
            found = self._field(group, key, name)
            if found is not None:
                fields[key] = found
        return RawNode(kind, fields)

    def _graph(self, group: h5py.Group, name: str, level: int) -> RawGraph:
        import h5py

        if level >= MOST_LEVELS:
            raise wrong("BC801", self.file, name, "too many levels of graphs", f"{MOST_LEVELS}", "more")
        inside = self._child(group, "nodes", name)
        if not isinstance(inside, h5py.Group):
            raise wrong("BC800", self.file, name, "the graph has no nodes", "a group 'nodes'", "none")
        nodes = {}
        for key in self._names(inside, name):
            full = f"{name}.{key}" if name else key
            nodes[key] = self._node(self._child(inside, key, full), full, level + 1)
        edges = self._edges(group, name)
        once = tuple(sorted(set(edges)))
        return RawGraph(nodes, once, len(edges) - len(once))

    def _edges(self, group: h5py.Group, name: str) -> list[tuple[str, str]]:
        found = self._child(group, "edges", name)
        if found is None:
            raise wrong("BC800", self.file, name, "the graph has no edges", "an array 'edges'", "none")
        self._require_array(found, "edges", name)
        if found.size == 0:
            return []
        if found.ndim != 2 or found.shape[1] != 2 or found.dtype.kind not in "OS":
            raise wrong(
                "BC800",
                self.file,
                name,
                "'edges' is not a list of pairs",
                "texts [edge, 2]",
                f"{found.shape}",
            )
        if found.shape[0] > MOST_EDGES:
            raise wrong("BC801", self.file, name, "too many edges", f"{MOST_EDGES}", f"{found.shape[0]}")
        # Row by row: texts of any length may lie in a heap, and many may be the same one.
        rows = (found[row] for row in range(found.shape[0]))
        return [(self._text(one, name), self._text(two, name)) for one, two in rows]

    def _names(self, group: h5py.Group, name: str) -> Iterator[str]:
        if len(group) > MOST_NODES:
            raise wrong("BC801", self.file, name, "too many entries", f"{MOST_NODES}", f"{len(group)}")
        for key in sorted(group.keys()):
            yield self._text(key, name)

    def _child(self, group: h5py.Group, key: str, name: str) -> Any:
        """What a hard link of the group leads to, None where there is none of this name."""
        import h5py

        link = group.get(key, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise wrong(
                "BC800", self.file, name, f"'{key}' is kept elsewhere", "data of the file's own", "a link"
            )
        return group[key]

    def _field(self, group: h5py.Group, key: str, name: str) -> Field | None:
        import h5py

        found = self._child(group, key, name)
        if found is None or isinstance(found, h5py.Group):
            return None
        self._require_array(found, key, name)
        if found.dtype.kind in "OS":
            if found.shape != ():
                raise wrong("BC800", self.file, name, f"'{key}' is not a text", "one text", f"{found.shape}")
            return self._text(found[()], name)
        if found.dtype.kind not in "iufb":
            raise wrong(
                "BC800",
                self.file,
                name,
                f"'{key}' has a type that is not read",
                "real numbers",
                f"{found.dtype}",
            )
        values = np.asarray(found[()])
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise wrong(
                "BC803", self.file, name, f"'{key}' is not finite", "finite numbers", "NaN or infinity"
            )
        if (np.abs(values, dtype=np.float64) > _LARGEST).any():
            raise wrong("BC803", self.file, name, f"'{key}' is too large", f"at most {_LARGEST:g}", "more")
        return values

    def _require_array(self, found: Any, key: str, name: str) -> None:
        import h5py

        what = f"'{key}' cannot be read"
        if not isinstance(found, h5py.Dataset):
            raise wrong("BC800", self.file, name, what, "an array", "something else")
        if found.external or found.is_virtual:
            raise wrong("BC800", self.file, name, what, "data of the file's own", "data kept elsewhere")
        if found.shape is None or found.ndim > _MOST_AXES:
            raise wrong("BC800", self.file, name, what, f"at most {_MOST_AXES} axes", f"{found.shape}")
        if found.dtype.kind == "O" and h5py.check_string_dtype(found.dtype) is None:
            raise wrong("BC800", self.file, name, what, "numbers or text", f"{found.dtype}")
        # A text counts as long as one may be.
        each = _MOST_TEXT if found.dtype.kind == "O" else found.dtype.itemsize
        self.bytes += found.size * each
        if self.bytes > MOST_ARRAY_BYTES:
            most = f"{MOST_ARRAY_BYTES} bytes in all arrays"
            raise wrong("BC801", self.file, name, f"'{key}' is too large", most, f"{list(found.shape)}")
        if not can_hold(self.size, self.bytes):
            given = f"{list(found.shape)} in a file of {self.size} bytes"
            raise wrong("BC801", self.file, name, f"'{key}' is not in the file", "as much as it says", given)

    def _text(self, value: object, name: str) -> str:
        text = value.decode("utf-8") if isinstance(value, bytes) else str(value)
        if not 0 < len(text) <= _MOST_TEXT or not text.isprintable():
            raise wrong(
                "BC800",
                self.file,
                name,
                "a name cannot be read",
                f"1 to {_MOST_TEXT} printable characters",
                f"{len(text)} characters",
            )
        return text
