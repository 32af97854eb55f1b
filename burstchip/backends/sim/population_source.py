"""The units that bring a population from what arrived to what it emits."""

from __future__ import annotations

import numpy as np

from burstchip.backends.sim.code import words
from burstchip.backends.sim.code.step_source import PRELUDE, step_source
from burstchip.backends.sim.layout import Layout
from burstchip.backends.sim.unit import Call, Unit, now
from hw_models.neurons.roles import PER_NEURON

_SUMS = ("from burstchip.backends.sim.code.sums import clipped, slot_of, take_floored",)
_LISTS = ("from burstchip.backends.sim.code.lists import count_flags, listed, listed_among",)

#: Controls that are words of the clock, for neurons.
_SHARED = {
    "reset": words.RESET,
    "plastic": words.PLASTIC,
    "last": words.LAST,
    "consolidate": words.CONSOLIDATE,
    "anneal": words.ANNEAL,
}


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


def population_step(number: int, layout: Layout) -> Call:
    """Read the ports, clip what exceeds them, take one step, and clear the ports."""
    population = layout.code.populations[number]
    real, is_source = layout.variant.real, layout.is_source(population)
    dtype = "float64" if real else "int32"
    controls = population.roles.controls
    per_neuron = {f"x_{port}" for port in population.ports}
    per_neuron |= {f"x_{name}" for name, control in controls.items() if control in PER_NEURON}
    per_neuron |= {
        f"p_{name}"
        for name, value in population.numbers(real=layout.variant.real).items()
        if np.ndim(value) == 1
    }
    source, arguments = step_source(layout.programs[number], "step", per_neuron=per_neuron, real=real)
    unit = Unit((*_SUMS, *PRELUDE.splitlines()), (source,))
    unit.add(f"n, size = {now(words.CLOCK if is_source else words.N)}, {unit.word(f'n_{number}')}")
    ports = [port for owner, port in layout.ports if owner == number]
    for port in ports:
        depth = unit.word(layout.depth(number, port))
        unit.add(f"in_{port} = {unit.array(f'a_{number}_{port}', dtype, 2)}[slot_of(n, {depth})]")
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
        elif kind == "p":
            given = f"p_{number}_{name}"
            number_of = unit.real if real else unit.word
            actual.append(unit.array(given, dtype) if argument in per_neuron else number_of(given))
        elif (control := controls.get(name)) is None:
            actual.append(f"in_{name}")
        elif control in PER_NEURON:
            actual.append(unit.array(f"x_{number}_{'label' if control == 'label' else 'value'}", dtype))
        elif control in ("gather", "report"):
            every = unit.word(population.gather_every)
            step = "n" if control == "gather" else "n + 1"
            unit.add(f"every = {every}", f"{control} = 1 if every != 0 and ({step}) % every == 0 else 0")
            actual.append(control)
        elif control == "clock":
            actual.append("n")
        else:
            actual.append(now(words.SOURCE_RESET if is_source and control == "reset" else _SHARED[control]))
    key = f"key_of({now(words.SEED)}, {unit.word(population.stream)}, n)"
    unit.add(f"step({', '.join(['size', key, *actual])})", *(f"in_{port}[:] = 0" for port in ports))
    return unit.call(
        "source" if is_source else "neurons",
        population.name,
        gate=words.SOURCES if is_source else words.NEURONS,
    )


def emission(number: int, layout: Layout) -> list[Call]:
    """List the messages of a population and count its events and bursts."""
    population = layout.code.populations[number]
    task = layout.code.task
    dtype = "float64" if layout.variant.real else "int32"
    gate = words.SOURCES if layout.is_source(population) else words.NEURONS
    lit = task is not None and layout.numbers[task.input] == number and layout.needs_value(number)
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
                unit.add(f"totals[number, 1] += count_flags({bursts}, events, count)")
        calls.append(unit.call("listing", population.name, gate=gate))
    return calls
