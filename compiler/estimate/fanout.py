"""Where an output of a population goes: for each neuron its neurocores, and what a message does there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.estimate.layout import Indices, Layout
from compiler.ir.chip_program import ChipProgram
from hw_models.synapses.memory import list_words

#: Messages that are looked at together.
_TOGETHER = 1 << 19


@dataclass(frozen=True)
class Fanout:
    """The messages that an event of each neuron makes, those of neuron i at start[i]..start[i + 1] - 1.

    Of each message: its neurocore, its synapses there, the words of memory that it reads, and whether the
    synapses learn. `home` is the neurocore of each neuron itself, -1 with the host; `furthest` the most tiles
    that a message passes.
    """

    start: Indices
    core: Indices
    synapses: Indices
    words: Indices
    learns: NDArray[np.bool_]
    home: Indices
    furthest: int

    def goes(self, who: Indices) -> Iterator[tuple[Indices, Indices]]:
        """(which of these events, which message) of all their messages, part after part."""
        count = self.start[who + 1] - self.start[who]
        ends = np.cumsum(count)
        begin = 0
        while begin < len(who):
            before = int(ends[begin - 1]) if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, before + _TOGETHER, side="right")))
            part = count[begin:end]
            events = np.repeat(np.arange(begin, end), part)
            within = np.arange(len(events)) - np.repeat(np.cumsum(part) - part, part)
            yield events, self.start[who[events]] + within
            begin = end


def fanout_of(code: ChipProgram, layout: Layout, sent: tuple[str, str]) -> Fanout:
    """The messages of an output."""
    size = code.population(sent[0]).size
    home = np.full(size, -1, dtype=np.int64)
    for resident in layout.residents_of(sent[0]):
        home[resident.neurons] = resident.core
    projections = {it.name: it for it in code.projections if (it.source, it.output) == sent}
    columns: list[list[Indices]] = [[np.zeros(0, dtype=np.int64)] for _ in range(5)]
    for arrival in layout.arrivals:
        if arrival.projection not in projections:
            continue
        who = np.flatnonzero(arrival.lengths)
        lengths = arrival.lengths[who]
        learns = projections[arrival.projection].learning is not None
        words = list_words(arrival.form.synapse_bits, lengths)
        alike = [np.full(who.size, value, dtype=np.int64) for value in (arrival.core, learns)]
        for column, values in zip(columns, (who, alike[0], lengths, words, alike[1]), strict=True):
            column.append(values)
    who, core, synapses, words, plastic = (np.concatenate(column) for column in columns)
    order = np.argsort(who, kind="stable")
    start = np.searchsorted(who[order], np.arange(size + 1))
    column_of, row_of = layout.tiles
    ours = home[who] >= 0
    here, there = home[who[ours]], core[ours]
    way = np.abs(column_of[here] - column_of[there]) + np.abs(row_of[here] - row_of[there])
    return Fanout(
        start.astype(np.int64),
        core[order],
        synapses[order],
        words[order],
        plastic[order].astype(np.bool_),
        home,
        int(way.max(initial=0)),
    )
