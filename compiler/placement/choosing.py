"""The best of several packings, and how good each is.

Public measurements say that the busiest neurocore and the busiest link decide how long a step takes, so these
count first. But more neurocores always make the busiest one less busy, so only packings with nearly the
fewest are compared; among these the load of the busiest neurocore counts, then that of the busiest link,
then the number of neurocores, then traffic. What is within 5 % counts as equal, in all but the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from compiler.placement import orders
from compiler.placement.hypergraph import hypergraph_order
from compiler.placement.mesh import link_load, mesh, nets, place
from compiler.placement.needs import Needs
from compiler.placement.packing import pack, spread_output
from compiler.placement.refining import refined

Indices = NDArray[np.int64]

#: Who joins neurons that belong together: burstchip itself, or beside it a package of others.
Partitioner = Literal["own", "mtkahypar"]
#: The orders whose neurons move afterwards where that saves messages.
REFINED = ("joined", "mtkahypar")
#: Halvings of the search for the least load of the busiest neurocore.
_HALVINGS = 5


@dataclass(frozen=True)
class Packing:
    """Neurons of each neurocore, its output axons, its tile, and the loads that decide.

    `read` are the words of synaptic memory that the busiest neurocore reads in a step; `busiest` the
    messages a step on the busiest link, `traffic` those on all; `remote` count once for each neurocore that a
    neuron sends to beside its own.
    """

    order: str
    parts: list[Indices]
    output_axons: list[int]
    tiles: Indices
    read: int
    busiest: int
    traffic: int
    remote: int


def packed(needs: Needs, order: Indices, *, even: bool = False) -> list[Indices]:
    """The neurons of each neurocore, kind by kind; `even` spreads the load over the neurocores.

    Raises `BurstchipError` BC350.
    """
    parts: list[Indices] = []
    for kind in range(int(needs.kinds.max(initial=-1)) + 1):
        mine = order[needs.kinds[order] == kind]
        parts += _evenly(needs, mine) if even else pack(needs, mine)
    return parts


def finished(needs: Needs, name: str, parts: list[Indices], *, placed: bool = True) -> Packing:
    """Neurocores with their output axons counted, on tiles in order, or where `place` puts them."""
    parts, sent = spread_output(needs, parts)
    shape = mesh(needs.chip, len(parts))
    given = nets(needs, parts)
    tiles = place(given, shape, len(parts)) if placed else shape.tiles()[: len(parts)]
    load = link_load(given, tiles, shape)
    read = max((needs.used(needs.pieces(np.sort(part)))[2] for part in parts), default=0)
    remote = int(given.rate @ given.reaches.sum(axis=1))
    return Packing(name, parts, sent, tiles, read, load.busiest, load.traffic, remote)


def _evenly(needs: Needs, order: Indices) -> list[Indices]:
    """As few neurocores as hold an order, the busiest of them as little loaded as so many allow."""
    parts = pack(needs, order)
    if len(parts) < 2:
        return parts
    loads = [needs.used(needs.pieces(np.sort(part)))[2] for part in parts]
    low, high = sum(loads) // len(parts), max(loads)
    for _ in range(_HALVINGS):
        if high - low <= high // 50:
            break
        middle = (low + high) // 2
        tried = pack(needs, order, middle)
        if len(tried) <= len(parts):
            parts, high = tried, middle
        else:
            low = middle
    return parts


def best(packings: Sequence[Packing]) -> Packing:
    """The packing that is best in the sense above; the first of equal ones."""
    left = list(packings)
    measures: list[Callable[[Packing], int]] = [
        lambda it: len(it.parts),
        lambda it: it.read,
        lambda it: it.busiest,
        lambda it: len(it.parts),
    ]
    for measure in measures:
        least = min(map(measure, left))
        left = [it for it in left if 20 * measure(it) <= 21 * least]
    return min(left, key=lambda it: (it.traffic, it.remote))


def choose(needs: Needs, partitioner: Partitioner = "own") -> Packing:
    """The best packing of several orders; the written one where each kind needs one neurocore only.

    With the partitioner mtkahypar its order is one of them. Raises `BurstchipError` BC350, and BC391 where
    that is not installed.
    """
    kinds = int(needs.kinds.max(initial=-1)) + 1
    given = {"written": orders.written(needs)}
    counts = {"written": len(packed(needs, given["written"]))}
    if counts["written"] > kinds:
        ordering = orders.Joining(needs)
        needed = len(packed(needs, ordering.order()))
        given["joined"] = ordering.order(needed)
        if partitioner == "mtkahypar":
            given["mtkahypar"] = hypergraph_order(needs, needed)
        if len(needs.populations) > 1:
            given["interleaved"] = orders.interleaved(needs)
        counts = {name: len(spread_output(needs, packed(needs, order))[0]) for name, order in given.items()}
    least = min(counts.values())
    found = []
    for name, order in given.items():
        if 20 * counts[name] <= 21 * least:
            parts = packed(needs, order, even=True)
            if name in REFINED:
                parts = _sound(needs, refined(needs, parts), parts)
            found.append(finished(needs, name, parts))
    return best(found)


def _sound(needs: Needs, wanted: list[Indices], otherwise: list[Indices]) -> list[Indices]:
    """The first where it keeps every limit, which is counted again, and has no more neurocores."""
    kept = all(needs.excess(np.sort(part)) is None for part in wanted)
    return wanted if kept and len(spread_output(needs, wanted)[0]) <= len(otherwise) else otherwise


def in_order(needs: Needs) -> Packing:
    """What a packing without any optimisation gives: each population from a neurocore of its own on, the
    neurocores row by row. It is what the others are compared with."""
    parts: list[Indices] = []
    for population in needs.populations:
        first = needs.first[population.name]
        parts += pack(needs, np.arange(first, first + population.size))
    return finished(needs, "in order", parts, placed=False)
