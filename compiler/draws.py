"""What is drawn of each synapse: a pure function of seed, stream, source and target neuron.

So a synapse has the same weight and delay whichever other synapses exist.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.ir.values import Constant, Distribution, Normal, Uniform
from hw_models.elementary import cos_turns, log
from hw_models.neurons.quantities import nearest_steps
from hw_models.program.random import at, key, row

Indices = NDArray[np.int32]

#: Synapses at a time: what is computed on the way to a result stays in the processor's cache.
BLOCK = 1 << 16


def blocks(count: int) -> Iterator[slice]:
    """`count` things in parts of at most `BLOCK`."""
    for first in range(0, count, BLOCK):
        yield slice(first, min(first + BLOCK, count))


def grid(n_pre: int, n_post: int) -> tuple[Indices, Indices]:
    """Every pair of neurons, in order of source and then target."""
    pre = np.repeat(np.arange(n_pre, dtype=np.int32), n_post)
    return pre, np.tile(np.arange(n_post, dtype=np.int32), n_pre)


def synapse_bits(seed: int, stream: int, pre: Indices, post: Indices) -> NDArray[np.uint32]:
    """32 random bits a synapse."""
    bits = np.empty(pre.shape, dtype=np.uint32)
    start = key(seed, stream, 0)
    for part in blocks(pre.size):
        bits[part] = at(row(start, pre[part]), post[part])
    return bits


def quantiles(seed: int, stream: int, pre: Indices, post: Indices) -> Indices:
    """16 random bits a synapse, which say where in a uniform distribution its weight is."""
    return (synapse_bits(seed, stream, pre, post) >> np.uint32(16)).astype(np.int32)


def _unit_interval(bits: NDArray[np.uint32]) -> NDArray[np.float64]:
    return np.asarray((bits.astype(np.float64) + 0.5) / 2**32)


def _standard_normal(first: NDArray[np.uint32], second: NDArray[np.uint32]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(-2 * log(_unit_interval(first))) * cos_turns(_unit_interval(second)))


@dataclass(frozen=True)
class WeightDraws:
    """The physical weights of a projection as a distribution, its seed, and the streams of two draws."""

    distribution: Distribution
    seed: int
    streams: tuple[int, int]

    def __call__(self, pre: Indices, post: Indices) -> NDArray[np.float64]:
        """The weights of these synapses."""
        distribution, seed = self.distribution, self.seed
        weights = np.empty(pre.shape)
        for part in blocks(pre.size):
            ends = pre[part], post[part]
            if isinstance(distribution, Constant):
                weights[part] = distribution.value
            elif isinstance(distribution, Uniform):
                span = distribution.high - distribution.low
                where = quantiles(seed, self.streams[0], *ends)
                weights[part] = distribution.low + span * (where + 0.5) / 65536
            else:
                first, second = (synapse_bits(seed, stream, *ends) for stream in self.streams)
                weights[part] = distribution.mean + distribution.sd * _standard_normal(first, second)
        return weights


def draw_values(
    distribution: Uniform | Normal, seed: int, stream: int, what: str, size: int
) -> NDArray[np.float64]:
    """A value for each neuron; `what` tells the values of a population's stream apart, in any order."""
    start = key(seed, stream, zlib.crc32(what.encode()))
    first, second = (at(row(start, number), np.arange(size)) for number in range(2))
    if isinstance(distribution, Uniform):
        span = distribution.high - distribution.low
        return np.asarray(distribution.low + span * _unit_interval(first))
    return np.asarray(distribution.mean + distribution.sd * _standard_normal(first, second))


def draw_delays(
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
    low, high = (min(int(nearest_steps(bound, step_ms)), 1 << 20) for bound in bounds)
    if low == high:
        return np.full(pre.shape, low, dtype=np.int32)
    delays = np.empty(pre.shape, dtype=np.int32)
    for part in blocks(pre.size):
        bits = synapse_bits(seed, stream, pre[part], post[part]).astype(np.uint64)
        delays[part] = low + (bits * np.uint64(high - low + 1) >> np.uint64(32)).astype(np.int64)
    return delays
