"""Convolutions and pools: which neurons they join, and which synapses share a weight.

A population of a shape has its neurons in the order [channel, place], the last dimension fastest, as PyTorch
and NIR have them. Neuron o of a dimension reads the places

    o stride - padding + k dilation,  k = 0..kernel - 1,

those outside of the source left out: a correlation, whose kernel is not mirrored. The channels of source and
target fall into `groups` of equal size, and a group of the target reads the same group of the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int32]
Wide = NDArray[np.int64]

#: Places of a kernel in one dimension.
LARGEST_KERNEL = 1024
#: Neurons of one end; that of `burstchip.frontend.language_synapses`.
LARGEST_END = 1 << 24


@dataclass(frozen=True)
class Axis:
    """One dimension of a convolution: places of the source, and how the kernel goes over them."""

    size: int
    kernel: int
    stride: int
    padding: int
    dilation: int

    @property
    def extent(self) -> int:
        """Places from the first to the last that a target neuron reads."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def target(self) -> int:
        """Places of the target; 0 or less where the kernel is larger than the padded source."""
        return (self.size + 2 * self.padding - self.extent) // self.stride + 1

    def taps(self) -> tuple[Wide, Wide, Wide]:
        """(place, target place, place in the kernel) of all that are joined, sorted by the first two."""
        tap, first, count = self._ends()
        tap, first = np.repeat(tap, count), np.repeat(first, count)
        target = first + np.arange(tap.size) - np.repeat(np.cumsum(count) - count, count)
        place = target * self.stride - self.padding + tap * self.dilation
        order = np.lexsort((target, place))
        return place[order], target[order], tap[order]

    @property
    def joined(self) -> int:
        """How many `taps` there are."""
        return int(self._ends()[2].sum())

    def _ends(self) -> tuple[Wide, Wide, Wide]:
        """Of each place in the kernel the first target place that has a source there, and how many do."""
        tap = np.arange(self.kernel)
        offset = self.padding - tap * self.dilation
        first = np.maximum(-(-offset // self.stride), 0)
        last = np.minimum((self.size - 1 + offset) // self.stride, self.target - 1)
        return tap, first, np.maximum(last - first + 1, 0)

    @property
    def unread(self) -> Wide:
        """The places of the source that no target neuron reads."""
        read = np.zeros(self.size, dtype=bool)
        read[self.taps()[0]] = True
        return np.flatnonzero(~read)


@dataclass(frozen=True)
class Convolution:
    """The geometry of a convolution from a source of shape `source`, [channels, places ...].

    `channels` are the target's; `kernel`, `stride`, `padding`, `dilation` have a number for each dimension.
    `pooled`: all synapses have one weight, else as many as `weights_shape` says: [target channel, source
    channel of the group, places ...].
    """

    source: tuple[int, ...]
    channels: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1
    pooled: bool = False

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The dimensions, without the channels."""
        numbers = (self.source[1:], self.kernel, self.stride, self.padding, self.dilation)
        return tuple(Axis(*it) for it in zip(*numbers, strict=True))

    @property
    def target(self) -> tuple[int, ...]:
        """The target's shape, [channels, places ...]."""
        return self.channels, *(axis.target for axis in self.axes)

    @property
    def weights_shape(self) -> tuple[int, ...]:
        """The shape of the weights that are stored once."""
        return (1,) if self.pooled else (self.channels, self.source[0] // self.groups, *self.kernel)

    @property
    def synapses(self) -> int:
        """How many synapses there are, without making them."""
        pairs = self.source[0] * (self.channels // self.groups)
        return pairs * prod(axis.joined for axis in self.axes)

    def problem(self) -> str:
        """What keeps the numbers from being a convolution, for people; "" where nothing does.

        What arrays are made of is bounded: the numbers may come from a file.
        """
        shapes = (self.kernel, self.stride, self.padding, self.dilation)
        if not all(len(it) == len(self.source) - 1 > 0 for it in shapes):
            return "numbers for other dimensions than the source has"
        if min(*self.source, self.channels, self.groups, *self.kernel, *self.stride, *self.dilation) < 1:
            return "a size below 1"
        if max(self.kernel) > LARGEST_KERNEL:
            return f"a kernel of more than {LARGEST_KERNEL} places"
        if self.source[0] % self.groups or self.channels % self.groups:
            return "channels that do not fall into groups"
        axes = self.axes
        if any(not 0 <= axis.padding < axis.extent for axis in axes):
            return "a padding that target neurons see alone"
        if any(axis.target < 1 for axis in axes):
            return "a kernel larger than the padded source"
        if max(prod(self.source), prod(self.target)) > LARGEST_END:
            return f"an end of more than {LARGEST_END} neurons"
        return ""

    @cached_property
    def draws(self) -> tuple[Indices, Indices]:
        """(row, column) that each stored weight is drawn at: its place in the filter, and the filter."""
        number = np.arange(prod(self.weights_shape))
        filters = self.weights_shape[0]
        row, column = number % (number.size // filters), number // (number.size // filters)
        return row.astype(np.int32), column.astype(np.int32)


@dataclass(frozen=True, eq=False)
class ConvolvedPairs:
    """Synapses sorted by source and then target neuron, and the number of the weight that each shares."""

    convolution: Convolution
    pre: Indices
    post: Indices
    entry: Indices


def _places(convolution: Convolution) -> tuple[Wide, Wide, Wide]:
    """(place, target place, place in the kernel) over all dimensions at once, sorted by the first two."""
    place = target = tap = np.zeros(1, dtype=np.int64)
    for axis in convolution.axes:
        one = axis.taps()
        sizes = (axis.size, axis.target, axis.kernel)
        place, target, tap = (
            (whole[:, np.newaxis] * size + part[np.newaxis, :]).ravel()
            for whole, part, size in zip((place, target, tap), one, sizes, strict=True)
        )
    order = np.lexsort((target, place))
    return place[order], target[order], tap[order]


def convolved_pairs(convolution: Convolution) -> ConvolvedPairs:
    """All synapses, in time and memory that grow with their number."""
    assert not convolution.problem(), convolution.problem()
    place, target, tap = _places(convolution)
    inputs, outputs = (count // convolution.groups for count in (convolution.source[0], convolution.channels))
    places, target_places = prod(convolution.source[1:]), prod(convolution.target[1:])
    taps = prod(convolution.kernel)
    # One source channel has the same list as any other: of each place in turn, one channel of the target
    # after the other, and of each its target places.
    count = np.bincount(place, minlength=places)
    start = np.cumsum(count) - count
    each = np.repeat(count, count * outputs)
    within = np.arange(each.size) - np.repeat(start * outputs, count * outputs)
    pair = np.repeat(start, count * outputs) + within % each
    output = within // each
    pre, post, entry = (np.empty(convolution.synapses, dtype=np.int32) for _ in range(3))
    for channel in range(convolution.source[0]):
        part = slice(channel * each.size, (channel + 1) * each.size)
        group, own = divmod(channel, inputs)
        filters = group * outputs + output
        pre[part] = channel * places + place[pair]
        post[part] = filters * target_places + target[pair]
        entry[part] = 0 if convolution.pooled else (filters * inputs + own) * taps + tap[pair]
    return ConvolvedPairs(convolution, pre, post, entry)
