"""Synapses as they lie in an artifact: nothing is stored of them that follows from the rest.

pre         sparse: the number of synapses of each source neuron up to the last that has any
post        sparse: the target neuron of each, sorted by source and then target
weights     the integers
delays      one number where all synapses have the same, else the narrowest integers that hold them
kernel      of shared weights, in place of pre, post and weights: the geometry, and each weight once
requested   the distribution, seed and streams of drawn weights; else the weights before rounding, in 32
            bits where these are exactly the 64
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.artifact_signals import Tensors, as_values, decode_signal, encode_signal
from compiler.draws import WeightDraws
from compiler.ir.chip_program import KernelCode, LearningCode, ProjectionCode, TraceCode
from compiler.ir.convolution import Convolution, convolved_pairs
from compiler.ir.values import Constant, Normal, Uniform
from compiler.machine_memory import as_bytes, available_memory
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC846": "a convolution of an artifact that does not fit in memory"})

#: The signals of a learning rule.
_SIGNALS = ("gate", "restart", "halvings")

#: Bytes that a synapse takes while the list of a convolution is made.
_LISTED = 60

_DISTRIBUTIONS: Mapping[str, type[Constant] | type[Uniform] | type[Normal]] = {
    "constant": Constant,
    "uniform": Uniform,
    "normal": Normal,
}


def encode_projection(index: int, projection: ProjectionCode, tensors: Tensors) -> dict[str, Any]:
    """The manifest's entry of a projection; its arrays are added to `tensors`."""
    entry: dict[str, Any] = {}

    def tensor(name: str, values: NDArray[Any]) -> str:
        tensors[f"projection.{index}.{name}"] = np.ascontiguousarray(values)
        return f"projection.{index}.{name}"

    for field in fields(projection):
        value = getattr(projection, field.name)
        if field.name == "kernel":
            if value is not None:
                entry["kernel"] = {
                    **asdict(value.pairs.convolution),
                    "weights": tensor("kernel", value.weights),
                }
        elif projection.kernel is not None and field.name in ("pre", "post", "weights"):
            continue
        elif field.name == "pre":
            entry["pre"] = tensor("pre", np.bincount(value).astype(np.int32))
        elif field.name in ("post", "weights"):
            entry[field.name] = tensor(field.name, value)
        elif field.name == "delays":
            uniform = value.size > 0 and bool(np.all(value == value[0]))
            entry["delays"] = int(value[0]) if uniform else tensor("delays", _narrow(value))
        elif field.name == "requested":
            drawn = isinstance(value, WeightDraws)
            entry["requested"] = _encode_draws(value) if drawn else tensor("requested", _single(value))
        elif field.name == "learning":
            entry["learning"] = (
                None if value is None else _encode_learning(value, f"projection.{index}", tensors)
            )
        elif field.name == "limit" and value is None:
            # Weights that do not learn have none.
            continue
        else:
            entry[field.name] = value
    return entry


def decode_projection(entry: Any, tensors: Tensors) -> ProjectionCode:
    """The projection of a manifest's entry. Raises a usual exception where its tensors do not fit."""
    values = as_values(entry)
    if entry.kernel is None:
        for name in ("post", "weights"):
            values[name] = tensors[values[name]]
        each = tensors[entry.pre]
        assert each.sum() == values["post"].size, "synapses without a source neuron"
        values["pre"] = np.repeat(np.arange(each.size, dtype=np.int32), each)
    else:
        kernel = _decode_kernel(entry.kernel, tensors)
        values |= {"kernel": kernel, "pre": kernel.pairs.pre, "post": kernel.pairs.post}
        values["weights"] = kernel.listed
    if isinstance(entry.delays, int):
        values["delays"] = np.full(values["weights"].size, entry.delays, dtype=np.int16)
    else:
        values["delays"] = tensors[entry.delays].astype(np.int16)
    if isinstance(entry.requested, str):
        values["requested"] = tensors[entry.requested].astype(np.float64)
    else:
        values["requested"] = _decode_draws(entry.requested)
    if entry.learning is not None:
        traces = tuple(TraceCode(**as_values(trace)) for trace in entry.learning.traces)
        gates = {name: decode_signal(getattr(entry.learning, name), tensors) for name in _SIGNALS}
        whole = bool(entry.learning.whole)
        given = {**as_values(entry.learning), **gates, "traces": traces, "whole": whole}
        values["learning"] = LearningCode(**given)
    return ProjectionCode(**values)


def _decode_kernel(entry: Any, tensors: Tensors) -> KernelCode:
    """Raises `BurstchipError` BC846 where its synapses do not fit in memory."""
    numbers = as_values(entry)
    weights = tensors[numbers.pop("weights")]
    convolution = Convolution(**numbers)
    problem = convolution.problem()
    assert not problem, problem
    assert weights.shape == convolution.weights_shape, f"a kernel of {weights.shape}"
    needed, available = convolution.synapses * _LISTED, available_memory()
    if available is not None and needed > available:
        raise BurstchipError(
            Diagnostic(
                "BC846",
                "a convolution of the artifact does not fit in memory",
                required=f"at most {as_bytes(available)}, which is available",
                given=f"{as_bytes(needed)} for {convolution.synapses:,} synapses",
            )
        )
    return KernelCode(convolved_pairs(convolution), weights)


def _encode_learning(learning: LearningCode, prefix: str, tensors: Tensors) -> dict[str, Any]:
    entry = {field.name: getattr(learning, field.name) for field in fields(learning)}
    if not learning.whole:
        del entry["whole"]
    signals = {name: encode_signal(entry[name], f"{prefix}.{name}", tensors) for name in _SIGNALS}
    return {
        **entry,
        **signals,
        "traces": [asdict(trace) for trace in learning.traces],
        "rules": dict(learning.rules),
    }


def _narrow(values: NDArray[np.int16]) -> NDArray[Any]:
    return values.astype(np.int8) if np.all(np.abs(values) < 128) else values


def _single(values: NDArray[np.float64]) -> NDArray[Any]:
    with np.errstate(over="ignore", under="ignore"):
        single = values.astype(np.float32)
    return single if np.array_equal(single, values) else values


def _encode_draws(draws: WeightDraws) -> dict[str, Any]:
    name = next(name for name, kind in _DISTRIBUTIONS.items() if isinstance(draws.distribution, kind))
    return {name: asdict(draws.distribution), "seed": draws.seed, "streams": list(draws.streams)}


def _decode_draws(entry: Any) -> WeightDraws:
    found = {name: getattr(entry, name) for name in _DISTRIBUTIONS if getattr(entry, name) is not None}
    assert len(found) == 1, f"{len(found)} distributions of weights"
    ((name, values),) = found.items()
    return WeightDraws(_DISTRIBUTIONS[name](**as_values(values)), entry.seed, entry.streams)
