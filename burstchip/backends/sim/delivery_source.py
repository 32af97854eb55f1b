"""The text of the functions that send events through synapses: rows of weights added to a port's sums."""

from __future__ import annotations

import numpy as np

from burstchip.backends.sim.layout import Layout
from compiler.ir.chip_program import ProjectionCode

#: 16-bit lanes in which rows of weights are summed.
ROW_LANES = 32


def has_own_delays(projection: ProjectionCode) -> bool:
    """Whether the synapses of a projection have delays of their own."""
    return bool(projection.delays.size and np.any(projection.delays != projection.delays.flat[0]))


def delivery_function(number: int, projection: ProjectionCode, layout: Layout) -> str:
    """The function that adds the rows of the listed events to the port's ring of sums."""
    event = layout.is_event(layout.numbers[projection.source], projection.output)
    if projection.dense and event and not layout.variant.real and not has_own_delays(projection):
        return _deliver_rows(number, projection, layout)
    return _deliver_wide(number, projection, layout, event)


def _shifted(value: str, projection: ProjectionCode, layout: Layout) -> str:
    """A summand at the projection's exponent; where the sum is floored afterwards, as it is."""
    exponent = projection.weight_exp
    if exponent > 0:
        return f"i32(({value}) << i32({exponent}))"
    if exponent < 0 and not layout.floors(projection):
        return f"i32(({value}) >> i32({-exponent}))"
    return value


def _deliver_rows(number: int, projection: ProjectionCode, layout: Layout) -> str:
    """Whole rows in vectors: a block of columns is summed over all events in 16-bit lanes."""
    carry = layout.is_carry(projection)
    size = layout.code.population(projection.target).size
    lanes = ROW_LANES if size > ROW_LANES // 2 else ROW_LANES // 2
    # 16 bits hold this many rows of the greatest weights.
    rows = 32767 // (128 if carry else 256)
    exponent = projection.weight_exp
    shifted = "total"
    if exponent > 0:
        shifted = f"vec.shift_left_by(total, {exponent})"
    elif exponent < 0 and not layout.floors(projection):
        shifted = f"vec.shift_right_by(total, {-exponent})"

    def block(load: str, store: str, part: str) -> str:
        row = f"vec.{load}(w, i64(events[e]) * n + i{part}, {lanes})"
        row = f"vec.shift_right_by(vec.add_by({row}, 128), 8)" if carry else row
        return f"""
            narrow = vec.splat(0, 16, {lanes})
            for e in range(first, last):
                narrow = vec.add(narrow, {row})
            total = vec.widen(narrow)
            total = vec.add(vec.{load}(sums, i{part}, {lanes}), {shifted})
            vec.{store}(sums, i, total{part})"""

    return f"""
@loop
def deliver_{number}(events, count, messages, n, w, indptr, post, delays, slot, depth, sums):
    \"\"\"Synapses of {projection.name!r}.\"\"\"
    first = 0
    whole = n - n % {lanes}
    while first < count:
        last = min(first + {rows}, count)
        for i in range(0, whole, {lanes}):{block("load", "store", "")}
        for i in range(whole, n, {lanes}):{block("load_part", "store_part", ", n - i")}
        first = last
"""


def _deliver_wide(number: int, projection: ProjectionCode, layout: Layout, event: bool) -> str:
    real = layout.variant.real
    size = layout.code.population(projection.target).size
    # A short row of known length is unrolled.
    length = str(size) if size <= ROW_LANES else "n"
    weight = "w[j, i]" if projection.dense else "w[k]"
    if layout.is_carry(projection):
        value = f"f64({weight}) / 256.0" if real else f"i32(above_tag({weight}))"
    else:
        value = f"f64({weight})" if real else f"i32({weight})"
    if not event:
        value = f"({value}) * {'f64' if real else 'i32'}(messages[j])"
    if real:
        value = f"({value}) * {2.0**projection.weight_exp!r}" if projection.weight_exp else value
    else:
        value = _shifted(value, projection, layout)
    synapse = "j * n + i" if projection.dense else "k"
    target = f"sums[(slot + delays[{synapse}]) % depth, " if has_own_delays(projection) else "sums["
    if projection.dense:
        inner = f"""        for i in range({length}):
            {target}i] += {value}"""
    else:
        inner = f"""        for k in range(indptr[j], indptr[j + 1]):
            {target}post[k]] += {value}"""
    return f"""
@loop
def deliver_{number}(events, count, messages, n, w, indptr, post, delays, slot, depth, sums):
    \"\"\"Synapses of {projection.name!r}.\"\"\"
    for e in range(count):
        j = events[e]
{inner}
"""
