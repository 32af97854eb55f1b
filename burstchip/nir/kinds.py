"""The kinds of NIR nodes that are read, and the fields that each has to have: names and types of NIR 1.0.

`reals` are arrays of real numbers, `counts` whole numbers from 0, `window` the same or a text such as `same`.
A field in `optional` has NIR's own default where it is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burstchip.nir.errors import wrong
from burstchip.nir.file import RawNode
from hw_models.diagnostics import nearest

#: Beyond it no count of a shape, stride or padding has a meaning here.
_MOST_COUNT = 1 << 24


@dataclass(frozen=True)
class Kind:
    """What a node of a kind has: fields by name, and the fields that all have the neurons' shape."""

    fields: Mapping[str, str]
    optional: frozenset[str] = frozenset()
    neurons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """A node whose fields have the types of its kind: arrays of float64 or int64, or a text."""

    name: str
    kind: str
    reals: Mapping[str, NDArray[np.float64]]
    counts: Mapping[str, NDArray[np.int64]]
    texts: Mapping[str, str]


def _neuron(*fields: str, optional: tuple[str, ...] = ()) -> Kind:
    both = (*fields, *optional)
    return Kind(dict.fromkeys(both, "reals"), frozenset(optional), both)


_WINDOW = {"stride": "counts", "padding": "window", "dilation": "counts", "groups": "counts"}
_CONVOLUTION = Kind(
    {"weight": "reals", "bias": "reals", "input_shape": "counts", **_WINDOW}, frozenset({"input_shape"})
)
_POOL = Kind({"kernel_size": "counts", "stride": "counts", "padding": "counts"})

NEURONS: Mapping[str, Kind] = {
    "LIF": _neuron("tau", "r", "v_leak", "v_threshold", optional=("v_reset",)),
    "CubaLIF": _neuron("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", optional=("v_reset", "w_in")),
    "IF": _neuron("r", "v_threshold", optional=("v_reset",)),
    "LI": _neuron("tau", "r", "v_leak"),
    "CubaLI": _neuron("tau_syn", "tau_mem", "r", "v_leak", optional=("w_in",)),
    "I": _neuron("r"),
}
MAPS: Mapping[str, Kind] = {
    "Linear": Kind({"weight": "reals"}),
    "Affine": Kind({"weight": "reals", "bias": "reals"}),
    "Scale": Kind({"scale": "reals"}),
    "Conv1d": _CONVOLUTION,
    "Conv2d": _CONVOLUTION,
    "SumPool2d": _POOL,
    "AvgPool2d": _POOL,
    "Flatten": Kind(
        {"start_dim": "index", "end_dim": "index", "input_type": "counts"}, frozenset({"input_type"})
    ),
    "Delay": Kind({"delay": "reals"}),
}
ENDS: Mapping[str, Kind] = {"Input": Kind({"shape": "counts"}), "Output": Kind({"shape": "counts"})}
KINDS: Mapping[str, Kind] = {**NEURONS, **MAPS, **ENDS}


def typed(raw: RawNode, name: str, file: str) -> Node:
    """The node with its fields checked. Raises `BurstchipError` BC802, BC803, BC805."""
    kind = KINDS.get(raw.kind)
    if kind is None:
        raise wrong(
            "BC802",
            file,
            name,
            f"nodes of the kind '{raw.kind}' are not imported",
            f"one of {', '.join(KINDS)}",
            raw.kind,
            nearest(raw.kind, tuple(KINDS)),
        )
    reals: dict[str, NDArray[np.float64]] = {}
    counts: dict[str, NDArray[np.int64]] = {}
    texts: dict[str, str] = {}
    for field, type_ in kind.fields.items():
        value = raw.fields.get(field)
        if value is None:
            if field in kind.optional:
                continue
            raise wrong("BC803", file, name, f"{raw.kind} has no '{field}'", field, "none")
        if isinstance(value, str):
            if type_ != "window" or value not in ("same", "valid"):
                raise wrong("BC803", file, name, f"'{field}' is a text", "numbers", f"'{value}'")
            texts[field] = value
        elif type_ == "reals":
            reals[field] = np.asarray(value, dtype=np.float64)
        else:
            counts[field] = _whole(value, field, type_, name, file)
    return Node(name, raw.kind, _one_shape(reals, kind, name, file), counts, texts)


def _whole(value: NDArray[np.generic], field: str, type_: str, name: str, file: str) -> NDArray[np.int64]:
    low, most = (-_MOST_COUNT, 1) if type_ == "index" else (0, 8)
    real = np.asarray(value, dtype=np.float64)
    if (
        value.ndim > 1
        or not 1 <= value.size <= most
        or np.any((real != np.floor(real)) | (real < low) | (real > _MOST_COUNT))
    ):
        required = f"at most {most} whole numbers from {low} to {_MOST_COUNT}"
        raise wrong(
            "BC803", file, name, f"'{field}' holds no counts", required, f"{value.dtype} {value.shape}"
        )
    return np.asarray(real, dtype=np.int64)


def _one_shape(
    reals: dict[str, NDArray[np.float64]], kind: Kind, name: str, file: str
) -> dict[str, NDArray[np.float64]]:
    """The fields of a neuron in one shape; single numbers are for all neurons."""
    found = {field: reals[field] for field in kind.neurons if field in reals}
    if not found:
        return reals
    try:
        shape = np.broadcast_shapes(*(it.shape for it in found.values() if it.size != 1)) or (1,)
    except ValueError:
        shape = ()
    if shape == () or any(it.size != 1 and it.shape != shape for it in found.values()):
        given = ", ".join(f"{field} {list(it.shape)}" for field, it in found.items())
        raise wrong("BC805", file, name, "its parameters have different shapes", "one shape", given)
    widest = max((it.shape for it in found.values()), key=len)
    shape = shape if np.prod(shape) > 1 else widest or (1,)
    return {
        field: np.broadcast_to(it.reshape(()) if it.size == 1 else it, shape) for field, it in found.items()
    }
