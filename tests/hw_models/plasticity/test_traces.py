"""Spike traces in integers, and the draws that round them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_models.plasticity.draws import counter_draws
from hw_models.plasticity.lava_draws import lava_draws
from hw_models.plasticity.traces import (
    add_impulse,
    decay,
    history,
    integer_trace,
    note_spikes,
    spike_trace,
    third_factor,
)
from hw_models.program.random import at, key


def decayed(draws: list[int]) -> list[int]:
    """A trace of tau 10 after a spike of impulse 100, over the epochs that these draws round."""
    trace = spike_trace(10, 100)
    values = [100]
    for draw in draws:
        values.append(int(decay(np.array(values[-1:]), trace, draw)[0]))
    return values


def test_decay_without_rounding_up() -> None:
    assert decayed([2**53 - 1] * 11) == [100, 90, 81, 73, 66, 59, 53, 47, 42, 38, 34, 30]


def test_decay_with_the_draws_of_lava() -> None:
    draws = lava_draws(3, 0, 12, 1).traces.x_decay
    assert decayed(draws[1:].tolist()) == [100, 91, 82, 74, 67, 61, 55, 50, 45, 41, 37, 33]


@given(st.integers(0, 2**53 - 1), st.floats(0, 1e5), st.integers(0, 127))
def test_decay_in_integers_is_that_in_floats(draw: int, tau: float, value: int) -> None:
    exact = np.exp(np.array([-1 / tau]))[0] * value if tau > 0 else 0.0
    expected = int(np.floor(exact)) + (draw * 2.0**-53 < exact % 1)
    assert int(decay(np.array([value]), spike_trace(tau, 0), draw)[0]) == expected


@pytest.mark.parametrize(
    ("impulse", "draw", "result"),
    [(16, 0, 26), (12.3, 76, 23), (12.3, 77, 22), (0.999, 127, 11), (120, 0, 127), (200, 127, 127)],
)
def test_impulse(impulse: float, draw: int, result: int) -> None:
    """A fraction .3 is 77 of 256, and rounds up in 77 of the 128 draws."""
    assert int(add_impulse(np.array([10]), spike_trace(4, impulse), draw)[0]) == result


def test_a_spikes_own_impulse_is_in_full_and_a_second_one_comes_at_once() -> None:
    trace = spike_trace(4, 16)
    stored, noted = np.array([16, 16, 0]), np.array([0, 1, 1])
    stored = note_spikes(stored, noted, np.array([True, True, False]), trace)
    assert stored.tolist() == [16, 32, 0]
    places = history(stored, np.array([2, 2, 1]), trace, 2, 2**53 - 1, 0)
    assert places.tolist() == [[16, 32, 0], [12, 24, 16], [9 + 16, 18 + 16, 12]]


def test_third_factors_leak_and_lose_their_sign() -> None:
    factor = third_factor()
    values = np.array([127, -128, 0, -40, 300, -200, 10**9])
    never, always = 2**53 - 1, 0
    kept = [127, -128, 0, -40, 300, -200, 512]
    # Without luck a positive value loses one: its floor is below it.
    floors = [value - (value > 0) for value in kept]
    assert decay(values, factor, never).tolist() == floors
    assert decay(values, factor, always).tolist() == [value + (value < 0) for value in kept]
    noted = np.array([0, 2, 0, 1, 1, 0, 2])
    places = history(values, noted, factor, 2, 2**52, 0)
    assert places[1].tolist() == [127, -128, 0, 0, 127, -200, 512]
    assert places[2].tolist() == [127, 0, 0, 0, 127, -200, 127]


def test_the_plain_trace() -> None:
    x = np.array([0, 127, 100, 1])
    assert integer_trace(x, [1, 1, 0, 0], 256, 16).tolist() == [16, 127, 93, 0]


@pytest.mark.parametrize("epoch", [1, 3, 8])
def test_the_draws_of_lava(epoch: int) -> None:
    """Against numpy's generators used as Lava uses them, from several first steps."""
    steps, seed = 50, 12345

    def decays(generator: np.random.Generator) -> list[int]:
        return [int(generator.random(1)[0] * 2**53) for _ in range(2 * steps + 1)]

    def impulses(generator: np.random.Generator) -> list[int]:
        return [int(generator.integers(0, 128, size=1, dtype=int)[0]) for _ in range(2 * steps + 1)]

    x_decay, x_impulse = decays(np.random.default_rng(seed)), impulses(np.random.default_rng(seed + 1))
    y_decay, y_impulse = decays(np.random.default_rng(seed + 2)), impulses(np.random.default_rng(seed + 3))
    rounding = [int(v * 128) for v in np.random.default_rng(2).random(steps + 1)]
    for first in (0, 1, 7, 24):
        draws = lava_draws(seed, first, steps - first, epoch)
        ends = [step for step in range(first, steps) if (step + 1) % epoch == 0]
        assert draws.traces.first_epoch == (ends[0] + 1) // epoch
        assert draws.traces.x_decay.tolist() == [x_decay[2 * (n + 1)] for n in ends]
        assert draws.traces.x_impulse.tolist() == [x_impulse[2 * (n + 1)] for n in ends]
        assert draws.traces.y_decay.tolist() == [y_decay[2 * (n + 1)] for n in ends]
        assert draws.traces.y_impulse.tolist() == [y_impulse[2 * (n + 1)] for n in ends]
        assert draws.traces.y_second.tolist() == [y_impulse[2 * n + 1] for n in range(first, steps)]
        assert draws.rounding.tolist() == [rounding[(n + 1) // epoch] for n in ends]


def test_no_epoch_ends_in_a_short_range() -> None:
    draws = lava_draws(1, 8, 3, 4)
    assert draws.traces.first_epoch == 3 and len(draws.rounding) == len(draws.traces.x_decay) == 0
    assert len(draws.traces.y_second) == 3


def test_draws_by_counter_are_replayed_from_any_step() -> None:
    whole, part = counter_draws(5, 3, 0, 40, 4), counter_draws(5, 3, 10, 30, 4)
    assert part.first_epoch == 3
    for name in ("x_decay", "x_impulse", "y_decay", "y_impulse"):
        assert getattr(whole, name)[2:].tolist() == getattr(part, name).tolist()
    assert whole.y_second[10:].tolist() == part.y_second.tolist()
    assert int(whole.x_decay[0]) == int(at(key(5, 3, 3), 0)) << 21
    assert whole.y_second.min() >= 0 and whole.y_second.max() <= 127
