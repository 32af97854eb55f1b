"""The network file of an imported graph: its text and the weight files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from burstchip.nir.compose import SILENT, Composed
from burstchip.nir.errors import wrong
from burstchip.nir.graph import Graph
from burstchip.nir.maps import Matrix, size_of
from burstchip.nir.names import names_for
from burstchip.nir.neurons_in import Neurons, Settings

#: Bytes that a network file may have (`burstchip.frontend`).
MOST_TEXT_BYTES = 4 << 20
#: Numbers that the language has (`burstchip.frontend.units`).
_LARGEST, _SMALLEST = 1e15, 1e-15
#: Synapses that a list may have (`burstchip.files.rows`), and numbers of a matrix in their place.
_MOST_LISTED, _MOST_NUMBERS = (1 << 24) // 3, 1 << 27
#: A matrix with fewer zeros than this share is kept as one.
_DENSE_SHARE = 0.5


@dataclass
class NetworkText:
    """The lines of a network file, and the files beside it by name."""

    lines: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    tensors: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def network_text(
    graph: Graph, composed: Composed, neurons: Mapping[str, Neurons], settings: Settings, stem: str
) -> NetworkText:
    """The file `stem`.yaml and what it needs. Raises `BurstchipError` BC801, BC806."""
    it = _Writer(graph, composed, neurons, settings, stem)
    it.write()
    return it.text


class _Writer:
    def __init__(
        self, graph: Graph, composed: Composed, neurons: Mapping[str, Neurons], settings: Settings, stem: str
    ) -> None:
        self.graph, self.composed, self.neurons, self.settings = graph, composed, neurons, settings
        self.stem = stem
        self.names = names_for(composed.shapes)
        self.text = NetworkText()

    def write(self) -> None:
        from safetensors.numpy import save

        how = "forward Euler" if self.settings.integration == "euler" else "exponential decay"
        after = "the reset" if self.settings.reset == "zero" else "v - threshold"
        self.text.lines += [
            f"# Imported from NIR: {how}, an event sets v to {after}. Voltages are in mV, 1 of NIR is 1 V.",
            "burstchip: 1",
            f"name: {names_for([self.graph.file.rsplit('.', 1)[0]]).popitem()[1]}",
            f"step: {self.settings.step_ms!r} ms",
            "populations:",
        ]
        for node, shape in self.composed.shapes.items():
            self.text.lines.append(
                f"  {self.names[node]}: {{{', '.join(self._population(node, size_of(shape)))}}}"
            )
        projections = [line for target in self.composed.arriving for line in self._projections(target)]
        if projections:
            self.text.lines += ["projections:", *projections]
        if self.composed.outputs:
            probes = [self._probe(name) for name in self.composed.outputs]
            self.text.lines.append(f"probes: [{', '.join(probes)}]")
        if self.text.tensors:
            self.text.files[f"{self.stem}.safetensors"] = save(self.text.tensors)
        whole = ("\n".join(self.text.lines) + "\n").encode()
        if len(whole) > MOST_TEXT_BYTES:
            raise wrong(
                "BC801",
                self.graph.file,
                "",
                "its neurons have more values of their own than a network file may hold",
                f"a network file of {MOST_TEXT_BYTES} bytes",
                f"{len(whole)} bytes",
            )
        self.text.files[f"{self.stem}.yaml"] = whole

    def _probe(self, node: str) -> str:
        variable = "v" if self.graph.nodes[node].kind in SILENT else "events"
        return f"{self.names[node]}.{variable}"

    def _population(self, node: str, size: int) -> Iterator[str]:
        if node not in self.neurons:
            yield from ("model: spike_list", f"size: {size}", "events: []")
            return
        found = self.neurons[node]
        yield from ("model: lif", f"size: {size}")
        for key, (values, unit) in found.quantities.items():
            yield f"{key}: {self._values(values, unit, node)}"
        for key, value in found.flags.items():
            yield f"{key}: {value}"
        if found.initial:
            each = (
                f"{key}: {self._values(values, unit, node)}" for key, (values, unit) in found.initial.items()
            )
            yield f"initial: {{{', '.join(each)}}}"

    def _values(self, values: NDArray[np.float64], unit: str, node: str) -> str:
        """One quantity, or a list where neurons differ."""
        if np.any(np.abs(values) > _LARGEST):
            raise wrong(
                "BC806",
                self.graph.file,
                node,
                "a number is too large",
                f"at most {_LARGEST:g} {unit}",
                "more",
            )
        small = (np.abs(values) < _SMALLEST) & (values != 0)
        if np.any(small):
            self.text.notes.append(f"node '{node}': values below {_SMALLEST:g} {unit} count as 0")
        kept = np.where(small, 0.0, values) + 0.0
        if np.all(kept == kept[0]):
            return f"{float(kept[0])!r} {unit}"
        return "[" + ", ".join(f"{float(it)!r} {unit}" for it in kept) + "]"

    def _projections(self, target: str) -> Iterator[str]:
        parts = self.composed.arriving[target].parts
        for source, delay in sorted(parts):
            matrix = parts[source, delay].tocsr(copy=True)
            matrix = matrix.multiply(self.neurons[target].gain[:, None]).tocsr()
            matrix.sum_duplicates()
            matrix.eliminate_zeros()
            ends = f"from: {self.names[source]}, to: {self.names[target]}"
            if matrix.nnz == 0:
                self.text.notes.append(f"all weights from '{source}' to '{target}' are 0: no projection")
                continue
            if np.any(np.abs(matrix.data) > _LARGEST):
                most = f"at most {_LARGEST:g} mV"
                raise wrong("BC806", self.graph.file, target, "a weight to it is too large", most, "more")
            key = f"{self.names[source]}.{self.names[target]}" + (f".{delay + 1}" if delay else "")
            name = f"name: {key}, " if delay else ""
            later = f", delay: {(delay + 1) * self.settings.step_ms!r} ms" if delay else ""
            yield f"  - {{{name}{ends}, {self._synapses(matrix, key)}{later}}}"

    def _synapses(self, matrix: Matrix, key: str) -> str:
        n_out, n_in = matrix.shape
        values = matrix.data
        if matrix.nnz == n_out * n_in and np.all(values == values[0]):
            return f"weight: {float(values[0])!r} mV"
        if n_out == n_in == matrix.nnz and np.all(values == values[0]) and np.all(matrix.diagonal() != 0):
            return f"connectivity: one_to_one, weight: {float(values[0])!r} mV"
        listed = matrix.nnz <= _MOST_LISTED
        if not listed and n_out * n_in > _MOST_NUMBERS:
            most = f"at most {_MOST_LISTED} synapses, or a matrix of {_MOST_NUMBERS}"
            raise wrong("BC801", self.graph.file, "", f"too many synapses in {key}", most, f"{matrix.nnz}")
        if not listed or matrix.nnz >= _DENSE_SHARE * n_out * n_in:
            self.text.tensors[key] = matrix.toarray()
            return f"connectivity: {{file: {self.stem}.safetensors, tensor: {key}}}"
        found = matrix.tocoo()
        order = np.lexsort((found.row, found.col))
        rows = np.stack([found.col, found.row, found.data], axis=1)[order].astype(np.float64)
        into = BytesIO()
        np.save(into, rows, allow_pickle=False)
        file = f"{self.stem}.{key}.npy"
        self.text.files[file] = into.getvalue()
        return f"connectivity: {{pairs: {{file: {file}, unit: mV}}}}"
