"""What a linear node does to a flattened signal: a sparse matrix, a bias, the shape of what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from burstchip.nir.errors import wrong
from burstchip.nir.kinds import Node
from burstchip.nir.windows import Axis, axis, correlation, count, outputs_of

#: Entries of a matrix, and of one of a convolution or a pool, whose places are listed.
MOST_ENTRIES = 1 << 25
MOST_LISTED = (1 << 24) // 3
#: Neurons of a layer, as in the language.
MOST_NEURONS = 1 << 24

Shape = tuple[int, ...]
#: scipy's compressed rows, which come without annotations.
Matrix = Any


@dataclass(frozen=True)
class LinearMap:
    """y = matrix x + bias of flattened signals; `shape` is that of y."""

    matrix: Matrix
    bias: NDArray[np.float64] | None
    shape: Shape


def same_but_for_ones(one: Shape, other: Shape) -> bool:
    """Whether two shapes are the same without axes of length 1."""
    return [it for it in one if it != 1] == [it for it in other if it != 1]


def size_of(shape: Shape) -> int:
    """How many numbers an array of this shape has."""
    return int(np.prod([*shape], dtype=object)) if shape else 1


def map_of(node: Node, shape: Shape, file: str) -> LinearMap:
    """The map of a node for a signal of this shape. Raises `BurstchipError` BC801, BC803, BC805."""
    if node.kind in ("Linear", "Affine"):
        found = _dense(node, shape, file)
    elif node.kind == "Scale":
        found = _scale(node, shape, file)
    elif node.kind in ("Conv1d", "Conv2d"):
        found = _convolution(node, shape, file)
    elif node.kind in ("SumPool2d", "AvgPool2d"):
        found = _pool(node, shape, file)
    else:
        assert node.kind == "Flatten", node.kind
        found = LinearMap(sparse.identity(size_of(shape), format="csr"), None, _flattened(node, shape, file))
    if size_of(found.shape) == 0:
        raise wrong(
            "BC805", file, node.name, "nothing comes out of it", "at least one number", f"{list(found.shape)}"
        )
    return found


def _dense(node: Node, shape: Shape, file: str) -> LinearMap:
    weight = node.reals["weight"]
    if weight.ndim != 2 or not same_but_for_ones(shape, weight.shape[1:]):
        given = f"weight {list(weight.shape)} for {list(shape)}"
        raise wrong("BC805", file, node.name, "its weights do not fit what it gets", "[output, input]", given)
    require_room(int(np.count_nonzero(weight)), node, file)
    bias = _bias(node, weight.shape[0], file)
    return LinearMap(sparse.csr_matrix(weight), bias, (weight.shape[0],))


def _bias(node: Node, size: int, file: str) -> NDArray[np.float64] | None:
    bias = node.reals.get("bias")
    if bias is None:
        return None
    if bias.size == 1:
        return np.full(size, float(bias.reshape(())))
    if bias.shape != (size,):
        raise wrong("BC805", file, node.name, "its bias does not fit", f"[{size}]", f"{list(bias.shape)}")
    return bias


def _scale(node: Node, shape: Shape, file: str) -> LinearMap:
    scale = node.reals["scale"]
    if scale.size != 1 and not same_but_for_ones(scale.shape, shape):
        raise wrong(
            "BC805", file, node.name, "its scale does not fit", f"{list(shape)}", f"{list(scale.shape)}"
        )
    values = np.broadcast_to(scale.reshape(-1), (size_of(shape),))
    return LinearMap(sparse.diags(values, format="csr"), None, shape)


def _counts(node: Node, field: str, axes: int, file: str, low: int = 1) -> tuple[int, ...]:
    value = node.counts[field].reshape(-1)
    if value.size not in (1, axes) or np.any(value < low):
        required = f"1 or {axes} whole numbers from {low}"
        raise wrong("BC803", file, node.name, f"'{field}' does not fit", required, str(value.tolist()))
    return tuple(int(it) for it in np.broadcast_to(value, (axes,)))


def _padding(node: Node, kernel: Shape, dilation: Shape, stride: Shape, file: str) -> list[tuple[int, int]]:
    text = node.texts.get("padding")
    if text is None:
        return [(it, it) for it in _counts(node, "padding", len(kernel), file, 0)]
    if text == "valid":
        return [(0, 0) for _ in kernel]
    if any(it != 1 for it in stride):
        raise wrong("BC803", file, node.name, "padding 'same' with a stride", "stride 1", str(list(stride)))
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return [(it // 2, it - it // 2) for it in total]


def _convolution(node: Node, shape: Shape, file: str) -> LinearMap:
    weight, n = node.reals["weight"], 1 if node.kind == "Conv1d" else 2
    if weight.ndim != n + 2 or 0 in weight.shape:
        required = "[channel out, channel in, " + ("place]" if n == 1 else "row, column]")
        raise wrong("BC805", file, node.name, "its weights do not fit", required, f"{list(weight.shape)}")
    groups = _counts(node, "groups", 1, file)[0]
    fits = len(shape) == n + 1 and weight.shape[1] * groups == shape[0] and weight.shape[0] % groups == 0
    given = node.counts.get("input_shape")
    if not fits or (given is not None and tuple(given.reshape(-1)) != shape[1:]):
        told = "" if given is None else f", input_shape {given.reshape(-1).tolist()}"
        raise wrong(
            "BC805",
            file,
            node.name,
            "what it gets does not fit its weights",
            f"{n + 1} axes, {weight.shape[1] * groups} channels first",
            f"{list(shape)}{told}",
        )
    kernel = weight.shape[2:]
    stride, dilation = _counts(node, "stride", n, file), _counts(node, "dilation", n, file)
    padding = _padding(node, kernel, dilation, stride, file)
    each = [*zip(shape[1:], kernel, stride, padding, dilation, strict=True)]
    axes = _axes(each, node, file)
    require_room(count(axes, weight.shape[0], weight.shape[1]), node, file, MOST_LISTED)
    bias = _bias(node, weight.shape[0], file)
    places = size_of(tuple(it.outputs for it in axes))
    return _as_map(weight, groups, shape, axes, None if bias is None else np.repeat(bias, places))


def _pool(node: Node, shape: Shape, file: str) -> LinearMap:
    if len(shape) != 3:
        required = "[channel, row, column]"
        raise wrong("BC805", file, node.name, "what it gets has other axes", required, f"{list(shape)}")
    kernel, stride = _counts(node, "kernel_size", 2, file), _counts(node, "stride", 2, file)
    padding = _counts(node, "padding", 2, file, 0)
    along = [(s, k, t, (p, p), 1) for s, k, t, p in zip(shape[1:], kernel, stride, padding, strict=True)]
    axes = _axes(along, node, file)
    require_room(count(axes, shape[0], 1), node, file, MOST_LISTED)
    each = 1.0 if node.kind == "SumPool2d" else 1.0 / size_of(kernel)
    # A channel at a time: as many groups as channels.
    return _as_map(np.full((shape[0], 1, *kernel), each), shape[0], shape, axes, None)


def _axes(along: list[tuple[int, int, int, tuple[int, int], int]], node: Node, file: str) -> list[Axis]:
    for it in along:
        require_room(outputs_of(*it) * it[1], node, file, MOST_LISTED)
    return [axis(*it) for it in along]


def _as_map(
    weight: NDArray[np.float64],
    groups: int,
    shape: Shape,
    axes: list[Axis],
    bias: NDArray[np.float64] | None,
) -> LinearMap:
    found = correlation(weight, groups, shape[1:], axes)
    entries = (found.value, (found.row, found.column))
    return LinearMap(
        sparse.csr_matrix(entries, shape=(size_of(found.shape), size_of(shape))), bias, found.shape
    )


def _flattened(node: Node, shape: Shape, file: str) -> Shape:
    told = node.counts.get("input_type")
    first, last = (int(node.counts[key].reshape(-1)[0]) for key in ("start_dim", "end_dim"))
    axes = len(shape)
    first, last = first + axes * (first < 0), last + axes * (last < 0)
    fits = told is None or same_but_for_ones(tuple(told.reshape(-1).tolist()), shape)
    if not fits or not 0 <= first <= last < axes:
        given = f"{list(shape)}, start_dim {first}, end_dim {last}"
        raise wrong(
            "BC805", file, node.name, "what it gets cannot be flattened so", "axes that it has", given
        )
    return (*shape[:first], size_of(shape[first : last + 1]), *shape[last + 1 :])


def require_room(entries: int, node: Node, file: str, most: int = MOST_ENTRIES) -> None:
    """Raise `BurstchipError` BC801 for more entries than a matrix may have."""
    if entries > most:
        raise wrong("BC801", file, node.name, "too many synapses", f"at most {most}", str(entries))
