"""One change of a file, by its kind; a file that is no longer of its kind has its bytes changed."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from random import Random

from fuzzing.hdf5 import alter_hdf5
from fuzzing.tables import alter_csv, alter_idx, alter_npy, alter_npz
from fuzzing.tensors import alter_file_bytes, alter_header_length, alter_tensor_file
from fuzzing.values import alter_value
from fuzzing.yaml_trees import alter_yaml

#: The share of changes that know nothing of the kind.
BLIND = 0.15


def _json(path: Path, draw: Random) -> str:
    value = json.loads(path.read_text(encoding="utf-8"))
    said = alter_value(value, draw)
    path.write_text(json.dumps(value))
    return said


def _tensors(path: Path, draw: Random) -> str:
    return alter_header_length(path, draw) if draw.random() < 0.05 else alter_tensor_file(path, draw)


BY_SUFFIX = {
    ".json": _json,
    ".burst": _tensors,
    ".safetensors": _tensors,
    ".nc": alter_hdf5,
    ".nir": alter_hdf5,
    ".csv": alter_csv,
    ".npy": alter_npy,
    ".npz": alter_npz,
}


def alter(path: Path, draw: Random, others: Sequence[Path] = ()) -> str:
    """Change a file in its place, and say how."""
    if path.suffix == ".yaml" and draw.random() >= BLIND / 3:
        return alter_yaml(path, draw, others)
    by_kind = alter_idx if path.name.endswith("ubyte") else BY_SUFFIX.get(path.suffix)
    if by_kind is not None and draw.random() >= BLIND:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return by_kind(path, draw)
        except Exception:
            # An earlier change made something else of it, or the library does not write what was drawn.
            pass
    return alter_file_bytes(path, draw)
