"""The units that send events through synapses: they add rows of weights to the sums of a port."""

from __future__ import annotations

from burstchip.backends.sim.code import words
from burstchip.backends.sim.layout import Layout, has_own_delays
from burstchip.backends.sim.unit import Call, Unit, now
from compiler.ir.chip_program import ProjectionCode

#: 16-bit lanes in which rows of weights are summed.
ROW_LANES = 32
#: How many events before its own a list of synapses is fetched from memory.
ROWS_AHEAD = 4

_IMPORTS = (
    "from burstchip.backends.sim.code.frame import flat",
    "from burstchip.backends.sim.code.prefetch import fetch",
    "from burstchip.backends.sim.code.sums import put_under_way, slot_of",
    "from burstchip.backends.sim.code import vectors as vec",
    "from burstchip.backends.sim.code.arithmetic import above_tag",
    "from burstchip.backends.sim.code.loop import loop",
)


def _shift(projection: ProjectionCode, layout: Layout) -> str:
    """`left` or `right` where a summand is shifted; where the sum is floored afterwards, it is not."""
    exponent = projection.weight_exp
    if exponent > 0:
        return "left"
    return "right" if exponent < 0 and not layout.floors(projection) else ""


def _function(projection: ProjectionCode, layout: Layout) -> str:
    """`deliver` adds the rows of the listed events to the port's ring of sums."""
    event = layout.is_event(layout.numbers[projection.source], projection.output)
    if projection.dense and event and not layout.variant.real and not has_own_delays(projection):
        return _deliver_rows(projection, layout)
    return _deliver_wide(projection, layout, event)


def _deliver_rows(projection: ProjectionCode, layout: Layout) -> str:
    """Whole rows in vectors: a block of columns is summed over all events in 16-bit lanes."""
    carry = layout.is_carry(projection)
    # 16 bits hold this many rows of the greatest weights.
    rows = 32767 // (128 if carry else 256)
    shift = _shift(projection, layout)

    def block(indent: str, lanes: int, load: str, store: str, part: str) -> str:
        row = f"vec.{load}(w, events[e] * n + i{part}, {lanes})"
        row = f"vec.shift_right_by(vec.add_by({row}, 128), 8)" if carry else row
        shifted = f"vec.shift_{shift}(total, vec.splat(amount, 32, {lanes}))" if shift else "total"
        lines = f"""\
narrow = vec.splat(0, 16, {lanes})
for e in range(first, last):
    narrow = vec.add(narrow, {row})
total = vec.widen(narrow)
total = vec.add(vec.{load}(sums, i{part}, {lanes}), {shifted})
vec.{store}(sums, i, total{part})"""
        return "\n".join(indent + line for line in lines.split("\n"))

    half = ROW_LANES // 2
    return f"""
@loop
def deliver(events, count, messages, n, amount, w, one, indptr, reached, start, length, sums):
    \"\"\"Dense rows of events.\"\"\"
    first = 0
    whole = n - n % {ROW_LANES}
    while first < count:
        last = min(first + {rows}, count)
        for i in range(0, whole, {ROW_LANES}):
{block(" " * 12, ROW_LANES, "load", "store", "")}
        i = whole
        if n - i > {half}:
{block(" " * 12, ROW_LANES, "load_part", "store_part", ", n - i")}
        elif n > i:
{block(" " * 12, half, "load_part", "store_part", ", n - i")}
        first = last
"""


def _deliver_wide(projection: ProjectionCode, layout: Layout, event: bool) -> str:
    real, number = layout.variant.real, layout.number_type

    def value(weight: str) -> str:
        """What a synapse of row j adds."""
        if layout.is_carry(projection):
            text = f"np.{number}({weight} / 256.0)" if real else f"np.int32(above_tag({weight}))"
        else:
            text = f"np.{number}({weight})"
        if not event:
            text = f"({text}) * np.{number}(messages[j])"
        if real:
            return f"({text}) * np.{number}(amount)"
        shift = _shift(projection, layout)
        return f"np.int32(({text}) {'<<' if shift == 'left' else '>>'} np.int32(amount))" if shift else text

    own_delays = has_own_delays(projection)

    def added(target: str, what: str, indent: int) -> str:
        lines = [f"at = {target}"]
        if own_delays:
            # At most once round the ring.
            lines += ["at = np.uint32(at + start)", "at = at - length if at >= length else at"]
        return "\n".join(" " * indent + line for line in [*lines, f"sums[at] += {what}"])

    synapse = "j * n + i" if projection.dense else "k"
    target = f"np.uint32(reached[{synapse}])" if own_delays or not projection.dense else "i"
    if projection.dense:
        return f"""
@loop
def deliver(events, count, messages, n, amount, w, one, indptr, reached, start, length, sums):
    \"\"\"Dense rows, one synapse after the other.\"\"\"
    for e in range(count):
        j = np.int64(events[e])
        for i in range(n):
{added(target, value("w[j, i]"), 12)}
"""
    if layout.is_one_to_one(projection):
        # Source and target are often the same number.
        target = target if own_delays or not layout.is_identity(projection) else "k"
        return f"""
@loop
def deliver(events, count, messages, n, amount, w, one, indptr, reached, start, length, sums):
    \"\"\"One synapse a source.\"\"\"
    if one:
        for e in range(count):
            k = j = np.uint64(np.uint32(events[e]))
{added(target, value("w[0]"), 12)}
    else:
        for e in range(count):
            k = j = np.uint64(np.uint32(events[e]))
{added(target, value("w[k]"), 12)}
"""
    return f"""
@loop
def deliver(events, count, messages, n, amount, w, one, indptr, reached, start, length, sums):
    \"\"\"Lists of synapses, one synapse after the other. Indices are unsigned: none counts from an end.\"\"\"
    for e in range(-{ROWS_AHEAD}, count):
        if e + {ROWS_AHEAD} < count:
            ahead = np.uint64(events[e + {ROWS_AHEAD}])
            fetch(reached, indptr[ahead], indptr[ahead + np.uint64(1)])
            if not one:
                fetch(w, indptr[ahead], indptr[ahead + np.uint64(1)])
        if e < 0:
            continue
        j = np.uint64(events[e])
        first, end = np.uint64(indptr[j]), np.uint64(indptr[j + np.uint64(1)])
        if one:
            # All weigh the same: what is added is the same for all of a row.
            what = {value("w[0]")}
            for k in range(first, end):
{added(target, "what", 16)}
        else:
            for k in range(first, end):
{added(target, value("w[k]"), 16)}
"""


