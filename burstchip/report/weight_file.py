"""The weights of a run folder, in physical units: a tensor [post, pre] for each dense projection.

A sparse projection NAME has one weight a synapse, the neurons that each joins in the tensors `pre:NAME` and
`post:NAME`, and the sizes of its populations, [post, pre], in the metadata under `shape:NAME`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.report.problems import damaged
from compiler.tensor_file import TensorError, TensorFile
from hw_models.diagnostics import BurstchipError, Diagnostic


@dataclass(frozen=True)
class Ends:
    """The source and target neuron of each synapse, and the sizes [post, pre] of the populations."""

    pre: NDArray[np.int32]
    post: NDArray[np.int32]
    shape: tuple[int, int]


@dataclass(frozen=True)
class Weights:
    """Weights and their units by the name of the projection: matrices [post, pre], or one value a synapse.

    `ends` has the projections of the second kind.
    """

    by_projection: dict[str, NDArray[np.float64]]
    units: dict[str, str]
    ends: Mapping[str, Ends] = field(default_factory=dict)

    def shape(self, name: str) -> tuple[int, ...]:
        """Sizes [post, pre] of the populations that a projection joins."""
        return self.ends[name].shape if name in self.ends else self.by_projection[name].shape

    def onto(self, name: str, count: int) -> NDArray[np.float64]:
        """The weights [post, pre] onto the first `count` target neurons; absent synapses are 0."""
        values = self.by_projection[name]
        if name not in self.ends:
            return values[:count]
        ends = self.ends[name]
        matrix = np.zeros((count, ends.shape[1]))
        first = ends.post < count
        matrix[ends.post[first], ends.pre[first]] = values[first]
        return matrix


def read_weights(path: Path) -> Weights:
    """The weights in the safetensors file `path`. Raises `BurstchipError` (BC543)."""
    try:
        file = TensorFile(path)
        metadata = file.metadata
        tensors = {name: file.read(name) for name in file.names}
    except TensorError as error:
        raise BurstchipError(
            damaged("BC543", path, "a complete safetensors file", str(error) or type(error).__name__)
        ) from error
    if not tensors:
        raise BurstchipError(damaged("BC543", path, "a tensor for each projection", "no tensor"))
    sparse = [name.removeprefix("shape:") for name in metadata if name.startswith("shape:")]
    listed = {f"{end}:{name}" for name in sparse for end in ("pre", "post")}
    values = {name: tensor for name, tensor in tensors.items() if name not in listed}
    ends: dict[str, Ends] = {}
    problems = []
    for name, tensor in values.items():
        if name in sparse:
            found = _ends(tensors, name, metadata[f"shape:{name}"])
            if found is None:
                problems.append(
                    damaged("BC543", path, "source and target neuron of each weight", f"'{name}'")
                )
            else:
                ends[name] = found
        problems += _not_numbers(path, name, tensor, 1 if name in sparse else 2)
    if problems:
        raise BurstchipError(problems)
    return Weights(
        {name: tensor.astype(np.float64) for name, tensor in values.items()},
        {name: metadata.get(f"unit:{name}", "") for name in values},
        ends,
    )


def _not_numbers(path: Path, name: str, tensor: NDArray[Any], dimensions: int) -> Iterator[Diagnostic]:
    empty = tensor.size == 0 and dimensions == 2
    if tensor.ndim != dimensions or empty or not np.isfinite(tensor).all():
        where = "in a matrix [post, pre]" if dimensions == 2 else "in a list of synapses"
        given = f"'{name}' of shape {list(tensor.shape)}"
        yield damaged("BC543", path, f"finite numbers {where}", given)


def _ends(tensors: Mapping[str, NDArray[Any]], name: str, shape: str) -> Ends | None:
    """The ends of a sparse projection's synapses; None where they do not fit the weights or the sizes."""
    try:
        n_post, n_pre = (int(size) for size in json.loads(shape))
        pre, post = tensors[f"pre:{name}"], tensors[f"post:{name}"]
    except (ValueError, TypeError, KeyError):
        return None
    for end, size in ((pre, n_pre), (post, n_post)):
        if end.dtype.kind != "i" or end.shape != tensors[name].shape or end.ndim != 1:
            return None
        if end.size and not (end.min() >= 0 and end.max() < size):
            return None
    return Ends(pre, post, (n_post, n_pre))
