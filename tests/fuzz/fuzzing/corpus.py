"""The files that are right: a folder for each kind of use, made by the command line itself."""

from __future__ import annotations

import os
import shutil
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from nir_graphs import chain, write
from safetensors.numpy import save_file

import burstchip
from burstchip.cli.main import main

TEXTS = Path(__file__).parent / "corpus"
ROOT = Path(burstchip.__file__).parents[1]


def command(arguments: Sequence[str]) -> int:
    """Run a command of burstchip in this process; its exit code. A bug raises."""
    sys.argv = ["burstchip", *arguments]
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    raise AssertionError("the command line always exits")


def _do(folder: Path, line: str) -> None:
    before = Path.cwd()
    os.chdir(folder)
    try:
        found = command(line.split())
    finally:
        os.chdir(before)
    # What a network of few neurons cannot have proved is no mistake.
    assert found in (0, 1), line


def _tables(folder: Path) -> None:
    """What files.yaml, protocol.yaml and tiny.yaml name."""
    draws = np.random.default_rng(1)
    (folder / "events.csv").write_text("0,1\n1,2\n2,2\n3,3\n")
    np.save(folder / "messages.npy", np.array([[0.0, 5, 40], [1, 12, -3], [3, 6, 7]]))
    (folder / "pairs.csv").write_text("0,0,3\n1,2,5\n3,1,-2\n")
    (folder / "points.csv").write_text("0,0\n400,1\n")
    np.save(folder / "table.npy", draws.uniform(0, 50, (5, 3)))
    np.save(folder / "given.npy", draws.uniform(0, 50, (8, 32)))
    weights = {"w": draws.uniform(-4, 4, (3, 4)), "edges": draws.uniform(-2, 2, (2, 1, 3, 3))}
    save_file(weights, folder / "weights.safetensors")
    np.savez(folder / "tiny.npz", x=draws.random((8, 2, 2)), y=np.arange(8) % 2)
    np.save(folder / "samples.npy", draws.random((3, 2, 2)))


def _idx(folder: Path) -> None:
    """Pictures in MNIST's files."""
    folder.mkdir()
    draws = np.random.default_rng(2)
    for name, count in (("train", 6), ("t10k", 3)):
        pictures = draws.integers(0, 256, (count, 28, 28)).astype(np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        header = struct.pack(">4I", 0x803, *pictures.shape)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + pictures.tobytes())
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(
            struct.pack(">2I", 0x801, count) + labels.tobytes()
        )


def _nir(folder: Path) -> None:
    ones, three = np.ones((2, 4, 4)), np.ones(3)
    pair = np.array([1, 1])
    convolution = {
        "weight": np.ones((2, 1, 3, 3)),
        "bias": np.array([0.5, -0.5]),
        "input_shape": np.array([4, 4]),
    }
    windows = {"stride": pair, "padding": pair, "dilation": pair, "groups": np.array(1)}
    leaky = dict.fromkeys(("tau_syn", "tau_mem", "r"), three * 0.02)
    nodes = {
        "input": {"type": "Input", "shape": np.array([1, 4, 4])},
        "conv": {"type": "Conv2d", **convolution, **windows},
        "first": {"type": "IF", "r": ones, "v_threshold": ones},
        "pool": {"type": "AvgPool2d", "kernel_size": 2 * pair, "stride": 2 * pair, "padding": 0 * pair},
        "flat": {"type": "Flatten", "start_dim": np.array(0), "end_dim": np.array(-1)},
        "later": {"type": "Delay", "delay": np.linspace(0, 0.003, 8)},
        "fc": {"type": "Affine", "weight": np.ones((3, 8)), "bias": three},
        "cells": {"type": "CubaLIF", **leaky, "v_leak": 0 * three, "v_threshold": three, "w_in": three},
        "output": {"type": "Output", "shape": np.array([3])},
    }
    write(folder / "pictures.nir", nodes, chain(*nodes))
    inner = {
        "input": {"type": "Input", "shape": np.array([2])},
        "scale": {"type": "Scale", "scale": np.ones(2)},
        "lif": {
            "type": "LIF",
            "tau": np.full(2, 0.02),
            "r": np.ones(2),
            "v_leak": np.zeros(2),
            "v_threshold": np.ones(2),
        },
        "output": {"type": "Output", "shape": np.array([2])},
    }
    outer = {
        "input": {"type": "Input", "shape": np.array([3])},
        "linear": {"type": "Linear", "weight": np.ones((2, 3))},
        "inside": {"type": "NIRGraph", "nodes": inner, "edges": chain(*inner)},
        "output": {"type": "Output", "shape": np.array([2])},
    }
    write(folder / "nested.nir", outer, chain(*outer))
    with h5py.File(folder / "nested.nir", "a") as file:
        file["version"] = "1.0"


def make(folder: Path) -> Path:
    """Fill a new folder with what is right."""
    networks = folder / "networks"
    shutil.copytree(TEXTS, networks)
    _tables(networks)
    _idx(networks / "mnist")
    for path in sorted((ROOT / "examples").iterdir()):
        if path.suffix in (".yaml", ".csv", ".safetensors"):
            shutil.copy(path, networks)
    shutil.copy(ROOT / "burstchip" / "templates" / "digits" / "network.yaml", networks / "digits.yaml")
    _nir(networks)
    for name in ("whole", "files", "tiny", "protocol", "pictures"):
        _do(networks, f"compile {name}.yaml -o {name}.burst -q")
    _do(networks, "run whole.burst --steps 20 --backend plain -o whole.nc -q")
    _do(networks, "run whole.burst --steps 20 --backend plain --events list -o listed.nc -q")
    _do(networks, "deploy whole.burst --dry-run -o sent -q")
    _do(networks, "train tiny.yaml --backend plain --out trained -q")
    _do(networks, "follow protocol.yaml --backend plain --out followed -q")
    return networks
