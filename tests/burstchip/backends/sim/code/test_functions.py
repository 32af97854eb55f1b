"""Compiled functions are those of the table, as exact as they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import njit

from burstchip.backends.sim.code import functions
from hw_models.program.functions import FUNCTIONS


def each(function: Callable[[Any], Any], x: Any) -> Any:
    @njit
    def loop(x: Any) -> Any:
        y = np.empty_like(x)
        for i in range(x.size):
            y[i] = function(x[i])
        return y

    return loop(x)


RANDOM = np.random.default_rng(1)
ARGUMENTS = np.concatenate([np.linspace(-20, 20, 200_001), RANDOM.uniform(-80, 80, 100_000), [0.0, -0.0]])


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@pytest.mark.parametrize(("suffix", "number", "error"), [("", np.float64, 1e-15), ("32", np.float32, 3e-7)])
def test_a_function_of_the_table(name: str, suffix: str, number: Any, error: float) -> None:
    x = ARGUMENTS.astype(number)
    found = each(getattr(functions, name + suffix), x)
    assert found.dtype == number
    exact = FUNCTIONS[name].real(x.astype(np.float64))
    assert np.all(np.abs(found - exact) <= error * np.maximum(np.abs(exact), 0 if name == "exp" else 1))


@pytest.mark.parametrize(("suffix", "number", "most"), [("", np.float64, 709.0), ("32", np.float32, 88.0)])
def test_exponentials_end_where_numbers_do(suffix: str, number: Any, most: float) -> None:
    exp = getattr(functions, "exp" + suffix)
    low, high, none = each(exp, np.array([-1e30, 1e30, np.nan], dtype=number))
    assert 0 < low < 1e-37
    assert high == pytest.approx(np.exp(most), rel=1e-4)
    assert np.isnan(none)


@pytest.mark.parametrize(("suffix", "number", "most"), [("", np.float64, 1022), ("32", np.float32, 126)])
def test_powers_of_two(suffix: str, number: Any, most: int) -> None:
    n = np.arange(-most, most + 1)
    found = each(getattr(functions, "power_of_two" + suffix), n.astype(number))
    assert np.array_equal(found, np.ldexp(number(1), n))
