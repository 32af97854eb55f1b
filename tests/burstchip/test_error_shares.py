"""Step, parameter and state error of a run, each where it is the only one and where its size is known."""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np
import pytest

from burstchip.error_shares import ErrorShares, error_shares
from compiler.ir.network import Network, Population
from hw_models.neurons.registry import models

STEPS = 400


def shares(step_ms: float, **parameters: Any) -> ErrorShares:
    """Of v of one lif neuron under a constant current, below its threshold."""
    population = Population("n", "lif", 1, {"threshold": 500.0, "tau_current": 0.0, **parameters})
    network = Network("n", step_ms, 0, (population,), (), (), (), None, "loihi2", {}, models())
    (found,) = error_shares(network, STEPS, [("n", "v")])
    assert (found.population, found.variable, found.unit) == ("n", "v", "mV")
    return found


def charged(step_ms: float, tau: float, bias: float) -> Any:
    """v after each step: I dt/C added in each, after a decay by exp(-dt/tau)."""
    kept = exp(-step_ms / tau)
    return bias * step_ms / 100 * (1 - kept ** np.arange(1, STEPS + 1)) / (1 - kept)


def rms(values: Any) -> float:
    return float(np.sqrt(np.mean(values**2)))


def test_a_decay_that_integers_do_not_have_is_parameter_error() -> None:
    """1000 ms at 0.1 ms: without decay the potential rises in a straight line, where 4 % should be lost."""
    found = shares(0.1, tau_membrane=1000.0, bias=1000.0)
    # A decay of at most 1/4096 a step takes 2^19 units to the threshold of 570 mV.
    unit, bias = 570 / (1 << 19), 1.0
    lines = np.rint(bias / unit) * unit * np.arange(1, STEPS + 1)
    assert found.parameter == pytest.approx(rms(lines - charged(0.1, 1000.0, 1000.0)), rel=1e-6)
    # What does not decay is not rounded either.
    assert found.state == pytest.approx(0.0, abs=1e-9)


def test_the_step_error_is_that_of_the_recursion() -> None:
    found = shares(1.0, tau_membrane=20.0, bias=1000.0)
    kept, fine = exp(-1 / 20), exp(-1 / 160)
    n = np.arange(1, STEPS + 1)
    coarse_v = 10.0 * (1 - kept**n) / (1 - kept)
    fine_v = 1.25 * (1 - fine ** (8 * n)) / (1 - fine)
    assert found.step == pytest.approx(rms(coarse_v - fine_v), rel=1e-9)
    assert found.parameter < found.step / 5


def test_state_error_is_that_of_rounding_toward_zero() -> None:
    found = shares(1.0, tau_membrane=20.0, bias=1000.0)
    unit = 570 / 8192
    bias = round(10 / unit)
    integer, real, differences = 0, 0.0, []
    for _ in range(STEPS):
        integer = (integer * (4096 - 200) >> 12) + bias
        real = real * (4096 - 200) / 4096 + bias
        differences.append((integer - real) * unit)
    assert found.state == pytest.approx(rms(np.array(differences)), rel=1e-9)
