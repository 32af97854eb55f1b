"""A NIR graph without levels: subgraphs stand in the place of their node, and every edge joins two nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from burstchip.nir.errors import wrong
from burstchip.nir.file import RawGraph, read_file
from burstchip.nir.kinds import NEURONS, Node, typed
from hw_models.diagnostics import nearest


@dataclass(frozen=True)
class Graph:
    """Nodes by name, sorted, and what precedes each, sorted. `inner` are the ends of graphs inside it.

    `notes` say what the file repeats.
    """

    file: str
    nodes: Mapping[str, Node]
    before: Mapping[str, tuple[str, ...]]
    inner: frozenset[str]
    notes: tuple[str, ...] = ()

    def passes_on(self, name: str) -> bool:
        """Whether a node only hands on what it gets: an end of a graph inside."""
        return name in self.inner


def read_graph(path: Path) -> Graph:
    """The flat graph of a file. Raises `BurstchipError` with the node (BC800 to BC805)."""
    flat = _Flat(path.name)
    flat.add(read_file(path), "")
    nodes, file = flat.nodes, path.name
    if not any(node.kind in NEURONS for node in nodes.values()):
        raise wrong("BC807", file, "", "the graph has no neurons", f"one of {', '.join(NEURONS)}", "none")
    before: dict[str, list[str]] = {name: [] for name in sorted(nodes)}
    for source, target in sorted(set(flat.edges)):
        before[target].append(source)
    for name, node in nodes.items():
        _check_edges(node, before[name], name in flat.inner, file)
    notes = (f"{flat.repeated} edges that the file lists twice count once",) if flat.repeated else ()
    order = {name: nodes[name] for name in before}
    return Graph(file, order, {name: tuple(it) for name, it in before.items()}, frozenset(flat.inner), notes)


def _check_edges(node: Node, before: list[str], inner: bool, file: str) -> None:
    if node.kind == "Input" and not inner:
        if before:
            given = f"an edge from '{before[0]}'"
            raise wrong("BC804", file, node.name, "an edge leads to an input", "edges from it", given)
    elif not before and node.kind not in NEURONS:
        raise wrong("BC804", file, node.name, "no edge leads to it", f"an edge to '{node.name}'", "none")


class _Flat:
    """What is gathered from a graph and the graphs inside it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.nodes: dict[str, Node] = {}
        self.edges: list[tuple[str, str]] = []
        self.inner: set[str] = set()
        self.repeated = 0

    def add(self, graph: RawGraph, prefix: str) -> None:
        """The nodes of a graph, by their names behind `prefix`, and its edges."""
        self.repeated += graph.repeated
        ends: dict[str, tuple[str, str]] = {}
        for key, raw in graph.nodes.items():
            full = f"{prefix}{key}"
            if raw.graph is not None:
                self.add(raw.graph, f"{full}.")
                ends[key] = (self._only(raw.graph, "Input", full), self._only(raw.graph, "Output", full))
                self.inner |= set(ends[key])
                continue
            if full in self.nodes:
                raise wrong("BC800", self.file, full, "two nodes have this name", "names of their own", full)
            self.nodes[full] = typed(raw, full, self.file)
        for edge in graph.edges:
            for end in edge:
                self._require_node(end, edge, graph, prefix)
            source, target = edge
            out = ends[source][1] if source in ends else f"{prefix}{source}"
            into = ends[target][0] if target in ends else f"{prefix}{target}"
            self.edges.append((out, into))

    def _only(self, graph: RawGraph, kind: str, name: str) -> str:
        found = [key for key, node in graph.nodes.items() if node.kind == kind]
        if len(found) != 1:
            message = f"the graph inside has {len(found)} nodes of the kind {kind}"
            raise wrong("BC807", self.file, name, message, "one", str(len(found)))
        return f"{name}.{found[0]}"

    def _require_node(self, end: str, edge: tuple[str, str], graph: RawGraph, prefix: str) -> None:
        if end not in graph.nodes:
            known = tuple(graph.nodes)
            raise wrong(
                "BC804",
                self.file,
                prefix[:-1],
                f"the edge '{edge[0]}' -> '{edge[1]}' names a node that the graph does not have",
                f"one of {', '.join(known[:20])}",
                end,
                nearest(end, known),
            )
