"""The units that bring a population from what arrived to what it emits."""

from __future__ import annotations

import numpy as np

from burstchip.backends.sim.code import words
from burstchip.backends.sim.code.step_source import PRELUDE, checked, step_source
from burstchip.backends.sim.layout import Layout
from burstchip.backends.sim.signal_source import signal_number
from burstchip.backends.sim.unit import Call, Unit, now
from compiler.ir.signals import Constant

_SUMS = ("from burstchip.backends.sim.code.sums import clipped, slot_of, take_floored",)
_ARRIVALS = (
    "from burstchip.backends.sim.code.arriving import arrive, arrive_real",
    "from burstchip.backends.sim.code.draws import key as key_of, row",
)
_LISTS = ("from burstchip.backends.sim.code.lists import count_flags, listed, listed_among",)


def floored(number: int, layout: Layout) -> list[Call]:
    """Add to the sums of a population's ports those that are floored by themselves."""
    population = layout.code.populations[number]
    calls = []
    for index, projection in enumerate(layout.code.projections):
        arrives = projection.target == population.name and (number, projection.port) in layout.ports
        if arrives and layout.floors(projection) and not layout.floors_each_delay(projection):
            unit = Unit(_SUMS)
            depth = unit.word(layout.depth(number, projection.port))
            unit.add(
                f"slot = slot_of({now(words.N)}, {depth})",
                f"take_floored({unit.array(f'b_{index}', 'int32', 2)}[slot], {unit.word(f'n_{number}')}, "
                f"{unit.word(-projection.weight_exp)}, "
                f"{unit.array(f'a_{number}_{projection.port}', 'int32', 2)}[slot])",
            )
            calls.append(unit.call("neurons", population.name, gate=words.NEURONS))
    return calls


def arrivals(number: int, layout: Layout) -> Call:
    """Draw a step's arrivals, and list them."""
    population, program = layout.code.populations[number], layout.programs[number]
    (output,) = program.output
    node = program.nodes[program.output[output]]
    gap, shift, share, most = (program.nodes[argument].name for argument in node.arguments)
    real, numbers = layout.variant.real, population.numbers(real=layout.variant.real)
    unit = Unit(_ARRIVALS)
    key = f"key_of({now(words.SEED)}, {unit.word(population.stream)}, {now(words.CLOCK)})"
    number_of, arrive = (unit.real, "arrive_real") if real else (unit.word, "arrive")
    each = np.ndim(numbers[share]) == 1
    shares = f"p_{number}_{share}"
    shared = unit.array(shares, layout.number_type) if each else f"({number_of(shares)},)"
    unit.add(
        f"count = {unit.array(f'c_{number}_{output}', 'int64')}",
        f"counts = {unit.array(f'o_{number}_{output}', layout.number_type)}",
        f"events = {unit.array(f'e_{number}_{output}', 'int32')}",
        f"drawn = row({key}, {unit.word(node.repeat)})",
        f"gap, shift = {number_of(f'p_{number}_{gap}')}, {unit.word(f'p_{number}_{shift}')}",
        f"size, most = {unit.word(f'n_{number}')}, {unit.word(f'p_{number}_{most}')}",
        f"share, before = {shared}, count[0]",
        f"count[0] = {arrive}(drawn, size, gap, shift, share, most, counts, events, before)",
    )
    return unit.call("source", population.name, gate=words.SOURCES)


