"""An order of the neurons by mtkahypar, where it is asked for: a partitioner of hypergraphs of others.

Each axon is a hyperedge of its neuron and all that it reaches, which weighs the neuron's rate; cut are as few
as can be, each as often as it reaches another block. Blocks know one weight a vertex alone, so their neurons
are packed afterwards under every limit, one block after the other. The preset is the deterministic one.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.placement.graph import neuron_weights
from compiler.placement.needs import Needs
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC391": "a partitioner that is not installed"})

Indices = NDArray[np.int64]

#: How much more than the mean a block may weigh: what is packed afterwards evens it out.
_UNEVEN = 0.03
_SEED = 1


def hyperedges(needs: Needs) -> tuple[list[list[int]], list[int]]:
    """(the neurons of each axon, without sources; its weight), those of one neuron alone left out."""
    reached: dict[tuple[str, int], list[Indices]] = {}
    for projection in needs.code.projections:
        first = needs.first[projection.target]
        into = needs.into[projection.name]
        if into.dense:
            everything = np.arange(into.targets) + first
            for neuron in range(into.sources):
                reached.setdefault((projection.source, neuron), []).append(everything)
            continue
        post = projection.post.astype(np.int64) + first
        for neuron, targets in zip(*_by_source(projection.pre, post), strict=True):
            reached.setdefault((projection.source, neuron), []).append(targets)
    edges, weights = [], []
    for (name, neuron), parts in reached.items():
        own = [needs.first[name] + neuron] if name in needs.first else []
        pins = np.unique(np.concatenate([np.array(own, dtype=np.int64), *parts]))
        if pins.size > 1:
            edges.append(pins.tolist())
            weights.append(max(1, int(needs.rates[name][neuron])))
    return edges, weights


def _by_source(pre: NDArray[np.int32], post: Indices) -> tuple[list[int], list[Indices]]:
    """Source neurons, and the targets of each."""
    order = np.argsort(pre, kind="stable")
    sources, starts = np.unique(pre[order], return_index=True)
    return sources.tolist(), np.split(post[order], starts[1:]) if sources.size else []


@cache
def _library() -> tuple[Any, Any]:
    """mtkahypar, and its initialiser for one thread, of which a process has one."""
    library = import_module("mtkahypar")
    return library, library.initialize(1)


def hypergraph_order(needs: Needs, blocks: int) -> Indices:
    """All neurons, block by block. Raises `BurstchipError` BC391 where mtkahypar is not installed."""
    try:
        library, made = _library()
    except ImportError:
        raise BurstchipError(
            Diagnostic(
                "BC391",
                "mtkahypar is not installed",
                required="the package mtkahypar, of Linux on x86-64",
                given="a partitioner that cannot be imported",
                hint="pip install 'burstchip[mtkahypar]', or leave --partitioner out",
            )
        ) from None
    edges, weights = hyperedges(needs)
    if blocks < 2 or not edges:
        return np.arange(needs.size)
    library.set_seed(_SEED)
    context = made.context_from_preset(library.PresetType.DETERMINISTIC)
    context.set_partitioning_parameters(blocks, _UNEVEN, library.Objective.KM1)
    context.logging = False
    own = neuron_weights(needs).tolist()
    whole = made.create_hypergraph(context, needs.size, len(edges), edges, own, weights)
    found = whole.partition(context)
    block = np.array([found.block_id(neuron) for neuron in range(needs.size)], dtype=np.int64)
    return np.argsort(block, kind="stable")
