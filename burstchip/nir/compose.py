"""Chains of linear nodes as one matrix for each pair of sender and neuron, and one bias for each neuron.

Between what emits events (an input or neurons) and the neurons that get them a NIR graph may have any chain
of linear maps, branches and delays. They are linear, so the way from a sender to a neuron is one sparse
matrix for each delay, and all biases on the way add up to one constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from burstchip.nir.errors import wrong
from burstchip.nir.graph import Graph
from burstchip.nir.kinds import MAPS, NEURONS, Node
from burstchip.nir.maps import (
    MOST_NEURONS,
    LinearMap,
    Matrix,
    Shape,
    map_of,
    require_room,
    same_but_for_ones,
    size_of,
)

#: Kinds that emit no events: nothing but an output may follow.
SILENT = frozenset({"LI", "CubaLI", "I"})
#: Steps that a delay may have, far beyond any chip's.
_MOST_DELAY = 1 << 15
#: Different delays of one signal.
_MOST_PARTS = 512
#: Multiplications that a product of two matrices may take.
_MOST_PRODUCTS = 1 << 27


@dataclass(frozen=True)
class Signal:
    """What a node hands on: a matrix for each (sender, delay in steps), a bias, the shape."""

    shape: Shape
    parts: Mapping[tuple[str, int], Matrix]
    bias: NDArray[np.float64]
    way: tuple[str, ...] = ()


@dataclass(frozen=True)
class Composed:
    """The shape of every sender, what arrives at all neurons, which neurons are outputs, and notes."""

    shapes: Mapping[str, Shape]
    arriving: Mapping[str, Signal]
    outputs: tuple[str, ...]
    notes: tuple[str, ...]


def compose(graph: Graph, step_ms: float) -> Composed:
    """All ways of a graph. Raises `BurstchipError` with the node where something does not fit."""
    it = _Composer(graph, step_ms)
    for name in _in_order(graph):
        it.visit(graph.nodes[name])
    for name, node in graph.nodes.items():
        if node.kind in NEURONS:
            it.arrive(node)
        elif node.kind == "Output" and not graph.passes_on(name):
            it.end(node)
    outputs = tuple(dict.fromkeys(it.outputs))
    return Composed(it.shapes, it.arriving, outputs, (*graph.notes, *it.notes))


def _is_sender(node: Node, graph: Graph) -> bool:
    return node.kind in NEURONS or (node.kind == "Input" and not graph.passes_on(node.name))


def _is_between(node: Node, graph: Graph) -> bool:
    return node.kind in MAPS or graph.passes_on(node.name)


def _in_order(graph: Graph) -> list[str]:
    """Senders, then what lies between in an order in which nothing comes before what it gets."""
    order = [name for name, node in graph.nodes.items() if _is_sender(node, graph)]
    between = [name for name, node in graph.nodes.items() if _is_between(node, graph)]
    waits = {name: sum(_is_between(graph.nodes[it], graph) for it in graph.before[name]) for name in between}
    after: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for name in between:
        for source in graph.before[name]:
            after[source].append(name)
    ready = [name for name in between if waits[name] == 0]
    for name in ready:
        order.append(name)
        for following in after[name]:
            waits[following] -= 1
            if waits[following] == 0:
                ready.append(following)
    left = [name for name in between if waits[name] > 0]
    if left:
        raise wrong(
            "BC807",
            graph.file,
            left[0],
            "it is in a circle without neurons",
            "neurons in each circle",
            ", ".join(left[:9]),
        )
    return order


class _Composer:
    def __init__(self, graph: Graph, step_ms: float) -> None:
        self.graph, self.step_ms = graph, step_ms
        self.signals: dict[str, Signal] = {}
        self.shapes: dict[str, Shape] = {}
        self.arriving: dict[str, Signal] = {}
        self.outputs: list[str] = []
        self.notes: list[str] = []

    def visit(self, node: Node) -> None:
        """Find what a sender or a node between hands on."""
        if _is_sender(node, self.graph):
            shape = self._own_shape(node)
            size = size_of(shape)
            if not 0 < size <= MOST_NEURONS:
                required = f"1 to {MOST_NEURONS} neurons"
                raise wrong(
                    "BC801", self.graph.file, node.name, "its size is out of range", required, str(size)
                )
            self.shapes[node.name] = shape
            one = sparse.identity(size, format="csr")
            self.signals[node.name] = Signal(shape, {(node.name, 0): one}, np.zeros(size))
            return
        got = self._sum(node)
        if self.graph.passes_on(node.name):
            self._require_shape(node, tuple(node.counts["shape"].reshape(-1).tolist()), got.shape)
            self.signals[node.name] = got
        elif node.kind == "Delay":
            self.signals[node.name] = self._delayed(node, got)
        else:
            self.signals[node.name] = self._mapped(node, map_of(node, got.shape, self.graph.file), got)

    def arrive(self, node: Node) -> None:
        """What arrives at neurons."""
        shape = self.shapes[node.name]
        got = self._sum(node) if self.graph.before[node.name] else Signal(shape, {}, np.zeros(size_of(shape)))
        if not same_but_for_ones(shape, got.shape):
            given = f"{list(shape)} neurons get {list(got.shape)}"
            raise wrong("BC805", self.graph.file, node.name, "what it gets does not fit", "one shape", given)
        for matrix in got.parts.values():
            require_room(int(matrix.nnz), node, self.graph.file)
        self.arriving[node.name] = got

    def end(self, node: Node) -> None:
        """Which neurons an output stands for."""
        waiting = [*reversed(self.graph.before[node.name])]
        while waiting:
            source = waiting.pop()
            if self.graph.passes_on(source):
                waiting += reversed(self.graph.before[source])
                continue
            if self.graph.nodes[source].kind not in NEURONS:
                raise wrong(
                    "BC807",
                    self.graph.file,
                    node.name,
                    f"it puts out what is not a neuron's, of '{source}' ({self.graph.nodes[source].kind})",
                    "neurons before an output",
                    self.graph.nodes[source].kind,
                    "put a node of the kind LI between them",
                )
            told = tuple(node.counts["shape"].reshape(-1).tolist())
            self._require_shape(node, told, self.shapes[source])
            self.outputs.append(source)

    def _own_shape(self, node: Node) -> Shape:
        if node.kind == "Input":
            return tuple(node.counts["shape"].reshape(-1).tolist()) or (1,)
        return next(iter(node.reals.values())).shape

    def _require_shape(self, node: Node, told: Shape, found: Shape) -> None:
        if not same_but_for_ones(told, found):
            given = f"{list(found)}"
            raise wrong(
                "BC805", self.graph.file, node.name, "what it gets has another shape", f"{list(told)}", given
            )
        if told != found:
            self.notes.append(f"node '{node.name}': its shape {list(told)} is read as {list(found)}")

    def _sum(self, node: Node) -> Signal:
        signals = [self._of(name, node) for name in self.graph.before[node.name]]
        first = signals[0]
        parts: dict[tuple[str, int], Matrix] = {}
        bias = np.zeros(size_of(first.shape))
        for name, signal in zip(self.graph.before[node.name], signals, strict=True):
            if not same_but_for_ones(first.shape, signal.shape):
                given = f"{list(first.shape)} and, from '{name}', {list(signal.shape)}"
                raise wrong(
                    "BC805", self.graph.file, node.name, "it adds different shapes", "one shape", given
                )
            bias = bias + signal.bias
            for key, matrix in signal.parts.items():
                parts[key] = parts[key] + matrix if key in parts else matrix
        return Signal(first.shape, parts, bias, tuple(it for signal in signals for it in signal.way))

    def _of(self, name: str, node: Node) -> Signal:
        source = self.graph.nodes[name]
        if source.kind in SILENT:
            raise wrong(
                "BC807",
                self.graph.file,
                node.name,
                f"'{name}' ({source.kind}) emits no events for it",
                "neurons with a threshold, or an output, behind them",
                f"{source.kind} -> {node.kind}",
            )
        return self.signals[name]

    def _mapped(self, node: Node, found: LinearMap, got: Signal) -> Signal:
        columns = np.diff(found.matrix.tocsc().indptr)
        parts = {}
        for key, matrix in got.parts.items():
            products = int(columns.astype(np.float64) @ np.diff(matrix.indptr))
            if products > _MOST_PRODUCTS:
                required = f"at most {_MOST_PRODUCTS} products"
                raise wrong("BC801", self.graph.file, node.name, "too many synapses", required, str(products))
            parts[key] = found.matrix @ matrix
        bias = np.asarray(found.matrix @ got.bias) + (0.0 if found.bias is None else found.bias)
        return Signal(found.shape, parts, bias, (*got.way, node.name))

    def _delayed(self, node: Node, got: Signal) -> Signal:
        delay = node.reals["delay"]
        if delay.size != 1 and not same_but_for_ones(delay.shape, got.shape):
            given = f"{list(delay.shape)} for {list(got.shape)}"
            raise wrong("BC805", self.graph.file, node.name, "its delays do not fit", "one shape", given)
        exact = np.broadcast_to(delay.reshape(-1), (size_of(got.shape),)) * 1000.0 / self.step_ms
        if np.any((exact < 0) | (exact > _MOST_DELAY)):
            required = f"0 to {_MOST_DELAY} steps"
            raise wrong(
                "BC806", self.graph.file, node.name, "a delay is out of range", required, f"{exact.max():g}"
            )
        steps = np.floor(exact + 0.5 + 1e-9).astype(np.int64)
        if np.any(np.abs(exact - steps) > 1e-4):
            between = int(np.count_nonzero(np.abs(exact - steps) > 1e-4))
            self.notes.append(f"node '{node.name}': {between} delays between two steps are rounded")
        parts: dict[tuple[str, int], Matrix] = {}
        different = np.unique(steps).tolist()
        if len(different) * len(got.parts) > _MOST_PARTS:
            given = f"{len(different)} delays of {len(got.parts)} signals"
            raise wrong("BC801", self.graph.file, node.name, "too many delays", f"{_MOST_PARTS}", given)
        for (source, before), matrix in got.parts.items():
            for more in different:
                chosen = sparse.diags((steps == more).astype(np.float64), format="csr") @ matrix
                chosen.eliminate_zeros()
                key = (source, before + more)
                parts[key] = parts[key] + chosen if key in parts else chosen
        return Signal(got.shape, parts, got.bias, (*got.way, node.name))