def population_step(number: int, layout: Layout) -> Call:
    """Read the ports, clip what exceeds them, take one step, and clear the ports."""
    population = layout.code.populations[number]
    real, is_source = layout.variant.real, population.is_source
    dtype, signals = layout.number_type, population.signals
    numbers = population.numbers(real=real)
    listed = {name for name, value in numbers.items() if np.ndim(value) == 1}
    # A constant that is a parameter lies where the parameter lies.
    given = {
        name: signal.value
        for name, signal in signals.items()
        if isinstance(signal, Constant) and isinstance(signal.value, str)
    }
    per_neuron = {f"x_{port}" for port in population.ports}
    per_neuron |= {f"p_{name}" for name in listed}
    per_neuron |= {f"x_{name}" for name, parameter in given.items() if parameter in listed}
    per_neuron |= {f"{kind}_{name}" for name in signals if layout.has_values(number, name) for kind in "px"}
    source, arguments = step_source(
        layout.programs[number], "step", per_neuron=per_neuron, real=real, single=layout.variant.single
    )
    added = ("from burstchip.backends.sim.code.courses import add_each",)
    imports = (*_SUMS, *(added if any(port in signals for port in population.ports) else ()))
    unit = Unit((*imports, *PRELUDE.splitlines()), (source,))
    unit.add(f"n, size = {now(words.CLOCK if is_source else words.N)}, {unit.word(f'n_{number}')}")
    ports = [port for owner, port in layout.ports if owner == number]
    for port in ports:
        depth = unit.word(layout.depth(number, port))
        unit.add(f"in_{port} = {unit.array(f'a_{number}_{port}', dtype, 2)}[slot_of(n, {depth})]")
        if port in signals:
            unit.add(f"add_each(in_{port}, size, {unit.array(f'x_{number}_{port}', dtype)})")
        if not real:
            width = population.program.inputs[port]
            unit.add(
                f"if {unit.word(int(layout.may_overflow(number, port)))}:",
                f"    {unit.array('clipped_inputs', 'int64')}[{unit.word(number)}] += "
                f"clipped(in_{port}, size, {unit.word(width.low)}, {unit.word(width.high)})",
            )
    actual = []
    for argument in arguments:
        kind, name = argument[0], argument[2:]
        if kind in "so":
            actual.append(unit.array(f"{kind}_{number}_{name}", dtype))
        elif kind == "x" and name in population.ports:
            actual.append(f"in_{name}")
        elif name in signals and layout.has_values(number, name):
            actual.append(unit.array(f"x_{number}_{name}", dtype))
        elif name in given and given[name] in listed:
            actual.append(unit.array(f"p_{number}_{given[name]}", dtype))
        elif name in signals:
            actual.append(signal_number(signals[name], unit, layout, number, name))
        elif name in listed:
            actual.append(unit.array(f"p_{number}_{name}", dtype))
        else:
            actual.append((unit.real if real else unit.word)(f"p_{number}_{name}"))
    key = f"key_of({now(words.SEED)}, {unit.word(population.stream)}, n)"
    taken = f"step({', '.join(['size', key, *actual])})"
    if not real and checked(layout.programs[number]):
        taken = f"{unit.array('left_widths', 'int64')}[{unit.word(number)}] |= {taken}"
    unit.add(taken, *(f"in_{port}[:] = 0" for port in ports))
    return unit.call(
        "source" if is_source else "neurons",
        population.name,
        gate=words.SOURCES if is_source else words.NEURONS,
    )


def emission(number: int, layout: Layout) -> list[Call]:
    """List the messages of a population and count its events and bursts."""
    population = layout.code.populations[number]
    dtype = layout.number_type
    gate = words.SOURCES if population.is_source else words.NEURONS
    lit = bool(layout.lit_input(number))
    calls = []
    for owner, output in layout.senders:
        if owner != number:
            continue
        unit = Unit(_LISTS)
        unit.add(
            f"flags, events = {unit.array(f'o_{number}_{output}', dtype)}, "
            f"{unit.array(f'e_{number}_{output}', 'int32')}"
        )
        if lit:
            among, count = unit.array(f"lit_{number}", "int32"), unit.array(f"lit_count_{number}", "int64")
            found = f"listed_among(flags, {among}, {count}[0], events)"
        else:
            found = f"listed(flags, {unit.word(f'n_{number}')}, events)"
        unit.add(f"count = {found}", f"{unit.array(f'c_{number}_{output}', 'int64')}[0] = count")
        if output == "events":
            unit.add(
                f"totals, number = {unit.array('event_totals', 'int64', 2)}, {unit.word(number)}",
                "totals[number, 0] += count",
            )
            if "bursts" in layout.programs[number].output and not layout.is_silent(number, "bursts"):
                bursts = unit.array(f"o_{number}_bursts", dtype)
                unit.add(f"totals[number, 1] += count_flags({bursts}, {unit.word(f'n_{number}')})")
        calls.append(unit.call("listing", population.name, gate=gate))
    return calls
