"""elaborate: draw connectivity, weights and delays. Network in, Elaborated out; every draw is seeded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compiler.ir.elaborated import Elaborated, Streams, Synapses
from compiler.ir.network import (
    Constant,
    Dense,
    Distribution,
    ExplicitPairs,
    FixedInDegree,
    FixedProbability,
    Network,
    Normal,
    OneToOne,
    Projection,
    TensorFile,
    Uniform,
)
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.elementary import cos_turns, log
from hw_models.program.random import at, key, row

register_codes(
    {
        "BC301": "a weight tensor file cannot be used",
    }
)

Indices = NDArray[np.int32]


def _grid(n_pre: int, n_post: int) -> tuple[Indices, Indices]:
    pre = np.repeat(np.arange(n_pre, dtype=np.int32), n_post)
    return pre, np.tile(np.arange(n_post, dtype=np.int32), n_pre)


def _bits(seed: int, stream: int, pre: Indices, post: Indices) -> NDArray[np.uint32]:
    """32 random bits a synapse, the same whichever other synapses exist."""
    return at(row(key(seed, stream, 0), pre), post)


def _read_tensor(projection: Projection, file: TensorFile, shape: tuple[int, int]) -> NDArray[np.float64]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    def error(message: str, required: str, given: str) -> BurstchipError:
        place = projection.places.get("connectivity", projection.place)
        return BurstchipError(Diagnostic("BC301", message, place, required=required, given=given))

    if not Path(file.path).is_file():
        raise error(f"weight file '{file.path}' is not there", "a safetensors file", file.path)
    try:
        tensors = load_file(file.path)
    except (SafetensorError, OSError) as reason:
        raise error(f"weight file '{file.path}' cannot be read", "a safetensors file", str(reason)) from None
    if file.tensor not in tensors:
        raise error(f"no tensor '{file.tensor}' in '{file.path}'", f"one of {sorted(tensors)}", file.tensor)
    matrix = np.asarray(tensors[file.tensor], dtype=np.float64)
    if matrix.shape != shape:
        raise error(
            f"tensor '{file.tensor}' has the wrong shape", f"(target, source) = {shape}", f"{matrix.shape}"
        )
    if not np.all(np.isfinite(matrix)):
        raise error(f"tensor '{file.tensor}' holds NaN or infinity", "finite weights", "NaN or infinity")
    return matrix


def _draw(
    distribution: Distribution, seed: int, streams: tuple[int, int], pre: Indices, post: Indices
) -> NDArray[np.float64]:
    if isinstance(distribution, Constant):
        return np.full(pre.shape, distribution.value)
    first = (_bits(seed, streams[0], pre, post).astype(np.float64) + 0.5) / 2**32
    if isinstance(distribution, Uniform):
        return np.asarray(distribution.low + (distribution.high - distribution.low) * first)
    assert isinstance(distribution, Normal)
    second = (_bits(seed, streams[1], pre, post).astype(np.float64) + 0.5) / 2**32
    standard = np.sqrt(-2 * log(first)) * cos_turns(second)
    return np.asarray(distribution.mean + distribution.sd * standard)


def _delays(
    distribution: Distribution, step_ms: float, seed: int, stream: int, pre: Indices, post: Indices
) -> Indices:
    """Delays in steps; of a uniform distribution every whole number of steps is equally likely."""
    assert isinstance(distribution, (Constant, Uniform)), "a delay is constant or uniform"
    bounds = (
        (distribution.low, distribution.high)
        if isinstance(distribution, Uniform)
        else (distribution.value,) * 2
    )
    # Far more than any chip has, and still an int32.
    low, high = (min(round(bound / step_ms), 1 << 20) for bound in bounds)
    bits = _bits(seed, stream, pre, post).astype(np.uint64)
    return (low + (bits * np.uint64(high - low + 1) >> np.uint64(32)).astype(np.int64)).astype(np.int32)


def _pairs(
    projection: Projection, seed: int, stream: int, n_pre: int, n_post: int
) -> tuple[Indices, Indices, NDArray[np.float64] | None]:
    """The connected pairs sorted by source then target, and their weights where the connectivity has them."""
    rule = projection.connectivity
    if isinstance(rule, Dense):
        return (*_grid(n_pre, n_post), None)
    if isinstance(rule, OneToOne):
        diagonal = np.arange(n_pre, dtype=np.int32)
        return diagonal, diagonal.copy(), None
    if isinstance(rule, TensorFile):
        matrix = _read_tensor(projection, rule, (n_post, n_pre)).T
        present = np.nonzero(matrix)
        return present[0].astype(np.int32), present[1].astype(np.int32), matrix[present]
    if isinstance(rule, ExplicitPairs):
        listed = np.asarray(rule.pairs, dtype=np.int32).reshape(-1, 2)
        order = np.lexsort((listed[:, 1], listed[:, 0]))
        weights = None if rule.weights is None else np.asarray(rule.weights, dtype=np.float64)[order]
        return listed[order, 0], listed[order, 1], weights
    pre, post = _grid(n_pre, n_post)
    bits = _bits(seed, stream, pre, post)
    if isinstance(rule, FixedProbability):
        chosen = bits.astype(np.float64) < rule.probability * 2.0**32
        return pre[chosen], post[chosen], None
    assert isinstance(rule, FixedInDegree)
    # The sources with the smallest draws, a uniform choice without replacement.
    smallest = np.argsort(bits.reshape(n_pre, n_post), axis=0, kind="stable")[: rule.in_degree]
    mask = np.zeros((n_pre, n_post), dtype=bool)
    mask[smallest, np.arange(n_post)] = True
    present = np.nonzero(mask)
    return present[0].astype(np.int32), present[1].astype(np.int32), None


def elaborate(network: Network) -> Elaborated:
    """Draw every synapse of the network. Raises `BurstchipError` BC301 for an unusable tensor file."""
    sizes = {population.name: population.size for population in network.populations}
    plastic = sum(projection.learn is not None for projection in network.projections)
    streams = Streams(len(network.populations), plastic, len(network.projections))
    seed = network.seed
    drawn = []
    for index, projection in enumerate(network.projections):
        n_pre, n_post = sizes[projection.source.population], sizes[projection.target.population]
        pre, post, weights = _pairs(projection, seed, streams.connectivity(index), n_pre, n_post)
        quantiles = None
        if weights is None and isinstance(projection.weight, Uniform):
            quantiles = (_bits(seed, streams.weights(index), pre, post) >> np.uint32(16)).astype(np.int32)
        elif weights is None:
            assert projection.weight is not None
            weights = _draw(
                projection.weight, seed, (streams.weights(index), streams.second_weights(index)), pre, post
            )
        delays = _delays(projection.delay, network.step, seed, streams.delays(index), pre, post)
        drawn.append(
            Synapses(
                projection=projection,
                dense=isinstance(projection.connectivity, Dense),
                pre=pre,
                post=post,
                quantiles=quantiles,
                weights=weights,
                delays=delays - 1,
            )
        )
    return Elaborated(network, streams, tuple(drawn))
