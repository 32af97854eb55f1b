"""The units of a task and of listed spikes: what sources are shown, what is taught, what is read out."""

from __future__ import annotations

import numpy as np

from burstchip.backends.sim.code import words
from burstchip.backends.sim.layout import Layout
from burstchip.backends.sim.unit import Call, Unit, now

_ENCODERS = (
    "from burstchip.backends.sim.code.encoder import encode, encode_each, encode_each_real, encode_real",
    "from burstchip.backends.sim.code.lists import listed",
)


def teaching(layout: Layout) -> Call:
    """At a sample's first step, tell the read-out the label."""
    task = layout.code.task
    assert task is not None
    readout = layout.numbers[task.readout]
    unit, dtype = Unit(), "float64" if layout.variant.real else "int32"
    unit.add(
        f"if {now(words.RESET)}:",
        f"    label = {unit.array(f'x_{readout}_label', dtype)}",
        "    label[:] = 0",
        f"    shown = {unit.array('shown', 'int64')}[{now(words.SAMPLE)}]",
        f"    label[{unit.array('labels', 'int64')}[shown]] = 1",
    )
    return unit.call("neurons", task.readout, gate=words.NEURONS)


def read_out(layout: Layout) -> Call:
    """At a sample's last step, the class with most events."""
    task = layout.code.task
    assert task is not None
    readout, dtype = layout.numbers[task.readout], "float64" if layout.variant.real else "int32"
    roles = layout.code.populations[readout].roles
    unit = Unit(("from burstchip.backends.sim.code.lists import best_of",))
    unit.add(
        f"if {now(words.LAST)}:",
        f"    {unit.array('predictions', 'int64')}[{now(words.SAMPLE)}] = best_of("
        f"{unit.array(f's_{readout}_{roles.count}', dtype)}, "
        f"{unit.array(f's_{readout}_{roles.tie}', dtype)}, {unit.word(f'n_{readout}')})",
    )
    return unit.call("neurons", task.readout, gate=words.NEURONS)


def encoding(layout: Layout) -> list[Call]:
    """At the source's first step of a sample, encode its picture."""
    task = layout.code.task
    assert task is not None
    shown, real = layout.numbers[task.input], layout.variant.real
    dtype = "float64" if real else "int32"
    full_rate = layout.code.populations[shown].roles.full_rate
    each = bool(np.ndim(layout.code.populations[shown].numbers(real=layout.variant.real)[full_rate]))
    unit = Unit(_ENCODERS)
    sample = f"{now(words.CLOCK)} // {now(words.PRESENT)} - {now(words.FIRST_SAMPLE)}"
    name = f"p_{shown}_{full_rate}"
    most = unit.array(name, dtype) if each else (unit.real if real else unit.word)(name)
    encode = f"encode{'_each' if each else ''}{'_real' if real else ''}"
    unit.add(
        f"if {now(words.SOURCE_RESET)}:",
        f"    value, size = {unit.array(f'x_{shown}_value', dtype)}, {unit.word(f'n_{shown}')}",
        f"    picture = {unit.array('shown', 'int64')}[{sample}]",
        "    if picture >= 0:",
        f"        {encode}({unit.array('images', 'uint8', 2)}[picture], size, {most}, "
        f"{unit.word('maximum')}, value)",
        "    else:",
        "        value[:] = 0",
    )
    if layout.needs_value(shown):
        lit, count = unit.array(f"lit_{shown}", "int32"), unit.array(f"lit_count_{shown}", "int64")
        unit.add(f"    {count}[0] = listed(value, size, {lit})")
    return [unit.call("source", task.input, gate=words.SOURCES)]


def spike_list(number: int, layout: Layout) -> Call:
    """The events that a list has in this step."""
    unit = Unit(("from burstchip.backends.sim.code.lists import set_listed",))
    unit.add(
        f"set_listed({unit.array(f'x_{number}_value', 'float64' if layout.variant.real else 'int32')}, "
        f"{unit.array(f'spikes_{number}', 'int64', 2)}, {unit.array(f'at_{number}', 'int64')}, "
        f"{now(words.CLOCK)})"
    )
    return unit.call("source", layout.code.populations[number].name, gate=words.SOURCES)
