"""Lower bounds: no placement of a program needs fewer neurocores or sends fewer messages than these.

Neurons of one kind share neurocores with no other kind, so each kind has a bound of its own, and these add
up. Within a kind the greatest of several bounds holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.ir.partitioned import LIMITS
from compiler.placement.needs import Needs, stored_rule, stored_traces
from hw_models.synapses.memory import BLOCK, WORD_BITS, list_words

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Bounds:
    """`neurocores` at least, `by_limit` of them for each limit alone; `remote` messages a step at least.

    A remote message goes from a neuron to a neurocore that is not its own.
    """

    neurocores: int
    by_limit: Mapping[str, int]
    remote: int


def lower_bounds(needs: Needs) -> Bounds:
    """The bounds of a program on a chip, without placing it."""
    bits, axons, sent = _least_bits(needs), _least_axons(needs), _least_sent(needs)
    ports = _ports(needs)
    total = 0
    by_limit = dict.fromkeys((it for it in LIMITS if it != "fan_in"), 0)
    slots = ports << _delay_bits(needs)
    for kind in range(int(needs.kinds.max(initial=-1)) + 1):
        mine = needs.kinds == kind
        found = {
            "compartments": _bins(ports[mine], needs.chip["compartments"].value),
            "synaptic_memory_bits": _with_index(needs, bits, mine),
            "input_axons": -(-axons[kind] // needs.chip["input_axons"].value),
            "output_axons": _bins(sent[mine], needs.chip["output_axons"].value),
            "delay_slots": _bins(slots[mine], needs.chip["delay_slots"].value),
            **_kept_once(needs, kind),
        }
        for name, count in found.items():
            by_limit[name] += int(count)
        total += max(1, *(int(it) for it in found.values()))
    return Bounds(total, by_limit, _least_remote(needs, bits[0]))


def _kept_once(needs: Needs, kind: int) -> dict[str, int]:
    """Neurocores that hold all that several synapses share: each thing lies on one of them at least."""
    here = [
        p
        for p in needs.projections
        if needs.kinds[needs.first[p.target]] == kind and needs.into[p.name].fan_in().any()
    ]
    learning = [p.learning for p in here if p.learning is not None]
    things: dict[str, set[Any]] = {
        # The index may have another width on each neurocore.
        "synapse_formats": {replace(needs.format(p, 1), index_bits=0) for p in here},
        "learning_rules": {stored_rule(it) for it in learning},
        "trace_configurations": set().union(*map(stored_traces, learning)),
    }
    return {name: -(-len(kept) // needs.chip[name].value) if kept else 0 for name, kept in things.items()}


def _delay_bits(needs: Needs) -> Indices:
    """The widest delay field of each neuron's synapses."""
    widest = np.zeros(needs.size, dtype=np.int64)
    for projection in needs.projections:
        into, first = needs.into[projection.name], needs.first[projection.target]
        bits = np.where(into.fan_in() > 0, needs.format(projection, 1).delay_bits, 0)
        widest[first : first + into.targets] = np.maximum(widest[first : first + into.targets], bits)
    return widest


def _ports(needs: Needs) -> Indices:
    ports = [max(1, len(p.ports)) for p in needs.populations]
    return np.repeat(np.array(ports, dtype=np.int64), [p.size for p in needs.populations])


def _with_index(needs: Needs, bits: Indices, mine: NDArray[np.bool_]) -> int:
    """Neurocores that hold the synapses of these neurons, whatever the width of the index on each.

    On a neurocore with an index of w bits the shares of 2^w compartments add up to at most 1, and so do the
    shares of the memory. For each w the stricter of both is taken; each neuron then takes at least the least
    of its shares. Packing in bins bounds the narrowest index besides.
    """
    if not mine.any():
        return 0
    memory, most = needs.chip["synaptic_memory_bits"].value, needs.chip["compartments"].value
    ports = _ports(needs)[mine]
    shares = []
    for width, row in zip(needs.chip["index_bits"].values, bits, strict=True):
        own = row[mine]
        held = min(1 << width, most)
        crowded = int(ports.sum()) * memory > int(own.sum()) * held
        shares.append(ports / held if crowded else own / memory)
    least = float(np.min(shares, axis=0).sum())
    # A sum of floats may lie a little above the exact one.
    return max(int(np.ceil(least - 1e-6)), _bins(bits[0][mine], memory))


