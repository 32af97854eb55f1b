"""Files that are damaged, hostile, or say what no network can: one message with the file and the node."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from nir_graphs import chain, write

from burstchip.nir import file as nir_file
from burstchip.nir.importing import import_nir
from burstchip.nir.neurons_in import Settings
from hw_models.diagnostics import BurstchipError, Diagnostic

LIF = {
    "type": "LIF",
    "tau": np.full(2, 0.01),
    "r": np.ones(2),
    "v_leak": np.zeros(2),
    "v_threshold": np.ones(2),
}
NODES: dict[str, dict[str, Any]] = {
    "input": {"type": "Input", "shape": np.array([3])},
    "fc": {"type": "Affine", "weight": np.ones((2, 3)), "bias": np.zeros(2)},
    "cells": LIF,
    "output": {"type": "Output", "shape": np.array([2])},
}
EDGES = chain("input", "fc", "cells", "output")
LOW = "v_threshold is not above the reset (neuron 1)"
SHORT = "'tau' is shorter than a step, which Euler's method cannot take (neuron 1)"
OUT = "it puts out what is not a neuron's, of 'fc' (Affine)"


def refused(path: Path, **settings: Any) -> Diagnostic:
    network = path.with_name("net.yaml")
    with pytest.raises(BurstchipError) as caught:
        import_nir(path, network, Settings(settings.pop("step_ms", 1.0), **settings))
    assert not network.exists()
    (found,) = caught.value.diagnostics
    assert found.required and found.given
    return found


@pytest.mark.parametrize(
    ("node", "changes", "id", "message"),
    [
        ("fc", {"type": "Conv3d"}, "BC802", "node 'fc': nodes of the kind 'Conv3d' are not imported"),
        ("fc", {"bias": None}, "BC803", "node 'fc': Affine has no 'bias'"),
        ("cells", {"tau": None}, "BC803", "node 'cells': LIF has no 'tau'"),
        ("cells", {"tau": "long"}, "BC803", "node 'cells': 'tau' is a text"),
        ("cells", {"tau": np.array([0.01, np.nan])}, "BC803", "node 'cells': 'tau' is not finite"),
        ("cells", {"tau": np.zeros(2)}, "BC806", "node 'cells': 'tau' is not above 0 (neuron 0)"),
        ("cells", {"r": np.ones(3)}, "BC805", "node 'cells': its parameters have different shapes"),
        ("cells", {"v_threshold": np.array([1.0, -1.0])}, "BC806", f"node 'cells': {LOW}"),
        ("cells", {"tau": np.array([0.01, 1e-4])}, "BC806", f"node 'cells': {SHORT}"),
        ("input", {"shape": np.array([4])}, "BC805", "node 'fc': its weights do not fit what it gets"),
        ("input", {"shape": np.array([-3])}, "BC803", "node 'input': 'shape' holds no counts"),
        ("output", {"shape": np.array([5])}, "BC805", "node 'output': what it gets has another shape"),
        ("fc", {"weight": np.full((2, 3), 1e90)}, "BC806", "node 'cells': a weight to it is too large"),
        ("cells", {"type": "LI"}, None, ""),
    ],
)  # fmt: skip
def test_a_wrong_node_is_named(
    tmp_path: Path, node: str, changes: dict[str, Any], id: str | None, message: str
) -> None:
    nodes = copy.deepcopy(NODES)
    nodes[node] |= changes
    nodes[node] = {key: it for key, it in nodes[node].items() if it is not None}
    path = write(tmp_path / "a.nir", nodes, EDGES)
    if id is None:
        import_nir(path, tmp_path / "net.yaml", Settings(1.0))
        return
    found = refused(path)
    assert (found.id, found.message) == (id, f"a.nir: {message}")


@pytest.mark.parametrize(
    ("edges", "id", "message"),
    [
        ([*EDGES, ("fc", "no")], "BC804", "the edge 'fc' -> 'no' names a node that the graph does not have"),
        ([*EDGES, ("cells", "input")], "BC804", "node 'input': an edge leads to an input"),
        (EDGES[1:], "BC804", "node 'fc': no edge leads to it"),
        ([*chain("input", "cells"), *chain("fc", "fc")], "BC804", "node 'output': no edge leads to it"),
        ([*EDGES, ("fc", "output")], "BC807", f"node 'output': {OUT}"),
        ([*EDGES, ("input", "cells")], "BC805", "node 'cells': it adds different shapes"),
    ],
)  # fmt: skip
def test_a_wrong_edge_is_named(tmp_path: Path, edges: list[tuple[str, str]], id: str, message: str) -> None:
    found = refused(write(tmp_path / "a.nir", NODES, edges))
    assert (found.id, found.message) == (id, f"a.nir: {message}")


def test_circles_and_silent_neurons(tmp_path: Path) -> None:
    square = {"type": "Linear", "weight": np.ones((2, 2))}
    circle = {**NODES, "one": square, "two": square}
    found = refused(
        write(tmp_path / "a.nir", circle, [*EDGES, *chain("one", "two", "one"), ("one", "cells")])
    )
    assert (found.id, found.given) == ("BC807", "one, two")
    silent = {**NODES, "first": {"type": "I", "r": np.ones(2)}, "two": square}
    edges = chain("input", "fc", "first", "two", "cells", "output")
    found = refused(write(tmp_path / "b.nir", silent, edges))
    assert found.message == "b.nir: node 'two': 'first' (I) emits no events for it"


def test_files_that_are_none(tmp_path: Path) -> None:
    assert refused(tmp_path / "missing.nir").given == "the file is missing"
    (tmp_path / "text.nir").write_text("no HDF5")
    assert refused(tmp_path / "text.nir").id == "BC800"
    whole = write(tmp_path / "whole.nir", NODES, EDGES).read_bytes()
    (tmp_path / "half.nir").write_bytes(whole[: len(whole) // 2])
    assert refused(tmp_path / "half.nir").id == "BC800"
    (tmp_path / "empty.nir").write_bytes(b"")
    assert refused(tmp_path / "empty.nir").id == "BC800"
    # The free space behind the heap's last text.
    at = whole.index(b"GCOL")
    free = max(it for it in range(at + 16, at + 4080, 8) if any(whole[it : it + 8])) - 8
    assert whole[free : free + 8] == bytes(8)
    (tmp_path / "endless.nir").write_bytes(whole[:free] + bytes(16) + whole[free + 16 :])
    assert refused(tmp_path / "endless.nir").given == "a heap whose free space has no length"
    with h5py.File(tmp_path / "other.nir", "w") as file:
        file["x"] = 1
    assert refused(tmp_path / "other.nir").message == "other.nir: it holds no graph"


def test_data_outside_the_file_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.ones(6).tobytes())
    with h5py.File(tmp_path / "kept.h5", "w") as file:
        file["w"] = np.ones((2, 3))
    for number, kind in enumerate(("external", "soft", "elsewhere", "virtual", "type")):
        path = write(tmp_path / f"{number}.nir", NODES, EDGES)
        with h5py.File(path, "a") as file:
            node = file["node/nodes/fc"]
            if kind == "type":
                node["strange"] = np.ones(2, dtype=complex)
                continue
            del node["weight"]
            if kind == "external":
                node["weight"] = h5py.ExternalLink(str(tmp_path / "kept.h5"), "w")
            elif kind == "soft":
                node["weight"] = h5py.SoftLink("/node/nodes/fc/bias")
            elif kind == "elsewhere":
                node.create_dataset("weight", (2, 3), "f8", external=[(str(secret), 0, 48)])
            else:
                layout = h5py.VirtualLayout((2, 3), "f8")
                layout[:] = h5py.VirtualSource(str(tmp_path / "kept.h5"), "w", (2, 3))
                node.create_virtual_dataset("weight", layout)
    for number in range(5):
        assert refused(tmp_path / f"{number}.nir").id == "BC800"


def test_sizes_are_added_up_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.nir", NODES, EDGES)
    with h5py.File(path, "a") as file:
        del file["node/nodes/fc/weight"]
        # A terabyte that takes a few kilobytes in the file.
        file["node/nodes/fc"].create_dataset(
            "weight", (1 << 20, 1 << 17), "f8", chunks=(1024, 1024), compression="gzip"
        )
    assert path.stat().st_size < 100_000
    found = refused(path)
    assert (found.id, found.message) == ("BC801", "a.nir: node 'fc': 'weight' is too large")
    huge = copy.deepcopy(NODES)
    huge["input"]["shape"] = np.array([1 << 20, 1 << 20])
    assert refused(write(tmp_path / "b.nir", huge, EDGES)).id == "BC801"
    monkeypatch.setattr(nir_file, "MOST_NODES", 3)
    assert refused(write(tmp_path / "c.nir", NODES, EDGES)).id == "BC801"


def test_a_graph_in_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nir", NODES, EDGES)
    with h5py.File(path, "a") as file:
        del file["node/nodes/fc"]
        file["node/nodes/fc"] = file["node"]
    found = refused(path)
    assert found.id in ("BC800", "BC801")
