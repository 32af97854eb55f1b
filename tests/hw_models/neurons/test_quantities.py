from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_models.diagnostics import BurstchipError
from hw_models.neurons.quantities import (
    bias_units,
    decay_rate,
    decay_tau,
    integers,
    mantissa_exponent,
    mv_per_unit,
    octaves,
    reals,
    threshold_units,
)


@given(st.floats(1.0, 1000.0))
def test_decays_come_back_as_time_constants(tau: float) -> None:
    rate = decay_rate(tau, 1.0)
    assert isinstance(rate, int)
    assert decay_tau(rate, 1.0) == pytest.approx(tau, rel=0.5 / rate + 1e-3)


@pytest.mark.parametrize(
    ("tau", "step", "rate", "represented"),
    [
        (0.0, 1.0, 4095, 0.0),
        (31.5, 1.0, 128, 31.4973),
        (7.49, 1.0, 512, 7.4889),
        (20.0, 0.1, 20, 20.43),
        # Slower than the slowest decay: nothing is lost.
        (1e9, 1.0, 0, math.inf),
    ],
)
def test_decays(tau: float, step: float, rate: int, represented: float) -> None:
    assert decay_rate(tau, step) == rate
    assert decay_tau(rate, step) == pytest.approx(represented, rel=1e-4)


def test_one_decay_for_each_neuron() -> None:
    rates = decay_rate(np.array([0.0, 31.5]), 1.0)
    assert isinstance(rates, np.ndarray) and rates.tolist() == [4095, 128]
    assert np.asarray(decay_tau(rates, 1.0)).tolist() == [0.0, pytest.approx(31.5, rel=1e-3)]
    assert decay_rate(0.0, 1.0, greatest=4096) == 4096


@given(st.lists(st.integers(-(4095 << 7), 4095 << 7), min_size=1, max_size=5))
def test_mantissa_and_exponent_are_nearest(values: list[int]) -> None:
    mantissas, exponent = mantissa_exponent(np.array(values))
    assert 0 <= exponent <= 7
    assert np.all(np.abs(mantissas) <= 4095)
    assert np.all(np.abs(mantissas * 2.0**exponent - values) <= 2.0**exponent / 2)
    # The exponent is the least that serves: one less would not hold the greatest.
    if exponent:
        assert np.max(np.abs(np.rint(np.array(values) / 2.0 ** (exponent - 1)))) > 4095


def test_a_bias_beyond_the_register_is_the_greatest_there_is() -> None:
    assert mantissa_exponent(10**9) == (4095, 7)
    assert mantissa_exponent(-(10**9)) == (-4095, 7)


def test_integers_round_to_even_and_never_turn_over() -> None:
    assert integers(np.array([0.5, 1.5, -2.5, 2.6])).tolist() == [0, 2, -2, 3]  # type: ignore[union-attr]
    assert integers(1e30) == 1 << 62
    assert integers(-1e30) == -(1 << 62)
    assert reals(integers(3.2)) == 3.0
    assert reals(np.array([1, 2])) == (1.0, 2.0)


def test_bias_is_the_charge_of_a_step() -> None:
    # 100 pA for 1 ms into 100 pF is 1 mV.
    assert bias_units(100.0, 100.0, 20 / 8192, 1.0) == pytest.approx(409.6)
    assert bias_units(100.0, 100.0, 20 / 8192, 0.1) == pytest.approx(40.96)


def test_the_unit_of_voltage_is_a_share_of_the_distance_to_threshold() -> None:
    assert mv_per_unit(-50.0, -70.0) == 20 / 8192
    assert threshold_units(-50.0, -70.0, 20 / 8192) == 128
    # Neurons of one population share the unit, the smallest: the others have a greater threshold.
    threshold = np.array([-50.0, -60.0, -40.0])
    assert mv_per_unit(threshold, -70.0) == 10 / 8192
    assert threshold_units(threshold, -70.0, 10 / 8192).tolist() == [256, 128, 384]
    # Twice as many steps are half the unit.
    assert mv_per_unit(threshold, -70.0, 16384) == 5 / 8192


@pytest.mark.parametrize(
    ("threshold", "given"),
    [(-70.0, "threshold -70 mV, rest -70 mV"), (-80.0, "threshold -80 mV, rest -70 mV")],
)
def test_a_threshold_must_be_above_rest(threshold: float, given: str) -> None:
    with pytest.raises(BurstchipError) as caught:
        mv_per_unit(threshold, -70.0)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.id, diagnostic.given) == ("BC192", given)


def test_the_lowest_threshold_is_named() -> None:
    with pytest.raises(BurstchipError) as caught:
        mv_per_unit(np.array([-50.0, -71.5]), np.array([-70.0, -69.0]))
    assert caught.value.diagnostics[0].given == "threshold -71.5 mV, rest -69 mV"


def test_octaves_are_exact_for_powers_of_two() -> None:
    powers = 2.0 ** np.arange(-20, 21)
    assert octaves(powers).tolist() == list(range(-20, 21))
    assert octaves(1000.0) == pytest.approx(math.log2(1000.0), rel=1e-15)
