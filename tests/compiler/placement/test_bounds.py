"""Lower bounds against the exact least number of neurocores, found by an integer program."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import FixedProbability
from compiler.ir.values import Uniform
from compiler.passes.partition import partition
from compiler.placement.bounds import _bins, lower_bounds
from compiler.placement.needs import needs
from hw_models.chips.chip import Chip
from hw_models.chips.reading import chip


def smaller(**limits: int) -> Chip:
    real = chip("loihi2")
    facts = {name: replace(real[name], values=(value,)) for name, value in limits.items()}
    return replace(real, facts={**real.facts, **facts})


def bins_exactly(sizes: list[int], room: int) -> int:
    """The least number of bins, by HiGHS."""
    n = len(sizes)
    # x[i, b]: item i in bin b; y[b]: bin b is used.
    one_each = np.zeros((n, n * n + n))
    held = np.zeros((n, n * n + n))
    for i in range(n):
        one_each[i, i * n : (i + 1) * n] = 1
        for b in range(n):
            held[b, i * n + b] = sizes[i]
    held[np.arange(n), n * n + np.arange(n)] = -room
    cost = np.concatenate([np.zeros(n * n), np.ones(n)])
    rules = [LinearConstraint(one_each, 1, 1), LinearConstraint(held, -np.inf, 0)]
    found = milp(cost, constraints=rules, integrality=np.ones(cost.size), bounds=Bounds(0, 1))
    assert found.success
    return round(found.fun)


@pytest.mark.parametrize("seed", range(8))
def test_the_bound_of_bins_holds(seed: int) -> None:
    draw = np.random.default_rng(seed)
    sizes = draw.integers(1, 20, 7)
    assert _bins(sizes, 20) <= bins_exactly(sizes.tolist(), 20)


def test_the_bound_of_bins_is_more_than_the_sum() -> None:
    # Three items of 11 in bins of 20 fill 1.65 bins, but no two share one.
    assert _bins(np.array([11, 11, 11]), 20) == 3 == bins_exactly([11, 11, 11], 20)
    assert _bins(np.array([12, 12, 9, 9]), 20) == 3 == bins_exactly([12, 12, 9, 9], 20)


def neurocores_exactly(code: ChipProgram, on: Chip, most: int) -> int:
    """The least number of neurocores of one population of one compartment a neuron under the limits of
    compartments and input axons, by HiGHS."""
    (projection,) = code.projections
    size = code.population(projection.target).size
    sources = code.population(projection.source).size
    # x[i, b]: neuron i on b; a[s, b]: source s has an axon there; y[b]: used.
    width = size * most + sources * most + most
    rows, low, high = [], [], []

    def row(entries: dict[int, float], least: float, greatest: float) -> None:
        line = np.zeros(width)
        for at, value in entries.items():
            line[at] = value
        rows.append(line)
        low.append(least)
        high.append(greatest)

    for i in range(size):
        row({i * most + b: 1 for b in range(most)}, 1, 1)
    for b in range(most):
        used = size * most + sources * most + b
        row(
            {**{i * most + b: 1 for i in range(size)}, used: -on["compartments"].value},
            -np.inf,
            0,
        )
        axons = {size * most + s * most + b: 1.0 for s in range(sources)}
        row({**axons, used: -on["input_axons"].value}, -np.inf, 0)
        for pre, post in zip(projection.pre.tolist(), projection.post.tolist(), strict=True):
            row({post * most + b: 1, size * most + pre * most + b: -1}, -np.inf, 0)
    cost = np.concatenate([np.zeros(width - most), np.ones(most)])
    rules = LinearConstraint(np.array(rows), np.array(low), np.array(high))
    found = milp(cost, constraints=rules, integrality=np.ones(width), bounds=Bounds(0, 1))
    assert found.success
    return round(found.fun)


@pytest.mark.parametrize("seed", range(4))
def test_small_networks_between_bound_and_placement(seed: int, make: Any) -> None:
    code = make.compiled(
        make.population("a", "poisson_source", 6, rate=100.0),
        make.population("b", size=7),
        make.projection("a.events", "b.soma", Uniform(-2.0, 2.0), connectivity=FixedProbability(0.3)),
        seed=seed,
    )
    on = smaller(compartments=3, input_axons=5)
    found = partition(code, on)
    exact = neurocores_exactly(code, on, len(found.cores))
    assert found.measures.least_neurocores <= exact <= len(found.cores) <= exact + 1


def test_each_limit_has_its_bound(make: Any) -> None:
    code = make.compiled(
        make.population("a", "poisson_source", 64, rate=100.0),
        make.population("b", "burst_unit", 20),
        make.projection("a.events", "b.soma", Uniform(-2.0, 2.0)),
    )
    # 64 lists of 20 synapses of 8 bits, each 170 bits and so 3 words, or more and shorter ones: 192 words.
    found = lower_bounds(needs(code, smaller(compartments=64, synaptic_memory_bits=64 * 100, input_axons=64)))
    assert found.by_limit == {
        "compartments": 1,
        "synaptic_memory_bits": 2,
        "input_axons": 1,
        "output_axons": 0,
        "synapse_formats": 1,
        "delay_slots": 1,
        "learning_rules": 0,
        "trace_configurations": 0,
    }
    assert found.neurocores == 2


def test_messages_to_other_neurocores_have_a_bound(make: Any) -> None:
    code = make.compiled(
        make.population("a", size=4),
        make.population("b", "burst_unit", 9),
        make.projection("a.events", "b.soma", Uniform(-2.0, 2.0)),
    )
    # All of b's 18 compartments take three neurocores, none of which can hold a neuron of a.
    found = partition(code, smaller(compartments=8))
    assert found.measures.least_remote == 12 == found.measures.remote
