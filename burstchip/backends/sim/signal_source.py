"""How units get at signals: flags that the clock sets, numbers that stay for a call, values for each neuron.

A waveform or a stream has, for a call, rows and the row of each step; a unit of its own writes the row to the
population's values where it changes. What the host writes lies there from the start of the call.
"""

from __future__ import annotations

from burstchip.backends.sim.code import words
from burstchip.backends.sim.layout import Layout
from burstchip.backends.sim.unit import Call, Kind, Unit, now
from compiler.ir.signals import Clock, Constant, Periodic, Signal, Streamed, Waveform, Written


def signal_number(signal: Signal, unit: Unit, layout: Layout, owner: int = -1, name: str = "") -> str:
    """The expression for a signal that is one number for all; it is bound to `name` of population `owner`.

    A learning rule's gate is that of its target, which has a value for each neuron unless it is a flag.
    """
    if isinstance(signal, Periodic):
        ahead = owner >= 0 and layout.code.populations[owner].is_source
        return f"{unit.array(f'flag_{layout.flags.index((signal, ahead))}', 'int64')}[0]"
    if isinstance(signal, Constant):
        if isinstance(signal.value, int):
            return unit.word(signal.value)
        given = f"p_{owner}_{signal.value}"
        return unit.real(given) if layout.variant.real else unit.word(given)
    if isinstance(signal, Clock):
        return "n"
    if isinstance(signal, Written) and layout.is_number(signal):
        given = f"written_{signal.name}"
        if not signal.offset:
            return unit.word(given)
        offset = f"p_{owner}_{name}"
        base = unit.real(offset) if layout.variant.real else unit.word(offset)
        return f"{base} + {unit.word(given)}"
    return f"{unit.array(f'x_{owner}_{name}', layout.number_type)}[0]"


def courses(number: int, layout: Layout) -> list[Call]:
    """Where a waveform or a stream comes to another row, write it to the values of its neurons."""
    population = layout.code.populations[number]
    source = population.is_source
    calls = []
    for name, signal in layout.signals(number).items():
        if not isinstance(signal, Waveform | Streamed):
            continue
        unit, dtype = Unit(("from burstchip.backends.sim.code.courses import set_row",)), layout.number_type
        key = f"{number}_{name}"
        lit = layout.lit_input(number) == name
        if lit:
            unit = Unit((*unit.imports, "from burstchip.backends.sim.code.lists import listed"))
        unit.add(
            f"row, at = {unit.array(f'index_{key}', 'int64')}[{now(words.N)} - {now(words.BEGIN)}], "
            f"{unit.array(f'at_{key}', 'int64')}",
            "if at[0] != row:",
            "    at[0] = row",
            f"    value, size = {unit.array(f'x_{key}', dtype)}, {unit.word(f'n_{number}')}",
            f"    set_row({unit.array(f'rows_{key}', dtype, 2)}, row, size, value)",
        )
        if lit:
            among, count = unit.array(f"lit_{number}", "int32"), unit.array(f"lit_count_{number}", "int64")
            unit.add(f"    {count}[0] = listed(value, size, {among})")
        work: Kind = "source" if source else "neurons"
        calls.append(unit.call(work, population.name, gate=words.SOURCES if source else words.NEURONS))
    return calls


def read_out(layout: Layout) -> Call:
    """At a sample's last step, the class with most events."""
    task = layout.code.task
    assert task is not None
    readout, dtype = layout.numbers[task.readout], layout.number_type
    roles = layout.code.populations[readout].roles
    unit = Unit(("from burstchip.backends.sim.code.lists import best_of",))
    unit.add(
        f"sample = ({now(words.N)} + 1) // {unit.word(task.present)} - 1 - {unit.word('first_sample')}",
        f"{unit.array('predictions', 'int64')}[sample] = best_of("
        f"{unit.array(f's_{readout}_{roles.count}', dtype)}, "
        f"{unit.array(f's_{readout}_{roles.tie}', dtype)}, {unit.word(f'n_{readout}')})",
    )
    return unit.call("neurons", task.readout, gate=words.NEURONS, period=task.present, ahead=1)


def spike_list(number: int, layout: Layout) -> Call:
    """What a list has in this step."""
    unit = Unit(("from burstchip.backends.sim.code.lists import set_listed",))
    name = layout.code.populations[number].roles.of_list
    unit.add(
        f"set_listed({unit.array(f'x_{number}_{name}', layout.number_type)}, "
        f"{unit.array(f'spikes_{number}', 'int64', 2)}, {unit.array(f'at_{number}', 'int64')}, "
        f"{now(words.CLOCK)})"
    )
    return unit.call("source", layout.code.populations[number].name, gate=words.SOURCES)
