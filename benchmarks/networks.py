"""The networks that are measured, in physical units: each keeps one part of the simulator busy."""

from __future__ import annotations

from compiler.ir.network import (
    Connectivity,
    Constant,
    Dense,
    Endpoint,
    FixedProbability,
    Network,
    Population,
    Projection,
    Uniform,
)


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
    )


def lif_population(size: int) -> Network:
    """`size` LIF neurons that a bias current alone drives over the threshold about every 19 steps."""
    return _network("lif", (Population("cells", "lif", size, {"bias": 160.0}),), ())


def poisson_to_lif(connectivity: Connectivity, size: int = 1000, rate: float = 100.0) -> Network:
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
                delay=Constant(1.0),
            ),
        ),
    )


def dense_events() -> Network:
    """1000 Poisson sources to each of 1000 LIF neurons."""
    return poisson_to_lif(Dense())


def sparse_events() -> Network:
    """The same with a tenth of the synapses."""
    return poisson_to_lif(FixedProbability(0.1))
