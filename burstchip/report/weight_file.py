"""The weights of a run folder: one tensor [post, pre] for each projection, in physical units."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from burstchip.report.problems import damaged
from hw_models.diagnostics import BurstchipError


@dataclass(frozen=True)
class Weights:
    """Weight matrices [post, pre] and their units by the name of the projection."""

    by_projection: dict[str, NDArray[np.float64]]
    units: dict[str, str]


def read_weights(path: Path) -> Weights:
    """The weights in the safetensors file `path`. Raises `BurstchipError` (BC543)."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: np.asarray(file.get_tensor(name)) for name in sorted(file.keys())}
    except (OSError, SafetensorError, ValueError) as error:
        raise BurstchipError(
            damaged("BC543", path, "a complete safetensors file", str(error) or type(error).__name__)
        ) from error
    if not tensors:
        raise BurstchipError(damaged("BC543", path, "a tensor for each projection", "no tensor"))
    problems = [
        damaged(
            "BC543", path, "finite numbers in a matrix [post, pre]", f"'{name}' of shape {list(tensor.shape)}"
        )
        for name, tensor in tensors.items()
        if tensor.ndim != 2 or tensor.size == 0 or not np.isfinite(tensor).all()
    ]
    if problems:
        raise BurstchipError(problems)
    return Weights(
        {name: tensor.astype(np.float64) for name, tensor in tensors.items()},
        {name: metadata.get(f"unit:{name}", "") for name in tensors},
    )
