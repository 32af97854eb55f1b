"""Compiled traces of an epoch are those of the specification, whether their history is wanted or not."""

from __future__ import annotations

import numpy as np
import pytest

from burstchip.backends.sim.code.traces import replay, replay_real, take_factor
from hw_models.plasticity.draws import DECAY_BITS
from hw_models.plasticity.traces import history, spike_trace, third_factor

SIZE = 300
LOW_DRAW, HIGH_DRAW = 5, (1 << DECAY_BITS) - 7


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("by_place", [True, False])
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("draw", [LOW_DRAW, HIGH_DRAW])
def test_a_replay(every: int, by_place: bool, keep: bool, wanted: bool, draw: int) -> None:
    random = np.random.default_rng(1)
    trace = spike_trace(9.5, 30.25) if keep else third_factor()
    stored = random.integers(trace.lowest, 128, (1, SIZE)).astype(np.int32)
    noted = random.integers(0, every + 1, SIZE).astype(np.int32)
    expected = history(stored[0].astype(np.int64), noted.astype(np.int64), trace, every, draw, 3)
    last, found = stored.copy(), np.zeros((every + 1 if by_place else 1, 1, SIZE), dtype=np.int32)
    tables = (trace.floors[np.newaxis], trace.thresholds[np.newaxis], trace.lowest)
    impulses = np.array([[trace.impulse, trace.fraction]])
    replay(last, noted, *tables, impulses, every, draw, 3, keep, wanted, found)
    assert np.array_equal(last[0], expected[-1] if keep else stored[0])
    if wanted:
        assert np.array_equal(found[:, 0], expected if by_place else expected[-1:])


@pytest.mark.parametrize("by_place", [True, False])
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("wanted", [True, False])
def test_a_replay_in_reals(by_place: bool, keep: bool, wanted: bool) -> None:
    random = np.random.default_rng(2)
    every, kept, increment = 3, 0.9, 28.4
    stored, noted = random.uniform(0, 100, (1, SIZE)), random.integers(0, every + 1, SIZE).astype(np.int32)
    expected = [stored[0]]
    for place in range(1, every + 1):
        expected.append(expected[-1] * kept + np.where(noted == place, increment, 0.0))
    last, found = stored.copy(), np.zeros((every + 1 if by_place else 1, 1, SIZE))
    floors, none, impulses = np.array([[kept]]), np.zeros((1, 1), dtype=np.int64), np.array([[increment]])
    replay_real(last, noted, floors, none, 0, impulses, every, 0, 0, keep, wanted, found)
    assert np.array_equal(last[0], expected[-1] if keep else stored[0])
    if wanted:
        assert np.array_equal(found[:, 0], expected if by_place else expected[-1:])


def test_third_factors_that_are_all_zero() -> None:
    stored, sent = np.ones((2, SIZE)), np.zeros(SIZE, dtype=np.float32)
    assert not take_factor(stored, 1, sent)
    assert np.array_equal(stored, np.repeat([[1.0], [0.0]], SIZE, axis=1))
    sent[SIZE - 1] = -0.5
    assert take_factor(stored, 1, sent)
    assert stored[1, SIZE - 1] == -0.5
