"""A program's run loop: the units that are called in each step, in their order.

Step n (see `docs/time.md`): deliver what was emitted before, update the neurons, list what they emit, let the
sources emit, update the traces, learn, record. In the steps before a run's first, which lead into a task,
only sources that run ahead and chip projections take part.
"""

from __future__ import annotations

import numpy as np

from burstchip.backends.sim.code import words
from burstchip.backends.sim.delivery_source import delivery
from burstchip.backends.sim.layout import Layout
from burstchip.backends.sim.learning_source import ChipLearning, carry, plain_trace
from burstchip.backends.sim.population_source import arrivals, emission, floored, population_step
from burstchip.backends.sim.signal_source import courses, read_out, spike_list
from burstchip.backends.sim.unit import Call, Kernel, Unit, now
from compiler.ir.signals import Listed

_ROWS = (
    "from burstchip.backends.sim.code.frame import flat",
    "from burstchip.backends.sim.code.rows import write_row",
)


def _record(name: str, variable: str, layout: Layout) -> Call:
    unit = Unit(_ROWS)
    if name not in layout.numbers:
        index = next(k for k, it in enumerate(layout.code.projections) if it.name == name)
        held = layout.held_by_synapses(index, variable)
        values = unit.array(held.name, held.dtype, held.dimensions)
        if held.row is not None:
            values = f"{values}[{unit.word(held.row)}]"
        elif held.dimensions == 2:
            values = f"flat({values})"
        rows = unit.array(f"r_{name}_{variable}", layout.number_type, 2)
        unit.add(f"write_row({rows}, {now(words.N)} - {now(words.FIRST)}, {values})")
        return unit.call("recording", name, gate=words.NEURONS)
    number = layout.numbers[name]
    kind = "s" if variable in layout.programs[number].states else "o"
    dtype = layout.number_type
    unit.add(
        f"write_row({unit.array(f'r_{name}_{variable}', dtype, 2)}, {now(words.N)} - {now(words.FIRST)}, "
        f"{unit.array(f'{kind}_{number}_{variable}', dtype)})"
    )
    return unit.call("recording", name, gate=words.NEURONS)


def _sources(layout: Layout) -> list[Call]:
    """Let the sources emit."""
    calls = []
    for number, population in enumerate(layout.code.populations):
        if population.is_source:
            if any(isinstance(signal, Listed) for signal in population.signals.values()):
                calls.append(spike_list(number, layout))
            calls += courses(number, layout)
            if layout.programs[number].sends_arrivals:
                calls.append(arrivals(number, layout))
                continue
            calls.append(population_step(number, layout))
            calls += emission(number, layout)
    return calls


def kernel_source(layout: Layout) -> Kernel:
    """The loop for a program and a variant."""
    code = layout.code
    learning = [
        (index, projection, projection.learning)
        for index, projection in enumerate(code.projections)
        if layout.is_plastic(projection) and projection.learning is not None
    ]
    neurons = [number for number, population in enumerate(code.populations) if not population.is_source]
    # 1. Deliver.
    arriving = [delivery(index, layout) for index, p in enumerate(code.projections) if layout.is_active(p)]
    arriving += [plain_trace(index, it, layout) for index, _, it in learning if it.form == "carry"]
    # 2. Neurons.
    emitting: list[Call] = []
    for number in neurons:
        emitting += [*courses(number, layout), *floored(number, layout), population_step(number, layout)]
    if code.task is not None:
        emitting.append(read_out(layout))
    # 3. Emit, neurons first, then sources.
    for number in neurons:
        emitting += emission(number, layout)
    emitting += _sources(layout)
    # 4. and 5. Traces and learning.
    ending: list[Call] = []
    for index, projection, it in learning:
        if it.form == "carry":
            ending.append(carry(index, it, layout))
        else:
            ending += ChipLearning(index, projection, it).calls(layout)
    # 6. Record.
    ending += [_record(name, variable, layout) for name, variable in layout.variant.record]
    return Kernel(tuple(arriving), tuple(emitting), tuple(ending))


def shared_words(layout: Layout) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The words of `code.words` that a program sets."""
    shared = np.zeros(words.WORDS, dtype=np.int64)
    shared[words.LEAD] = layout.code.lead
    return shared