def delivery(index: int, layout: Layout, *, ahead: bool = False) -> Call:
    """Send the listed events of projection `index`, and count the synaptic events.

    With `ahead` they are those just emitted, in the last step of a learning epoch, and act in the next step;
    they are not counted, since they will be in that step.
    """
    projection = layout.code.projections[index]
    source, target = layout.numbers[projection.source], layout.numbers[projection.target]
    real, learning = layout.variant.real, projection.learning
    number = layout.number_type
    name = f"{source}_{projection.output}"
    every = learning.every if layout.is_chip(projection) and learning is not None else 0
    own_delays, each = has_own_delays(projection), layout.floors_each_delay(projection)
    unit = Unit(_IMPORTS, (_function(projection, layout),))
    constant = int(projection.delays.flat[0]) if projection.delays.size and not own_delays else 0
    unit.add(
        f"events, messages = {unit.array(f'e_{name}', 'int32')}, {unit.array(f'o_{name}', number)}",
        f"count, size = {unit.array(f'c_{name}', 'int64')}[0], {unit.word(f'n_{target}')}",
        f"n = {now(words.N)} + {unit.word(int(ahead))}",
        f"depth = {unit.word(layout.depth(target, projection.port))}",
        f"slot = slot_of(n + {unit.word(constant)}, depth)",
        f"w = {unit.array(f'w_{index}', layout.weight_type, 2 if projection.dense else 1)}",
    )
    indptr = reached = "None"
    if not projection.dense:
        unit.add(f"indptr = {unit.array(f'indptr_{index}', 'int64')}")
        indptr = "indptr"
    if own_delays:
        reached = unit.array(f"reach_{index}", "int32")
    elif not projection.dense:
        reached = unit.array(f"post_{index}", "int32")
    sums = f"b_{index}" if layout.floors(projection) else f"a_{target}_{projection.port}"
    unit.add(f"sums = {unit.array(sums, number, 2)}{'' if own_delays else '[slot]'}")
    amount = unit.real(f"scale_{index}") if real else unit.word(abs(projection.weight_exp))
    unit.add(f"amount, skipped = {amount}, {unit.word(0 if ahead else every)}")
    unit.add(f"one = {unit.word(f'one_weight_{index}')}")
    start, summed = "0", "sums"
    if own_delays:
        start, summed = "0" if each else "slot * size", "flat(sums)"
    # A chip sends with the weight as it was when the event was emitted: see `learning_source`.
    unit.add(
        "if skipped == 0 or n % skipped != 0:",
        f"    deliver(events, count, messages, size, amount, w, one, {indptr}, {reached}, "
        f"np.uint32({start}), np.uint32(sums.size), {summed})",
    )
    if each:
        port = unit.array(f"a_{target}_{projection.port}", number, 2)
        unit.add("    if count:", f"        put_under_way(sums, size, amount, slot, depth, {port})")
    unit.add(
        f"synaptic_events, index = {unit.array('synaptic_events', 'int64')}, {unit.word(index)}",
        f"if {unit.word(int(not ahead))}:",
    )
    if projection.dense:
        unit.add("    synaptic_events[index] += count * size")
    elif layout.is_one_to_one(projection):
        unit.add("    synaptic_events[index] += count")
    else:
        unit.add(
            "    sent = 0",
            "    for e in range(count):",
            "        sent += indptr[events[e] + 1] - indptr[events[e]]",
            "    synaptic_events[index] += sent",
        )
    gate = words.ALWAYS if ahead else words.NEURONS
    period = every if ahead else 1
    return unit.call("delivery", projection.name, gate=gate, period=period, ahead=int(ahead))
