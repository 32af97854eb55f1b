"""Safetensors files, artifacts and checkpoints among them: header or arrays changed, hashes made right."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from burstchip.tasks.checkpoint import KEY as CHECKPOINT
from burstchip.tasks.checkpoint import save_checkpoint
from compiler.artifact import KEY as ARTIFACT
from compiler.artifact import _content_sha256
from fuzzing.arrays import alter_arrays
from fuzzing.raw import alter_bytes
from fuzzing.values import alter_value

#: What the library writes.
TYPES = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "u4", "?")


def _lone(text: str) -> str:
    """Text that UTF-8 can write."""
    return text.encode("utf-8", "replace").decode()


def alter_tensor_file(path: Path, draw: Random) -> str:
    """Change a safetensors file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header: dict[str, Any] = json.loads(data[8 : 8 + length])
    how = draw.random()
    if how < 0.1:
        said = f"header: {alter_value(header, draw)}"
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
        return said
    metadata, tensors = header.get("__metadata__", {}), load(data)
    for key in (ARTIFACT, CHECKPOINT):
        told = json.loads(metadata[key]) if key in metadata else None
        if isinstance(told, dict) and "progress" in told:
            said = alter_value(told["progress"], draw) if how < 0.55 else _alter(tensors, draw)
            save_checkpoint(path, tensors, told["progress"])
            return said
        if told is not None:
            return _artifact(path, told, tensors, draw)
    if metadata and how < 0.4:
        said = f"metadata: {alter_value(metadata, draw)}"
        metadata = {
            _lone(str(key)): _lone(value if isinstance(value, str) else json.dumps(value))
            for key, value in metadata.items()
        }
    else:
        said = _alter(tensors, draw)
    path.write_bytes(save(tensors, metadata=metadata or None))
    return said


def _alter(tensors: dict[str, Any], draw: Random) -> str:
    said = alter_arrays(tensors, draw, TYPES)
    for name, array in tensors.items():
        tensors[name] = np.ascontiguousarray(array)
    return said


def _artifact(path: Path, manifest: Any, tensors: dict[str, Any], draw: Random) -> str:
    said = alter_value(manifest, draw) if draw.random() < 0.75 else _alter(tensors, draw)
    if isinstance(manifest, dict):
        manifest["sha256"] = _content_sha256(manifest, tensors)
    path.write_bytes(save(tensors, metadata={ARTIFACT: json.dumps(manifest)}))
    return said


def alter_header_length(path: Path, draw: Random) -> str:
    """Change the first eight bytes: how long the header is."""
    data = path.read_bytes()
    length = draw.choice(
        (
            0,
            1,
            len(data),
            1 << 31,
            (1 << 63) - 1,
            (1 << 64) - 1,
            int.from_bytes(data[:8], "little") + draw.choice((-1, 1)),
        )
    )
    path.write_bytes(max(length, 0).to_bytes(8, "little") + data[8:])
    return f"length of the header {length}"


def alter_file_bytes(path: Path, draw: Random) -> str:
    """Change bytes of any file."""
    data, said = alter_bytes(path.read_bytes(), draw)
    path.write_bytes(data)
    return said
