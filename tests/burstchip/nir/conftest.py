"""Small NIR files, and what an imported network does with given events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from burstchip import compile_file, record
from burstchip.nir.importing import Imported, import_nir
from burstchip.nir.neurons_in import Settings

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


@pytest.fixture
def imported(tmp_path: Path) -> Run:
    """Import a file, put events [step, neuron] into the input, and record variables."""

    def run(
        file: Path,
        events: NDArray[Any] | None = None,
        variables: Sequence[str] = (),
        *,
        steps: int = 50,
        step_ms: float = 1.0,
        backend: str = "reference",
        edit: Callable[[str], str] = str,
        **settings: Any,
    ) -> Ran:
        network = tmp_path / "net.yaml"
        found = import_nir(file, network, Settings(step_ms, **settings))
        if events is not None:
            when = np.argwhere(events)
            np.save(tmp_path / "events.npy", np.stack([when[:, 1], when[:, 0] * step_ms], axis=1))
            text = network.read_text().replace("events: []", "events: {file: events.npy, unit: ms}")
            network.write_text(edit(text))
        values = {}
        code, _ = compile_file(network)
        if variables:
            seen = record(code, steps, list(variables), backend=backend).values
            for population, name in seen:
                scale = code.population(population).units[name][0] / 1000 if name in "uv" else 1
                values[f"{population}.{name}"] = np.asarray(seen[population, name]) * scale
        return Ran(network.read_text(), found, values)

    return run