def _bins(sizes: Indices, room: int) -> int:
    """Bins of `room` that hold these: the bound L2 of Martello and Toth, over all thresholds.

    What is greater than room - t has a bin of its own, into which nothing of at least t fits.
    """
    if sizes.size == 0 or not sizes.any():
        return 0
    found = -(-int(sizes.sum()) // room)
    for threshold in np.unique(sizes[2 * sizes <= room])[-64:].tolist():
        large = int(np.count_nonzero(sizes > room - threshold))
        half = sizes[(sizes <= room - threshold) & (2 * sizes > room)]
        small = sizes[(sizes >= threshold) & (2 * sizes <= room)]
        free = half.size * room - int(half.sum())
        found = max(found, large + half.size + max(0, -(-(int(small.sum()) - free) // room)))
    return max(found, int(np.count_nonzero(2 * sizes > room)))


def _least_bits(needs: Needs) -> Indices:
    """[width of the index, neuron]: bits that a neuron's synapses take at least.

    A block has no more synapses than fit it, nor than its source neuron has, and ends with a whole word.
    """
    widths = needs.chip["index_bits"].values
    least = np.zeros((len(widths), needs.size), dtype=np.float64)
    for projection in needs.projections:
        into, first = needs.into[projection.name], needs.first[projection.target]
        targets = slice(first, first + into.targets)
        if into.dense:
            each = _cheapest(needs.format(projection, 1).synapse_bits)[min(BLOCK, into.targets)]
            least[:, targets] += into.sources * each
            continue
        if into.pre.size == 0:
            continue
        sent = np.clip(np.bincount(into.pre, minlength=into.sources), 1, BLOCK)
        post = np.repeat(np.arange(into.targets), np.diff(into.first))
        for number, width in enumerate(widths):
            cost = _cheapest(needs.format(projection, 1 << width).synapse_bits)[sent]
            least[number, targets] += np.bincount(post, weights=cost[into.pre], minlength=into.targets)
    return np.floor(least).astype(np.int64)


def _cheapest(synapse_bits: int) -> NDArray[np.float64]:
    """[n]: bits that a synapse takes at least in a block of at most n synapses, in whole words."""
    lengths = np.arange(1, BLOCK + 1)
    each = list_words(synapse_bits, lengths) * WORD_BITS / lengths
    return np.concatenate([[0.0], np.minimum.accumulate(each)])


def _least_axons(needs: Needs) -> list[int]:
    """Input axons of each kind: each source neuron of each projection has one at least."""
    found = [0] * (int(needs.kinds.max(initial=-1)) + 1)
    for projection in needs.projections:
        into = needs.into[projection.name]
        kind = int(needs.kinds[needs.first[projection.target]])
        count = into.sources if into.dense else int(np.unique(into.pre).size)
        found[kind] += count if into.targets else 0
    return found


def _least_sent(needs: Needs) -> Indices:
    """Output axons that each neuron takes at least: one for each projection in which it has a synapse."""
    least = np.zeros(needs.size, dtype=np.int64)
    for projection in needs.projections:
        if projection.source in needs.first:
            into, first = needs.into[projection.name], needs.first[projection.source]
            sent = np.ones(into.sources, bool) if into.dense else np.zeros(into.sources, bool)
            sent[into.pre] = True
            least[first : first + into.sources] += sent
    return least


def _least_remote(needs: Needs, bits: Indices) -> int:
    """Messages a step to other neurocores: an axon whose synapses need k neurocores reaches k - 1 others.

    Its targets need as many as hold their compartments and their synapses' bits.
    """
    total = 0
    for projection in needs.projections:
        if projection.source not in needs.first:
            continue
        into, first = needs.into[projection.name], needs.first[projection.target]
        size = needs.code.population(projection.target).size
        ports = max(1, len(needs.code.population(projection.target).ports))
        own = bits[first : first + size]
        if into.dense:
            memory, neurons = np.full(into.sources, int(own.sum())), np.full(into.sources, size)
        else:
            post = np.repeat(np.arange(into.targets), np.diff(into.first))
            memory = np.bincount(into.pre, weights=own[post], minlength=into.sources).astype(np.int64)
            neurons = np.bincount(into.pre, minlength=into.sources)
        cores = np.maximum(
            -(-memory // needs.chip["synaptic_memory_bits"].value),
            -(-(neurons * ports) // needs.chip["compartments"].value),
        )
        same = needs.kinds[needs.first[projection.source]] == needs.kinds[first]
        remote = np.maximum(cores - int(same), 0)
        total += int(remote @ needs.rates[projection.source])
    return total
