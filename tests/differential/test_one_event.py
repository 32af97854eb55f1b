"""What the report says that one event does is what it does, in the simulator and in Lava.

Networks are drawn: neurons of both models with drawn time constants and thresholds, and projections whose
weights span up to four decades. Each source emits once, so that every synapse is seen alone.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from burstchip import record
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import ExplicitPairs
from compiler.ir.network import Endpoint, Network, Population, Projection
from compiler.ir.values import Constant
from compiler.pipeline import compile_network
from hw_models.neurons.registry import models

#: Projections of one network, each onto a population of its own.
TARGETS = 10
NAMES = ("least", "median", "greatest")


def drawn(number: int, seed: int) -> tuple[ChipProgram, int]:
    """(a network, how many steps show the whole response of all its neurons)."""
    draw = np.random.default_rng([seed, number])
    step = float(draw.choice([0.1, 0.5, 1.0]))
    clock = Population("clock", "spike_list", 3, {}, spikes=tuple((k, step) for k in range(3)))
    populations, projections, longest = [clock], [], 0.0
    for k in range(TARGETS):
        model = str(draw.choice(["lif", "lif", "burst_unit"]))
        membrane, current = draw.uniform(3, 60), float(draw.choice([0.0, draw.uniform(1, 20)]))
        parameters = {
            "tau_membrane" if model == "lif" else "tau_soma": membrane,
            "tau_current": current,
            "threshold": -70 + draw.uniform(5, 40),
        }
        populations.append(Population(f"cells{k}", model, 3, parameters))
        weights = np.sort(10 ** draw.uniform(-3, 0.6, 3)) * draw.choice([-1, 1])
        pairs = ExplicitPairs.of(((0, 0), (1, 1), (2, 2)), tuple(float(it) for it in weights))
        ends = Endpoint("clock", "events"), Endpoint(f"cells{k}", "soma")
        projections.append(Projection(f"p{k}", *ends, connectivity=pairs, weight=None, delay=Constant(step)))
        longest = max(longest, 3 * (membrane + current))
    parts = tuple(populations), tuple(projections), (), (), None, "loihi2", {}, models()
    return compile_network(Network("events", step, seed, *parts)), round(longest / step) + 10


def peaks(code: ChipProgram, steps: int, backend: str, **more: Any) -> dict[tuple[str, str], float]:
    """The potential that differs most from rest, by (projection, name of the weight), in mV."""
    places = [(f"cells{k}", "v") for k in range(TARGETS)]
    values = record(code, steps, variables=places, backend=backend, **more).values
    found = {}
    for k, place in enumerate(places):
        unit, course = code.population(place[0]).units["v"][0], values[place]
        ends = course[np.argmax(np.abs(course), axis=0), np.arange(3)]
        found |= {
            (f"p{k}", f"one event, {name}"): float(end) * unit for name, end in zip(NAMES, ends, strict=True)
        }
    return found


def reported(code: ChipProgram) -> dict[tuple[str, str], tuple[float, float]]:
    """(asked, done) by (projection, name of the weight)."""
    lines = [line for line in code.quantisation if line.parameter.startswith("one event, ")]
    return {(line.where, line.parameter): (line.requested, line.represented) for line in lines}


def test_it_is_what_the_simulator_does(nightly_networks: int, nightly_seed: int) -> None:
    worst = 0.0
    for number in range(nightly_networks or 4):
        code, steps = drawn(number, nightly_seed)
        told = reported(code)
        assert len(told) == 3 * TARGETS
        assert {name: done for name, (_, done) in told.items()} == peaks(code, steps, "sim")
        for name, exact in peaks(code, steps, "reference").items():
            # What was asked is the peak of the solution on the grid.
            assert exact == pytest.approx(told[name][0], rel=1e-6)
            if abs(told[name][0]) > 0.1:
                worst = max(worst, abs(told[name][1] / exact - 1))
    print(f"an event of more than 0.1 mV does what was asked within {100 * worst:.3g} %")


def test_it_is_what_lava_does(needs_lava: None, nightly_networks: int, nightly_seed: int) -> None:
    for number in range((nightly_networks or 20) // 20):
        code, steps = drawn(number, nightly_seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = peaks(code, min(steps, 1500), "lava")
        assert {name: done for name, (_, done) in reported(code).items()} == found
