"""What the numbers of a chip must be, so that whatever reckons with them can: with one another, and alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hw_models.chips.chip import COSTS, Cost, Fact
from hw_models.synapses.memory import COUNT_BITS, FORMAT_BITS, WORD_BITS

#: Least and greatest value of each fact that has any.
_RANGES: Mapping[str, tuple[int, int]] = {
    "neurocores": (1, 1 << 24),
    "compartments": (1, 1 << 24),
    "synaptic_memory_bits": (WORD_BITS, 1 << 40),
    "input_axons": (1, 1 << 32),
    "output_axons": (1, 1 << 32),
    "synapse_formats": (1, 1 << FORMAT_BITS),
    "fan_in": (1, 1 << 40),
    "delay_slots": (1, 1 << 40),
    "learning_rules": (0, 1 << 16),
    "trace_configurations": (0, 1 << 16),
    "word_bits": (WORD_BITS, WORD_BITS),
    "format_bits": (FORMAT_BITS, FORMAT_BITS),
    "count_bits": (COUNT_BITS, COUNT_BITS),
    "weight_bits": (0, 8),
    "index_bits": (0, 15),
    "axon_base": (0, 1 << 24),
    "learning_weight_bits": (1, 15),
    "tag_bits": (1, 15),
    "delay_bits": (0, 15),
    "message_bits": (1, 32),
    "neuron_programs": (0, 1 << 16),
    "core_memory_bits": (WORD_BITS, 1 << 40),
    "tile_neurocores": (1, 1 << 16),
    "mesh_columns": (1, 1 << 16),
    "mesh_rows": (1, 1 << 16),
}
#: Facts with several values to choose from.
_LISTS = ("weight_bits", "index_bits")


def wrong_value(name: str, values: tuple[int, ...]) -> str | None:
    """What is required of a fact's values where they are not it, else None."""
    low, high = _RANGES[name]
    text = f"{low}" if low == high else f"{low:,} to {high:,}"
    if name in _LISTS:
        rising = list(values) == sorted(set(values))
        return None if rising and low <= values[0] and values[-1] <= high else f"rising numbers from {text}"
    if len(values) != 1:
        return f"one number, {text}"
    return None if low <= values[0] <= high else text


def wrong_facts(facts: Mapping[str, Fact]) -> Iterator[tuple[str, str, str]]:
    """(fact, message, what is required) where facts of a chip do not go together."""
    if facts["weight_bits"].value != 8:
        yield "weight_bits", "fact 'weight_bits' lacks the widest weight", "8 among them"
    needed = (facts["compartments"].value - 1).bit_length()
    if facts["index_bits"].value < needed:
        required = f"at least {needed} bits for {facts['compartments'].value:,} compartments"
        yield "index_bits", "an index does not reach every compartment", required
    widest = max(facts["weight_bits"].value, facts["learning_weight_bits"].value)
    synapse = widest + sum(facts[name].value for name in ("index_bits", "tag_bits", "delay_bits"))
    if synapse > WORD_BITS:
        yield "index_bits", f"a synapse may take {synapse} bits", f"at most {WORD_BITS} bits, a word"


def wrong_cost(cost: Cost) -> tuple[str, str, str] | None:
    """(key, message, what is required) where a cost cannot be reckoned with."""
    name = f"cost '{cost.name}'"
    if cost.unit != COSTS[cost.name]:
        return "unit", f"the unit of {name} is another one", COSTS[cost.name]
    if not cost.low <= cost.value <= cost.high:
        return "value", f"the value of {name} lies outside its range", f"{cost.low:g} to {cost.high:g}"
    if (cost.status == "assumed") != bool(cost.assumption):
        if cost.assumption:
            return "assumption", f"{name} is public and has an assumption", "status: assumed, or none"
        return "status", f"{name} is assumed without a name", "'assumption': what is assumed, in words"
    return None
