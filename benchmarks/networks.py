"""The networks that are measured, in physical units: each keeps one part of the simulator busy."""

from __future__ import annotations

from dataclasses import replace

from compiler.ir.connectivity import Connectivity, Dense, FixedInDegree, FixedProbability
from compiler.ir.network import Endpoint, Network, Plasticity, Population, Projection, TraceSpec
from compiler.ir.values import Constant, Distribution, Uniform
from hw_models.neurons.registry import models

_ONE_STEP = Constant(1.0)


def _network(name: str, populations: tuple[Population, ...], projections: tuple[Projection, ...]) -> Network:
    return Network(
        name=name,
        step=1.0,
        seed=0,
        populations=populations,
        projections=projections,
        plasticity=(),
        probes=(),
        task=None,
        target="loihi2",
        parameters={},
        models=models(),
    )


def lif_population(size: int) -> Network:
    """`size` LIF neurons that a bias current alone drives over the threshold about every 19 steps."""
    return _network("lif", (Population("cells", "lif", size, {"bias": 160.0}),), ())


def poisson_to_lif(
    connectivity: Connectivity, size: int = 1000, rate: float = 100.0, delay: Distribution = _ONE_STEP
) -> Network:
    """`size` Poisson sources at `rate` Hz, synapses with mixed weights, `size` LIF neurons."""
    return _network(
        "events",
        (
            Population("senses", "poisson_source", size, {"rate": rate}),
            Population("cells", "lif", size, {"bias": 80.0}),
        ),
        (
            Projection(
                name="senses->cells.soma",
                source=Endpoint("senses", "events"),
                target=Endpoint("cells", "soma"),
                connectivity=connectivity,
                weight=Uniform(-1.0, 1.0),
                delay=delay,
            ),
        ),
    )


def dense_events() -> Network:
    """1000 Poisson sources to each of 1000 LIF neurons."""
    return poisson_to_lif(Dense())


def sparse_events() -> Network:
    """The same with a tenth of the synapses."""
    return poisson_to_lif(FixedProbability(0.1))


def large_events(size: int = 100_000) -> Network:
    """100 synapses onto each of `size` LIF neurons, from as many sources, all with a delay of one step."""
    return poisson_to_lif(FixedInDegree(100), size)


def delayed_events(size: int = 100_000) -> Network:
    """The same with a delay of 1 to 5 ms for each synapse."""
    return poisson_to_lif(FixedInDegree(100), size, delay=Uniform(1.0, 5.0))


def lava_network(size: int, *, learns: bool, sources: int = 100) -> Network:
    """`size` neurons driven by Poisson sources through all synapses, and by each other through 20 each.

    LIF neurons with fixed weights, or bursting neurons whose synapses from the sources learn by the burst
    rule in the chip's grammar, with the draws of stock Lava.
    """
    model = "burst_unit" if learns else "lif"
    rule = Plasticity(
        name="burst",
        form="chip",
        rounding="lava",
        every=8.0,
        traces=(TraceSpec("x1", 16.0, 16.0),),
        rules={},
        learning_rate=2.0**-4,
        consolidation_rate=2.0**-6,
        consolidate_every=0,
    )
    return replace(
        _network(
            "driven",
            (
                Population("senses", "poisson_source", sources, {"rate": 50.0}),
                Population("cells", model, size, {"bias": 80.0}),
            ),
            (
                Projection(
                    name="senses->cells",
                    source=Endpoint("senses", "events"),
                    target=Endpoint("cells", "soma"),
                    connectivity=Dense(),
                    weight=Uniform(-3.0, 3.0),
                    delay=Constant(1.0),
                    limit=20.0,
                    learn="burst" if learns else None,
                ),
                Projection(
                    name="cells->cells",
                    source=Endpoint("cells", "events"),
                    target=Endpoint("cells", "soma"),
                    connectivity=FixedInDegree(20),
                    weight=Uniform(-0.5, 0.5),
                    delay=Constant(1.0),
                ),
            ),
        ),
        plasticity=(rule,) if learns else (),
    )
