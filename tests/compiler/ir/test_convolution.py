"""The synapses of a convolution are those of its definition, written as loops and as SciPy has it."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import correlate

from compiler.ir.convolution import LARGEST_KERNEL, Convolution, convolved_pairs

Integers = NDArray[np.int64]


@st.composite
def convolutions(draw: st.DrawFn) -> Convolution:
    dimensions = draw(st.integers(1, 2))

    def numbers(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.lists(st.integers(low, high), min_size=dimensions, max_size=dimensions)))

    pooled = draw(st.booleans())
    groups = draw(st.integers(1, 3))
    # A pool has as many groups as channels.
    inputs, outputs = (1, 1) if pooled else (draw(st.integers(1, 2)), draw(st.integers(1, 3)))
    kernel, dilation = numbers(1, 4), numbers(1, 3)
    padding = tuple(
        draw(st.integers(0, (size - 1) * apart)) for size, apart in zip(kernel, dilation, strict=True)
    )
    found = Convolution(
        (groups * inputs, *numbers(1, 7)),
        groups * outputs,
        kernel,
        numbers(1, 4),
        padding,
        dilation,
        groups,
        pooled,
    )
    assume(not found.problem())
    return found


def by_definition(it: Convolution, weights: Integers, source: Integers) -> Integers:
    """The sum over the kernel, neuron by neuron."""
    inputs, outputs = it.source[0] // it.groups, it.channels // it.groups
    result = np.zeros(it.target, dtype=np.int64)
    for channel, *at in product(*map(range, it.target)):
        for own, *tap in product(range(inputs), *map(range, it.kernel)):
            place = [
                o * stride - padding + k * dilation
                for o, k, stride, padding, dilation in zip(
                    at, tap, it.stride, it.padding, it.dilation, strict=True
                )
            ]
            if all(0 <= p < size for p, size in zip(place, it.source[1:], strict=True)):
                weight = weights[0] if it.pooled else weights[(channel, own, *tap)]
                read = channel // outputs * inputs + own
                result[(channel, *at)] += weight * source[(read, *place)]
    return result


def from_pairs(it: Convolution, weights: Integers, source: Integers) -> Integers:
    pairs = convolved_pairs(it)
    sent = weights.ravel()[pairs.entry] * source.ravel()[pairs.pre]
    return np.bincount(pairs.post, sent, prod(it.target)).astype(np.int64).reshape(it.target)


@settings(max_examples=80, deadline=None)
@given(convolutions(), st.integers(0, 1 << 20))
def test_synapses_sum_what_the_definition_does(it: Convolution, seed: int) -> None:
    random = np.random.default_rng(seed)
    weights = random.integers(-99, 100, it.weights_shape)
    source = random.integers(0, 9, it.source)
    assert np.array_equal(from_pairs(it, weights, source), by_definition(it, weights, source))


@settings(max_examples=60, deadline=None)
@given(convolutions())
def test_synapses_are_sorted_counted_and_each_there_once(it: Convolution) -> None:
    pairs = convolved_pairs(it)
    places = pairs.pre.astype(np.int64) * prod(it.target) + pairs.post
    assert np.all(np.diff(places) > 0)
    assert pairs.pre.size == it.synapses
    if not it.synapses:
        # Where no target neuron reads any column, none reads a row.
        return
    read = np.zeros(it.source, dtype=bool)
    read.ravel()[pairs.pre] = True
    for dimension, axis in enumerate(it.axes, 1):
        others = tuple(k for k in range(read.ndim) if k != dimension)
        assert np.array_equal(axis.unread, np.flatnonzero(~read.any(axis=others)))


@pytest.mark.parametrize(
    ("rows", "columns", "kernel", "padding"), [(9, 7, (3, 3), (0, 0)), (6, 8, (4, 3), (3, 1))]
)
def test_it_is_the_correlation_of_scipy(
    rows: int, columns: int, kernel: tuple[int, int], padding: tuple[int, int]
) -> None:
    random = np.random.default_rng(rows)
    it = Convolution((3, rows, columns), 4, kernel, (1, 1), padding, (1, 1))
    weights, source = random.integers(-9, 9, it.weights_shape), random.integers(0, 5, it.source)
    padded = np.pad(source, [(0, 0), *((p, p) for p in padding)])
    wanted = [sum(correlate(padded[c], one[c], "valid") for c in range(3)) for one in weights]
    assert np.array_equal(from_pairs(it, weights, source), wanted)


GOOD: dict[str, Any] = {
    "source": (4, 8, 8),
    "channels": 6,
    "kernel": (3, 3),
    "stride": (1, 1),
    "padding": (0, 0),
    "dilation": (1, 1),
    "groups": 2,
}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, ""),
        ({"kernel": (3,)}, "numbers for other dimensions than the source has"),
        ({"source": (4,), "kernel": ()}, "numbers for other dimensions than the source has"),
        ({"stride": (1, 0)}, "a size below 1"),
        ({"kernel": (1, LARGEST_KERNEL + 1)}, "a kernel of more than 1024 places"),
        ({"groups": 3}, "channels that do not fall into groups"),
        ({"padding": (0, 3)}, "a padding that target neurons see alone"),
        ({"padding": (-1, 0)}, "a padding that target neurons see alone"),
        ({"dilation": (4, 1)}, "a kernel larger than the padded source"),
        ({"source": (4, 1 << 12, 1 << 11)}, "an end of more than 16777216 neurons"),
    ],
)
def test_numbers_that_are_no_convolution_are_named(change: dict[str, Any], problem: str) -> None:
    assert Convolution(**{**GOOD, **change}).problem() == problem
