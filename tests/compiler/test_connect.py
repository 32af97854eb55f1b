"""Drawn connectivity has the statistics that its rule asks for, and each row draws by itself."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

import compiler.connect
from compiler.connect import with_in_degree, with_probability
from compiler.ir.connectivity import Dense, FixedInDegree, FixedProbability
from compiler.passes.elaborate import elaborate


def within(counts: Any, trials: int, probability: float, sds: float = 5.0) -> bool:
    """Whether all counts lie in the bounds of a binomial distribution."""
    sd = np.sqrt(trials * probability * (1 - probability))
    return bool(np.all(np.abs(np.asarray(counts) - trials * probability) <= sds * sd + 1))


@pytest.mark.parametrize("probability", [0.003, 0.1, 0.5, 0.97])
def test_rows_and_columns_are_binomial(probability: float) -> None:
    pre, post = with_probability(probability, 700, 500, 3, 9)
    out, into = np.bincount(pre, minlength=700), np.bincount(post, minlength=500)
    assert within(out, 500, probability) and within(into, 700, probability)
    assert within(pre.size, 700 * 500, probability)
    # Too even would be as wrong as too uneven: the variance of 700 counts is known within 5 of its own sds.
    for counts, trials in ((out, 500), (into, 700)):
        variance = trials * probability * (1 - probability)
        assert abs(counts.var() / variance - 1) < 5 * np.sqrt((2 + 1 / variance) / counts.size)


def test_pairs_are_independent() -> None:
    pre, post = with_probability(0.2, 800, 600, 1, 2)
    connected = np.zeros((800, 600), dtype=bool)
    connected[pre, post] = True
    neighbours = (connected[:, 1:] & connected[:, :-1], connected[1:] & connected[:-1])
    for both in neighbours:
        assert within(np.count_nonzero(both), both.size, 0.04)


def test_rare_pairs_reach_every_part_of_a_long_row() -> None:
    # 10^13 pairs, far beyond 32 bits, of which about 1,000 are chosen.
    pre, post = with_probability(1e-10, 100_000, 100_000_000, 5, 6)
    assert within(pre.size, 10**13, 1e-10)
    for ends, size in ((pre, 100_000), (post, 100_000_000)):
        assert ends.min() >= 0 and ends.max() < size
        assert within(np.histogram(ends, 10, (0, size))[0], pre.size, 0.1)


def test_no_pair_and_every_pair() -> None:
    assert with_probability(0.0, 5, 7, 0, 1)[0].size == 0
    pre, post = with_probability(1.0, 5, 7, 0, 1)
    assert pre.tolist() == [j for j in range(5) for _ in range(7)] and post.tolist() == list(range(7)) * 5


def test_a_row_draws_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    pre, post = with_probability(0.1, 60, 90, 1, 2)
    shorter = with_probability(0.1, 40, 50, 1, 2)
    inside = (pre < 40) & (post < 50)
    assert np.array_equal(shorter, (pre[inside], post[inside]))
    sources, targets = with_in_degree(7, 50, 90, 1, 2)
    fewer = with_in_degree(7, 50, 30, 1, 2)
    assert np.array_equal(fewer, (sources[targets < 30], targets[targets < 30]))
    monkeypatch.setattr(compiler.connect, "BLOCK", 16)
    assert np.array_equal(with_probability(0.1, 60, 90, 1, 2), (pre, post))
    assert np.array_equal(with_in_degree(7, 50, 90, 1, 2), (sources, targets))


@pytest.mark.parametrize("degree", [0, 1, 40, 51, 99, 100])
def test_in_degree_is_exact_and_its_sources_differ(degree: int) -> None:
    pre, post = with_in_degree(degree, 100, 300, 4, 5)
    assert np.bincount(post, minlength=300).tolist() == [degree] * 300
    assert np.all(np.diff(pre.astype(np.int64) * 300 + post) > 0)
    assert within(np.bincount(pre, minlength=100), 300, degree / 100)


@pytest.mark.parametrize("degree", [0, 1, 3, 4])
def test_in_degree_is_exact_without_autapses(degree: int) -> None:
    pre, post = with_in_degree(degree, 5, 5, 4, 5, autapses=False)
    assert np.bincount(post, minlength=5).tolist() == [degree] * 5
    assert not np.any(pre == post) and np.all(np.diff(pre * 5 + post) > 0)
    counts = [
        np.bincount(with_in_degree(degree, 5, 5, seed, 5, autapses=False)[0], minlength=5)
        for seed in range(400)
    ]
    assert within(sum(counts), 400 * 4, degree / 4)


@pytest.mark.parametrize("rule", [Dense(), FixedProbability(0.4), FixedInDegree(3)])
def test_a_projection_without_autapses(make: Any, rule: Any) -> None:
    def pairs(autapses: bool) -> set[tuple[int, int]]:
        ends = make.projection("a.events", "a.soma", 1.0, connectivity=rule, autapses=autapses)
        (found,) = elaborate(make.network(make.population("a", size=7), ends)).synapses
        assert found.dense == (autapses and rule == Dense())
        return set(zip(found.pre.tolist(), found.post.tolist(), strict=True))

    apart = pairs(False)
    assert all(pre != post for pre, post in apart)
    if not isinstance(rule, FixedInDegree):
        # The others are as they were.
        assert apart == {ends for ends in pairs(True) if ends[0] != ends[1]}


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_every_choice_of_sources_is_equally_likely(degree: int) -> None:
    pre, post = with_in_degree(degree, 5, 6000, 8, 9)
    chosen = np.bincount(post, weights=1 << pre, minlength=6000).astype(int)
    choices = [sum(1 << k for k in choice) for choice in combinations(range(5), degree)]
    counts = np.bincount(chosen, minlength=32)
    assert counts.sum() == counts[choices].sum()
    assert within(counts[choices], 6000, 1 / len(choices))


def test_in_degree_beyond_32_bits_of_pairs() -> None:
    pre, post = with_in_degree(1, 2_000_000_000, 10_000, 1, 2)
    assert np.array_equal(np.sort(post), np.arange(10_000))
    assert within(np.histogram(pre, 10, (0, 2_000_000_000))[0], 10_000, 0.1)


@pytest.mark.parametrize("rule", [FixedProbability(0.2), FixedInDegree(6)])
def test_a_projection_s_pairs_do_not_depend_on_another_s(make: Any, rule: Any) -> None:
    def pairs(other: Any) -> list[tuple[list[int], list[int]]]:
        parts = [make.population("a", size=30), make.population("b", size=40)]
        for name, connectivity in (("first", other), ("second", rule)):
            parts.append(make.projection("a.events", "b.soma", 1.0, name=name, connectivity=connectivity))
        return [(s.pre.tolist(), s.post.tolist()) for s in elaborate(make.network(*parts)).synapses]

    same, fewer = pairs(rule), pairs(FixedProbability(0.05))
    assert same[1] == fewer[1]
    assert same[0] != same[1]


def test_the_pairs_are_the_same_on_every_platform() -> None:
    pre, post = with_probability(0.3, 3, 8, 1, 2)
    assert list(zip(pre.tolist(), post.tolist(), strict=True)) == [(1, 2), (2, 0), (2, 1), (2, 3)]
    pre, post = with_in_degree(2, 6, 4, 1, 2)
    assert list(zip(pre.tolist(), post.tolist(), strict=True)) == [
        (0, 0),
        (0, 1),
        (2, 1),
        (3, 3),
        (4, 0),
        (4, 2),
        (4, 3),
        (5, 2),
    ]
