"""Neurons move between neurocores, or change places, where that saves messages; every limit stays kept.

What is saved is the sum over all axons of their rate times the neurocores that they reach beside their own.
A sweep asks each neuron where it would best be; then, for each two neurocores, those that want to leave one
for the other are moved, or exchanged in pairs where room is missing, as long as that saves something.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.placement.needs import Needs
from hw_models.synapses.memory import list_words

Indices = NDArray[np.int64]

_SWEEPS = 4
#: Axons times neurocores up to which their counts are kept as one table.
_LARGEST_TABLE = 150_000_000
#: Synapses times neurocores that all sweeps together may look at.
_WORK = 2_000_000_000


@dataclass
class _State:
    """Where every neuron is, and what follows from it; changed by `move` alone.

    Net n is an axon of a sparse projection; its synapses on neurocore c are `count[n, c]`. The axons of a
    dense projection reach the same neurons: `dense[d, c]` counts its targets on a neurocore.
    """

    home: Indices
    kinds: Indices
    into_first: Indices
    into_net: Indices
    own_first: Indices
    own_net: Indices
    count: NDArray[np.int32]
    sender: Indices
    rate: Indices
    heard: Indices
    projection: Indices
    bits: Indices
    dense: Indices
    dense_into: list[list[int]]
    dense_own: list[list[int]]
    dense_sources: Indices
    dense_bits: Indices
    dense_rate: Indices
    ports: Indices
    used: dict[str, Indices]
    room: dict[str, Indices]


def refined(needs: Needs, parts: list[Indices]) -> list[Indices]:
    """The same number of neurocores with fewer messages between them.

    `parts` as they were if too large, or where lists of synapses are shared: what these take cannot be told
    from how a neuron changes their lengths.
    """
    if any(projection.kernel is not None for projection in needs.projections):
        return parts
    nets = sum(into.sources for into in needs.into.values() if not into.dense)
    if len(parts) < 2 or nets * len(parts) > _LARGEST_TABLE:
        return parts
    state = _state(needs, parts)
    work = max(1, state.into_net.size * len(parts))
    asked = np.ones(needs.size, dtype=bool)
    for _ in range(min(_SWEEPS, _WORK // work)):
        if not _sweep(state, asked):
            break
    found = [np.flatnonzero(state.home == number) for number in range(len(parts))]
    return [part for part in found if part.size]


def _state(needs: Needs, parts: list[Indices]) -> _State:
    size, cores = needs.size, len(parts)
    home = np.zeros(size, dtype=np.int64)
    for number, part in enumerate(parts):
        home[part] = number
    none = np.zeros(0, dtype=np.int64)
    post, net, own, rates, heard, kinds = [none], [none], [none], [none], [none], [none]
    first = 0
    place = {p.name: k for k, p in enumerate(needs.projections)}
    dense = [p for p in needs.projections if needs.into[p.name].dense]
    dense_into: list[list[int]] = [[] for _ in needs.populations]
    dense_own: list[list[int]] = [[] for _ in needs.populations]
    names = [p.name for p in needs.populations]
    for number, projection in enumerate(dense):
        dense_into[names.index(projection.target)].append(number)
        if projection.source in names:
            dense_own[names.index(projection.source)].append(number)
    for projection in needs.projections:
        into = needs.into[projection.name]
        if into.dense:
            continue
        post.append(np.repeat(np.arange(into.targets) + needs.first[projection.target], np.diff(into.first)))
        net.append(into.pre.astype(np.int64) + first)
        start = needs.first.get(projection.source)
        own.append(np.arange(into.sources) + start if start is not None else np.full(into.sources, -1))
        rates.append(
            needs.rates[projection.source] if start is not None else np.zeros(into.sources, np.int64)
        )
        heard.append(needs.rates[projection.source])
        kinds.append(np.full(into.sources, place[projection.name]))
        first += into.sources
    posts, nets_, sender = np.concatenate(post), np.concatenate(net), np.concatenate(own)
    count = np.zeros((first, cores), dtype=np.int32)
    flat = np.bincount(nets_ * cores + home[posts], minlength=first * cores)
    count[:] = flat.reshape(first, cores)
    order = np.argsort(posts, kind="stable")
    into_first = np.concatenate([[0], np.cumsum(np.bincount(posts, minlength=size))])
    known = np.flatnonzero(sender >= 0)
    by_sender = known[np.argsort(sender[known], kind="stable")]
    own_first = np.concatenate([[0], np.cumsum(np.bincount(sender[known], minlength=size))])
    compartments = [needs.compartments(needs.pieces(np.sort(part))) for part in parts]
    bits = np.array(
        [[needs.format(p, c).synapse_bits for c in compartments] for p in needs.projections], dtype=np.int64
    ).reshape(len(needs.projections), cores)
    counts = np.zeros((len(dense), cores), dtype=np.int64)
    for number, projection in enumerate(dense):
        start = needs.first[projection.target]
        targets = home[start : start + needs.into[projection.name].targets]
        counts[number] = np.bincount(targets, minlength=cores)
    population = np.repeat(np.arange(len(names)), [p.size for p in needs.populations])
    ports = np.repeat([max(1, len(p.ports)) for p in needs.populations], [p.size for p in needs.populations])
    uses = [needs.used(needs.pieces(np.sort(part))) for part in parts]
    used = {
        "compartments": np.array(compartments),
        "words": np.array(
            [use["synaptic_memory_bits"] // needs.chip["word_bits"].value for use, _, _ in uses]
        ),
        "input_axons": np.array([use["input_axons"] for use, _, _ in uses]),
        "read": np.array([load for _, _, load in uses]),
        "output_axons": np.zeros(cores, dtype=np.int64),
    }
    axons = (count > 0).sum(axis=1)
    np.add.at(used["output_axons"], home[sender[known]], axons[known])
    for neuron_kind, numbers in enumerate(dense_own):
        for number in numbers:
            reach = int((counts[number] > 0).sum())
            np.add.at(used["output_axons"], home[population == neuron_kind], reach)
    width = [needs.chip.fit("index_bits", (c - 1).bit_length()) or 0 for c in compartments]
    most = np.full(cores, needs.chip["compartments"].value)
    for core, part in enumerate(parts):
        # A neuron may bring the longest delay of its kind with it.
        most[core] = min(most[core], needs.chip["delay_slots"].value >> _delay_bits(needs, part))
    everything = {name: np.full(cores, needs.chip[name].value) for name in ("input_axons", "output_axons")}
    room = {
        # More compartments could need a wider index, and more memory for every synapse there.
        "compartments": np.minimum(most, 1 << np.array(width)),
        "words": np.full(cores, needs.chip["synaptic_memory_bits"].value // needs.chip["word_bits"].value),
        "read": np.full(cores, int(used["read"].max())),
        **everything,
    }
    return _State(
        home,
        np.stack([needs.kinds, population], axis=1),
        into_first,
        nets_[order],
        own_first,
        by_sender,
        count,
        np.where(sender >= 0, home[np.maximum(sender, 0)], -1),
        np.concatenate(rates),
        np.concatenate(heard),
        np.concatenate(kinds),
        bits,
        counts,
        dense_into,
        dense_own,
        np.array([needs.into[p.name].sources for p in dense], dtype=np.int64),
        bits[[place[p.name] for p in dense]] if dense else bits[:0],
        np.array([int(needs.rates[p.source].sum()) for p in dense], dtype=np.int64),
        ports,
        used,
        room,
    )


def _delay_bits(needs: Needs, part: Indices) -> int:
    """Bits of the longest delay that neurons of the kind of these have."""
    kind = needs.kinds[part[0]]
    here = [p for p in needs.projections if needs.kinds[needs.first[p.target]] == kind]
    return max((needs.format(p, 1).delay_bits for p in here), default=0)


def _gains(state: _State, neuron: int) -> Indices:
    """What moving a neuron to each neurocore saves."""
    here = state.home[neuron]
    nets = state.into_net[state.into_first[neuron] : state.into_first[neuron + 1]]
    count, rate, sender = state.count[nets], state.rate[nets], state.sender[nets]
    absent = count == 0
    absent[np.flatnonzero(sender >= 0), sender[sender >= 0]] = False
    last = (count[:, here] == 1) & (sender != here)
    gain = int(rate[last].sum()) - rate @ absent
    for net in state.own_net[state.own_first[neuron] : state.own_first[neuron + 1]].tolist():
        reached = state.count[net] > 0
        gain += state.rate[net] * (reached.astype(np.int64) - int(reached[here]))
    population = int(state.kinds[neuron, 1])
    for number in state.dense_into[population]:
        there = state.dense[number]
        gain += state.dense_rate[number] * (int(there[here] == 1) - (there == 0))
    for number in state.dense_own[population]:
        reached = state.dense[number] > 0
        gain += reached.astype(np.int64) - int(reached[here])
    gain[here] = 0
    return np.asarray(gain, dtype=np.int64)


def _sweep(state: _State, asked: NDArray[np.bool_]) -> int:
    """Move and exchange neurons once, those that are `asked`; how much was saved.

    Who would lose much anywhere else is not asked again.
    """
    cores = state.count.shape[1]
    kind_of = np.full(cores, -1)
    kind_of[state.home] = state.kinds[:, 0]
    leaving: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for neuron in np.flatnonzero(asked).tolist():
        gain = np.where(kind_of == state.kinds[neuron, 0], _gains(state, neuron), np.iinfo(np.int64).min)
        here = int(state.home[neuron])
        gain[here] = np.iinfo(np.int64).min
        there = int(np.argmax(gain))
        if gain[there] > np.iinfo(np.int64).min:
            leaving.setdefault((here, there), []).append((int(gain[there]), neuron))
            first, last = state.into_first[neuron : neuron + 2]
            asked[neuron] = 4 * int(gain[there]) > -int(state.rate[state.into_net[first:last]].sum())
    saved = 0
    for one, two in sorted({(min(pair), max(pair)) for pair in leaving}):
        forth = sorted(leaving.get((one, two), []), key=lambda it: (-it[0], it[1]))
        back = sorted(leaving.get((two, one), []), key=lambda it: (-it[0], it[1]))
        saved += _between(state, one, two, forth, back)
    return saved


def _between(
    state: _State, one: int, two: int, forth: list[tuple[int, int]], back: list[tuple[int, int]]
) -> int:
    """Move neurons between two neurocores while that saves something; how much it saved."""
    saved, failures = 0, 0
    while (forth or back) and failures < 8:
        first, second = (forth[0][0] if forth else None), (back[0][0] if back else None)
        if max(first or 0, second or 0) <= 0 and (first or 0) + (second or 0) <= 0:
            break
        leads = second is None or (first is not None and first >= second)
        source, to, mine, others = (one, two, forth, back) if leads else (two, one, back, forth)
        neuron = mine.pop(0)[1]
        gain = _moved(state, neuron, to)
        if gain > 0 and _fits(state, (one, two)):
            saved, failures = saved + gain, 0
            continue
        if others:
            partner = others[0][1]
            more = _moved(state, partner, source)
            if gain + more > 0 and _fits(state, (one, two)):
                others.pop(0)
                saved, failures = saved + gain + more, 0
                continue
            _moved(state, partner, to)
        _moved(state, neuron, source)
        failures += 1
    return saved


def _fits(state: _State, cores: tuple[int, int]) -> bool:
    """Whether two neurocores, and all that send to them, keep their limits."""
    if np.any(state.used["output_axons"] > state.room["output_axons"]):
        return False
    return all(state.used[name][core] <= state.room[name][core] for name in state.room for core in cores)


def _moved(state: _State, neuron: int, to: int) -> int:
    """Move a neuron, whatever the limits; what that saves."""
    gain = int(_gains(state, neuron)[to])
    here = int(state.home[neuron])
    used = state.used
    nets = state.into_net[state.into_first[neuron] : state.into_first[neuron + 1]]
    for core, change in ((here, -1), (to, 1)):
        bits = state.bits[state.projection[nets], core]
        before = state.count[nets, core].astype(np.int64)
        _count(state, core, list_words(bits, before + change) - list_words(bits, before), nets)
        state.count[nets, core] += change
        edge = before == (0 if change > 0 else 1)
        used["input_axons"][core] += change * int(np.count_nonzero(edge))
        senders = state.sender[nets[edge]]
        np.add.at(used["output_axons"], senders[senders >= 0], change)
        used["compartments"][core] += change * int(state.ports[neuron])
    _move_dense(state, neuron, here, to)
    for net in state.own_net[state.own_first[neuron] : state.own_first[neuron + 1]].tolist():
        reach = int(np.count_nonzero(state.count[net]))
        used["output_axons"][here] -= reach
        used["output_axons"][to] += reach
        state.sender[net] = to
    state.home[neuron] = to
    return gain


def _count(state: _State, core: int, words: Indices, nets: Indices) -> None:
    state.used["words"][core] += int(words.sum())
    state.used["read"][core] += int(words @ state.heard[nets])


def _move_dense(state: _State, neuron: int, here: int, to: int) -> None:
    """What a move changes of the dense projections that end at or come from a neuron."""
    used, population = state.used, int(state.kinds[neuron, 1])
    for number in state.dense_own[population]:
        reach = int(np.count_nonzero(state.dense[number]))
        used["output_axons"][here] -= reach
        used["output_axons"][to] += reach
    for number in state.dense_into[population]:
        sources = int(state.dense_sources[number])
        for core, change in ((here, -1), (to, 1)):
            before = int(state.dense[number, core])
            lengths = np.array([before, before + change])
            words = np.diff(list_words(int(state.dense_bits[number, core]), lengths))
            used["words"][core] += sources * int(words[0])
            used["read"][core] += int(state.dense_rate[number]) * int(words[0])
            state.dense[number, core] += change
            if before == (0 if change > 0 else 1):
                used["input_axons"][core] += change * sources
