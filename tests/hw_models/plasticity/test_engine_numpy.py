"""Lava's integer arithmetic of a learning epoch: worked examples whose numbers Lava gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hw_models.plasticity.engine_numpy import (
    EpochTraces,
    SignMode,
    SynapticVariables,
    accumulate,
    learn,
)
from hw_models.plasticity.grammar import learning_rule, parse_rule

Case = dict[str, Any]
Run = Callable[[Case], dict[str, list[Any]]]


def one_synapse(w: int = 0, t: int = 0, d: int = 0) -> SynapticVariables:
    return SynapticVariables(np.array([[w]]), np.array([[t]]), np.array([[d]]))


def traces(x1: int = 0, x2: int = 0, y1: int = 0, y2: int = 0, y3: int = 0) -> EpochTraces:
    """One neuron on each side, both of which fired in an epoch of one step."""
    x, y = np.array([x1, x2]).reshape(1, 2, 1), np.array([y1, y2, y3]).reshape(1, 3, 1)
    return EpochTraces(np.repeat(x, 2, axis=0), np.repeat(y, 2, axis=0), np.array([1]), np.array([1]))


def accumulated(text: str, synapses: SynapticVariables, read: EpochTraces) -> int:
    return int(accumulate(parse_rule("dw", text), synapses, read, True)[0, 0])


def learned(text: str, w: int, read: EpochTraces, draw: int = 127, sign_mode: SignMode = "mixed") -> int:
    return int(learn(learning_rule(dw=text), one_synapse(w), read, 1, draw, sign_mode).w[0, 0])


def test_the_worked_product() -> None:
    """28 * 40 = 1120, >> 3 = 140, << 4 = 2240, / 128 = 17.5."""
    read = traces(x1=28, y1=40)
    assert accumulated("u0*2^-3*x1*y1", one_synapse(10), read) == 10 * 128 + 2240
    assert learned("u0*2^-3*x1*y1", 10, read, draw=63) == 28
    assert learned("u0*2^-3*x1*y1", 10, read, draw=64) == 27


def test_negative_products_round_down() -> None:
    assert learned("u0*x1*y1", 10, traces(x1=3, y1=5)) == 11
    assert learned("u0*x1*y1", 10, traces(x1=3, y1=-5)) == 8


def test_a_product_wraps_at_32_bits() -> None:
    """127^4 * 100 >> 26 would be 387."""
    read = traces(x1=127, x2=127, y1=127, y2=127)
    assert accumulated("u0*2^-7*x1*x2*y1*y2*w", one_synapse(100), read) == 12800 + 3
    assert learned("u0*2^-7*x1*x2*y1*y2*w", 100, read) == 100


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("u0*2^-7*x1", 100),
        ("u0*2^-7*w", 64),
        ("u0*2^-7*x1*y1", 100 * 90 >> 3),
        ("u0*2^-7*x1*w", 100 * 64 >> 5),
        ("u0*2^-7*x1*t", 100 * 48 >> 5),
        ("u0*2^-7*x1*x2*y1", 100 * 80 * 90 >> 10),
        ("x0*y0*2^-7*x1*y1", 100 * 90 >> 4),
        ("u0*2^-7*sgn(w)*x1", 100 >> 5),
        ("u0*2^-7*(y3-50)", -128),
        ("u0*2^-7*(y2-50)", 127),
        ("-u0*2^-7*y1", -90),
        ("-8*2^8*u0", -32769),
        ("7*2^8*u0", 32767 - 64 * 128),
    ],
)
def test_the_gain_of_a_product(text: str, units: int) -> None:
    read = traces(x1=100, x2=80, y1=90, y2=300, y3=-300)
    got = accumulated(text, one_synapse(w=64, t=48), read) - 64 * 128
    assert got == units


def test_all_variables_read_the_old_values() -> None:
    rule = learning_rule(dw="u0*2^-6*t*y2", dt="u0*2^-4*x1*y1 - u0*t*y2")
    new = learn(rule, one_synapse(w=10, t=-64), traces(x1=32, y1=64, y2=32), 1, 127)
    assert (int(new.w[0, 0]), int(new.t[0, 0])) == (9, (32 * 64 >> 3 << 3) // 128)


@pytest.mark.parametrize(
    ("sign_mode", "w", "change", "result"),
    [
        ("mixed", 250, 100, 255),
        ("mixed", -250, -100, -256),
        ("excitatory", 250, 100, 255),
        ("excitatory", 5, -100, 0),
        ("excitatory", -11, 1, 0),
        ("inhibitory", -250, -100, -255),
        ("inhibitory", -5, 100, 0),
    ],
)
def test_sign_modes(sign_mode: SignMode, w: int, change: int, result: int) -> None:
    for draw in (0, 127):
        assert learned("u0*y1", w, traces(y1=change), draw, sign_mode) == result


def test_a_tag_at_its_lower_end_leaves_it_by_chance() -> None:
    """The accumulator ends at -32769, which is -257 and 127/128, even when no product does anything."""
    rule = learning_rule(dt="u0*x1*y1")
    for draw, t in ((126, -256), (127, -257)):
        assert int(learn(rule, one_synapse(t=-257), traces(), 1, draw).t[0, 0]) == t


def test_uk_counts_learning_epochs() -> None:
    rule = learning_rule(dw="u1*y1")
    synapses, read = one_synapse(10), traces(y1=3)
    assert [int(learn(rule, synapses, read, epoch, 0).w[0, 0]) for epoch in (1, 2, 3, 4)] == [10, 13, 10, 13]


def test_two_connections_in_a_chain(run_specification: Run) -> None:
    """The plastic connection of a chain of spiking neurons, both sides' traces by Lava's own dynamics."""
    spikes = {"x": [0, 1, 0, 0, 1, 0], "y": [0, 0, 1, 0, 0, 1]}
    got = run_specification(
        {
            "rule": {"dw": "x0*y0*2^0 + y0*x1*2^-1 - x0*y1*2^-1"},
            "traces": {"x1_impulse": 16, "x1_tau": 2, "y1_impulse": 16, "y1_tau": 2},
            "epoch": 1,
            "seed": 1,
            "third_factors": False,
            "sign_mode": "mixed",
            "w": [[100]],
            "t": [[0]],
            "d": [[0]],
            "x_spikes": [[spike] for spike in spikes["x"]],
            "y_spikes": [[spike] for spike in spikes["y"]],
            "y_values": [[[0]] * 3] * 6,
        }
    )
    assert np.ravel(got["x1"]).tolist() == [0, 16, 9, 5, 19, 12]
    assert np.ravel(got["y1"]).tolist() == [0, 0, 16, 9, 6, 20]
    assert np.ravel(got["weights"]).tolist() == [100, 100, 105, 105, 102, 108]


@pytest.mark.parametrize(
    ("rule", "y_spikes", "weights"),
    [
        ("u0*2^-3*x1*y1", [0], [10, 10, 28, 14, 3, 3, 40, -2, 31, 5, 25, 26]),
        ("u0*2^-3*x1*y1", [1, 0], [10, 10, 28, 14, 14, 14, 51, 9, 42, 16, 36, 37]),
        ("2^-3*x0*y1", [0], [10, 10, 15, 15, 15, 15, 27, 27, 27, 27, 27, 27]),
        ("u0*y1", [0], [10, 10, 50, 10, -30, -30, 60, -68, 59, -69, 58, 63]),
    ],
)
def test_signed_third_factors(
    run_specification: Run, rule: str, y_spikes: list[int], weights: list[int]
) -> None:
    values = [0, 0, 40, -40, -40, 0, 90, -128, 127, -200, 300, 5]
    got = run_specification(
        {
            "rule": {"dw": rule},
            "traces": {"x1_impulse": 16, "x1_tau": 4},
            "epoch": 1,
            "seed": 1,
            "third_factors": True,
            "sign_mode": "mixed",
            "w": [[10]],
            "t": [[0]],
            "d": [[0]],
            "x_spikes": [[int(step in (2, 3, 7))] for step in range(1, 13)],
            "y_spikes": [[y_spikes[step % len(y_spikes)]] for step in range(12)],
            "y_values": [[[value], [0], [0]] for value in values],
        }
    )
    assert np.ravel(got["x1"]).tolist() == [0, 16, 28, 22, 17, 13, 26, 21, 17, 13, 10, 7]
    assert np.ravel(got["y1"]).tolist() == values
    assert np.ravel(got["weights"]).tolist() == weights
