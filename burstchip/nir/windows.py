"""Convolution and pooling as sparse matrices [output, input], by index arithmetic alone.

An output o of an axis reads, through place k of the kernel, the input i = o stride - padding + k dilation,
where that lies within the input. A convolution of NIR is a correlation, as in the libraries that write it:

    y[c, o] = sum over g's channels and k of weight[c, channel, k] x[channel, i(o, k)] + bias[c]

Source: NIR 1.0, `Conv1d`, `Conv2d`, `SumPool2d`, `AvgPool2d`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """One axis of a window: the outputs that there are and, entry by entry, output, kernel place, input."""

    outputs: int
    output: Whole
    place: Whole
    input: Whole


def outputs_of(size: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int) -> int:
    """How many outputs an axis of `size` inputs has; `padding` is what lies before and behind them."""
    room = size + sum(padding) - dilation * (kernel - 1) - 1
    return room // stride + 1 if room >= 0 else 0


def axis(size: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int) -> Axis:
    """The entries of an axis; arguments as of `outputs_of`."""
    outputs = outputs_of(size, kernel, stride, padding, dilation)
    output, place = (it.reshape(-1) for it in np.mgrid[:outputs, :kernel])
    at = output * stride - padding[0] + place * dilation
    inside = (at >= 0) & (at < size)
    return Axis(outputs, output[inside], place[inside], at[inside])


@dataclass(frozen=True)
class Entries:
    """The entries of a sparse matrix: rows, columns, values; and the shape of what the rows are."""

    shape: tuple[int, ...]
    row: Whole
    column: Whole
    value: NDArray[np.float64]


def count(axes: Sequence[Axis], channels_out: int, channels_in: int) -> int:
    """How many entries `correlation` has where each output channel reads `channels_in`."""
    return channels_out * channels_in * int(np.prod([len(it.output) for it in axes], dtype=object))


def correlation(
    weight: NDArray[np.float64], groups: int, sizes: Sequence[int], axes: Sequence[Axis]
) -> Entries:
    """The matrix of a convolution: `weight` [channel out, channel in its group, kernel...], input `sizes`."""
    channels_out, per_group = weight.shape[:2]
    outputs = tuple(it.outputs for it in axes)
    grid = np.meshgrid(*(np.arange(len(it.output)) for it in axes), indexing="ij")
    at = [it.reshape(-1) for it in grid]
    row = np.ravel_multi_index([a.output[i] for a, i in zip(axes, at, strict=True)], outputs)
    column = np.ravel_multi_index([a.input[i] for a, i in zip(axes, at, strict=True)], tuple(sizes))
    place = np.ravel_multi_index([a.place[i] for a, i in zip(axes, at, strict=True)], weight.shape[2:])
    # [channel out, channel of a group, entry]
    value = weight.reshape(channels_out, per_group, -1)[:, :, place]
    out = np.arange(channels_out)[:, None, None]
    into = out // (channels_out // groups) * per_group + np.arange(per_group)[None, :, None]
    n_out, n_in = int(np.prod(outputs)), int(np.prod(sizes))
    rows = np.broadcast_to(out * n_out + row, value.shape)
    columns = np.broadcast_to(into * n_in + column, value.shape)
    return Entries((channels_out, *outputs), rows.reshape(-1), columns.reshape(-1), value.reshape(-1))
