"""The text that sends events through synapses: functions that add rows of weights to sums, and their use."""

from __future__ import annotations

from collections.abc import Callable

from burstchip.backends.sim.layout import Layout, has_own_delays
from compiler.ir.chip_program import ProjectionCode

#: Notes that the loop needs an argument of this name; gives the name.
Argument = Callable[[str], str]

#: 16-bit lanes in which rows of weights are summed.
ROW_LANES = 32


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
    \"\"\"Synapses of projection {number}.\"\"\"
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
    \"\"\"Synapses of projection {number}.\"\"\"
    for e in range(count):
        j = events[e]
{inner}
"""


def delivery_lines(index: int, layout: Layout, argument: Argument, step: str) -> list[str]:
    """Send the listed events of projection `index`; they act in step `step`."""
    projection = layout.code.projections[index]
    source, target = layout.numbers[projection.source], layout.numbers[projection.target]
    events = argument(f"e_{source}_{projection.output}")
    count = argument(f"c_{source}_{projection.output}")
    messages = argument(f"o_{source}_{projection.output}")
    depth = layout.depth(target, projection.port)
    sums = argument(f"b_{index}" if layout.floors(projection) else f"a_{target}_{projection.port}")
    constant = not has_own_delays(projection)
    extra = int(projection.delays.flat[0]) if projection.delays.size and constant else 0
    slot = f"({step} + {extra}) % {depth}" if depth > 1 else "0"
    first, size = slot, str(depth)
    if layout.floors_each_delay(projection):
        first, size = "0", f"{sums}.shape[0]"
    if constant:
        sums = f"{sums}[{slot}]"
    w = argument(f"w_{index}")
    indptr = post = delay_array = "none"
    if not projection.dense:
        indptr, post = argument(f"indptr_{index}"), argument(f"post_{index}")
    if not constant:
        delay_array = argument(f"delays_{index}")
    lines = [
        f"deliver_{index}({events}, {count}[0], {messages}, n_{target}, "
        f"{w}, {indptr}, {post}, {delay_array}, "
        f"{first}, {size}, {sums})"
    ]
    if layout.floors_each_delay(projection):
        port = argument(f"a_{target}_{projection.port}")
        shift = -projection.weight_exp
        lines += [
            f"if {count}[0]:",
            f"    put_under_way({sums}, n_{target}, {shift}, {slot}, {depth}, {port})",
        ]
    return lines


def count_lines(index: int, layout: Layout, argument: Argument) -> list[str]:
    """Count the synaptic events that the listed messages cause."""
    projection = layout.code.projections[index]
    source = layout.numbers[projection.source]
    name = f"{source}_{projection.output}"
    argument("synaptic_events")
    if projection.dense:
        size = argument(f"n_{layout.numbers[projection.target]}")
        return [f"synaptic_events[{index}] += c_{name}[0] * {size}"]
    return [
        f"for e in range(c_{name}[0]):",
        f"    synaptic_events[{index}] += indptr_{index}[e_{name}[e] + 1] - indptr_{index}[e_{name}[e]]",
    ]
