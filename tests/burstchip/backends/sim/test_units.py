"""What is compiled: a unit for each distinct thing to do, whatever the number and size of who does it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from burstchip.backends.sim import compiled
from burstchip.backends.sim.simulator import start
from burstchip.running.recording import record
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import Dense
from compiler.ir.network import Endpoint, Network, Plasticity, Population, Projection, TraceSpec
from compiler.ir.values import Constant, Uniform
from compiler.pipeline import compile_network
from hw_models.neurons.registry import models

TRACES = (TraceSpec("x1", 10.0, 20.0), TraceSpec("y1", 10.0, 20.0))
RULE = Plasticity("rule", "chip", "per_synapse", 4.0, TRACES, {"dw": "x0*2^-2*y1 - y0*2^-2*x1"})
BURST = Plasticity("rule", "carry", "per_synapse", 4.0, (TraceSpec("x1", 10.0, 20.0),), {}, 2.0**-6)

CHIP_BURST = replace(
    BURST, form="chip", learning_rate=2.0**-4, consolidation_rate=2.0**-6, consolidate_every=1
)


def network(
    populations: int,
    projections: int,
    *,
    model: str = "lif",
    size: int = 20,
    delay: float = 1.0,
    seed: int = 1,
    learn: Plasticity | None = None,
) -> ChipProgram:
    """Sources, then `projections` to each of `populations` of `model`."""
    cells = [Population(f"cells{k}", model, size, {"bias": 200.0}) for k in range(populations)]
    bundles = [
        Projection(
            f"p{k}_{i}",
            Endpoint("noise", "events"),
            Endpoint(f"cells{k}", "soma"),
            connectivity=Dense(),
            # Of whole units at any voltage scale, which ten projections make coarser.
            weight=Uniform(2.0, 6.0) if model == "burst_unit" else Uniform(100.0, 200.0),
            delay=Constant(delay),
            **({"learn": "rule"} if learn else {}),
        )
        for k in range(populations)
        for i in range(projections)
    ]
    noise = Population("noise", "poisson_source", 30, {"rate": 100.0})
    rules = (learn,) if learn else ()
    parts: Any = (noise, *cells), tuple(bundles), rules, (), None, "loihi2", {}, models()
    return compile_network(Network("net", 1.0, seed, *parts))


def texts(code: ChipProgram, *probes: tuple[str, str]) -> frozenset[str]:
    return start(code, learning=True, record=probes).kernel.texts


def test_twenty_populations_compile_what_one_does() -> None:
    assert texts(network(20, 1)) == texts(network(1, 1))


@pytest.mark.parametrize(("rule", "model"), [(RULE, "lif"), (BURST, "burst_unit")])
def test_ten_plastic_projections_compile_what_one_does(rule: Plasticity, model: str) -> None:
    assert texts(network(1, 10, model=model, learn=rule)) == texts(network(1, 1, model=model, learn=rule))


@pytest.mark.parametrize(
    ("rule", "model", "at_another_rate"),
    [
        (RULE, "lif", {"rules": {"dw": "x0*2^-5*y1 - y0*2^3*x1"}}),
        (BURST, "burst_unit", {"learning_rate": 2.0**-9}),
        (CHIP_BURST, "burst_unit", {"learning_rate": 2.0**-9, "consolidation_rate": 2.0**-2}),
        (CHIP_BURST, "burst_unit", {"learning_rate": 2.0**3}),
    ],
)
def test_a_sweep_compiles_nothing(rule: Plasticity, model: str, at_another_rate: dict[str, Any]) -> None:
    """Size, delay, learning rate, times, seed and probes are arguments of what is compiled."""

    def run(code: ChipProgram, *variables: str) -> None:
        record(code, steps=20, variables=[("cells0", variable) for variable in variables])

    run(network(1, 1, model=model, learn=rule), "v")
    # Every text is asked for here; a miss is one that this process has not loaded.
    before = compiled._address.cache_info()
    other = replace(rule, every=2.0, **at_another_rate)
    run(network(1, 1, model=model, size=5, learn=rule), "v", "events")
    run(network(1, 1, model=model, size=70, learn=rule), "u" if model == "lif" else "burst_error")
    run(network(3, 2, model=model, delay=4.0, seed=9, learn=other), "v")
    after = compiled._address.cache_info()
    assert after.misses == before.misses > 0 and after.hits > before.hits
