"""Memory of each neurocore by kind, in bits.

Of what an axon takes no number is public: axons are counted, not weighed. How the states of a neuron lie in
memory is not public either; here each takes its declared bits.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compiler.estimate.layout import Arrival, Layout
from compiler.ir.chip_program import ChipProgram, PopulationCode
from hw_models.program.trace import Program
from hw_models.synapses.memory import BLOCK, HEADER_BITS, WORD_BITS, list_words

#: What lies in synaptic memory; then what lies elsewhere.
SYNAPTIC = ("weights", "delays", "tags", "indices", "headers", "padding")
KINDS = (*SYNAPTIC, "neuron states", "neuron parameters", "tables")

NEURON_MEMORY = "a neuron's states and parameters take their declared bits"


def _synaptic(arrival: Arrival) -> dict[str, int]:
    form, lengths = arrival.form, arrival.lengths
    synapses = int(lengths.sum())
    found = {
        "weights": synapses * form.weight_bits,
        "delays": synapses * form.delay_bits,
        "tags": synapses * form.tag_bits,
        "indices": synapses * form.index_bits,
        "headers": int((-(-lengths // BLOCK)).sum()) * HEADER_BITS,
    }
    words = int(list_words(form.synapse_bits, lengths).sum())
    return {**found, "padding": words * WORD_BITS - sum(found.values())}


def _states(program: Program) -> int:
    return sum(width.bits for width in program.states.values())


def _parameters(population: PopulationCode, neurons: int) -> int:
    """Of a parameter that all neurons share there is one."""
    total = 0
    for name, value in population.parameters.items():
        bits = population.program.parameters[name].bits if name in population.program.parameters else 0
        total += bits * (neurons if np.ndim(value) else 1)
    return total


def _tables(program: Program) -> int:
    total = 0
    for table in program.tables:
        low, high = min(table), max(table)
        sign = 1 if low < 0 else 0
        total += len(table) * (max((-low - 1).bit_length() if sign else 0, max(high, 0).bit_length()) + sign)
    return total


def memory(code: ChipProgram, layout: Layout) -> tuple[Mapping[str, int], ...]:
    """Of each neurocore the bits of each of `KINDS`."""
    cores = [dict.fromkeys(KINDS, 0) for _ in range(layout.cores)]
    for arrival in layout.arrivals:
        for kind, bits in _synaptic(arrival).items():
            cores[arrival.core][kind] += bits
    programs: list[set[str]] = [set() for _ in range(layout.cores)]
    for it in layout.residents:
        population, core = code.population(it.population), cores[it.core]
        core["neuron states"] += it.neurons.size * _states(population.program)
        core["neuron parameters"] += _parameters(population, it.neurons.size)
        # Populations of one program share its tables.
        if population.program.name not in programs[it.core]:
            programs[it.core].add(population.program.name)
            core["tables"] += _tables(population.program)
    return tuple(cores)
