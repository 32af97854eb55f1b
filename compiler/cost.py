"""What compiling a network will take, told from its sizes alone, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from compiler.ir.connectivity import (
    Convolved,
    ExplicitPairs,
    FixedInDegree,
    FixedProbability,
    OneToOne,
    TensorFile,
)
from compiler.ir.network import Network, Projection
from compiler.machine_memory import as_bytes
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC680": "a network that would not fit in memory while it is compiled"})

#: Bytes that a synapse takes through all passes, measured: what all projections keep, and what the one that
#: is worked on takes besides.
_KEPT, _WORKED_ON = 40, 35
#: Bytes of a matrix of weights in a file while it is read, as a whole and its synapses.
_MATRIX = 16
#: Bytes of a neuron: its parameters, exact and as integers.
_NEURON = 64


@dataclass(frozen=True)
class Cost:
    """Neurons, synapses (the mean where they are drawn) and the bytes that they take at most at a time.

    `largest` is the projection with the most synapses, None where there are none.
    """

    neurons: int
    synapses: int
    bytes: int
    largest: Projection | None
    synapses_of_largest: int


def _synapses(projection: Projection, n_pre: int, n_post: int) -> int:
    # Weights of more than 8 bits take two projections.
    return _pairs(projection, n_pre, n_post) * len(projection.parts)


def _pairs(projection: Projection, n_pre: int, n_post: int) -> int:
    rule = projection.connectivity
    if isinstance(rule, OneToOne):
        return n_pre
    if isinstance(rule, FixedProbability):
        return int(n_pre * n_post * rule.probability)
    if isinstance(rule, FixedInDegree):
        return n_post * rule.in_degree
    if isinstance(rule, ExplicitPairs):
        return len(rule.pairs)
    if isinstance(rule, Convolved):
        return rule.convolution.synapses
    return n_pre * n_post


def compile_cost(network: Network) -> Cost:
    """The cost of compiling a network."""
    sizes = {population.name: population.size for population in network.populations}
    counts = [
        _synapses(it, sizes[it.source.population], sizes[it.target.population]) for it in network.projections
    ]
    most = max(counts, default=0)
    matrices = sum(
        sizes[it.source.population] * sizes[it.target.population] * _MATRIX
        for it in network.projections
        if isinstance(it.connectivity, TensorFile)
    )
    neurons = sum(sizes.values())
    return Cost(
        neurons=neurons,
        synapses=sum(counts),
        bytes=_KEPT * sum(counts) + _WORKED_ON * most + matrices + _NEURON * neurons,
        largest=network.projections[counts.index(most)] if counts else None,
        synapses_of_largest=most,
    )


def require_room_to_compile(network: Network, available: int | None) -> None:
    """Raise `BurstchipError` BC680 where a network takes more than the `available` bytes (None: unknown)."""
    cost = compile_cost(network)
    if available is None or cost.bytes <= available:
        return
    place, hint = network.place, "fewer neurons"
    if cost.largest is not None and cost.synapses_of_largest > cost.neurons:
        place = cost.largest.places.get("connectivity", cost.largest.place)
        hint = (
            f"'{cost.largest.name}' has {cost.synapses_of_largest:,} synapses: fewer neurons, or a "
            "connectivity with fewer synapses, such as {in_degree: 100}"
        )
    raise BurstchipError(
        Diagnostic(
            "BC680",
            f"network '{network.name}' does not fit in memory",
            place,
            required=f"at most {as_bytes(available)}, which is available",
            given=f"{as_bytes(cost.bytes)} for {cost.neurons:,} neurons and {cost.synapses:,} synapses",
            hint=hint,
        )
    )
