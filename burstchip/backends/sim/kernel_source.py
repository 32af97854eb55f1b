"""The text of a program's run loop. One function, `run`, goes through all steps of a chunk.

The body of step n, in this order (see `docs/time.md`): deliver what was emitted before, update the neurons,
list what they emit, let the sources emit, update the traces, learn, record. In the steps before `n_first`,
which lead into a task, only sources that run ahead and chip projections take part.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from burstchip.backends.sim.common_source import COMMON
from burstchip.backends.sim.delivery_source import count_lines, delivery_function, delivery_lines
from burstchip.backends.sim.layout import Layout
from burstchip.backends.sim.learning_source import ChipLearning, carry_function
from burstchip.backends.sim.trace_source import TRACES
from compiler.ir.chip_program import LearningCode, PopulationCode
from hw_models.neurons.roles import PER_NEURON
from hw_models.neurons.sources import ENCODER_SHIFT
from hw_models.program.numba_source import PRELUDE, step_source

DECORATOR = "@loop"


@dataclass
class _Text:
    """The text under construction: functions, the loop's arguments in order, the loop's body."""

    functions: list[str] = field(default_factory=list)
    arguments: dict[str, None] = field(default_factory=dict)

    def argument(self, name: str) -> str:
        self.arguments[name] = None
        return name


@dataclass(frozen=True)
class Kernel:
    """Generated text and the names of the arguments of its `run`, in order."""

    text: str
    arguments: tuple[str, ...]


def _step_function(number: int, population: PopulationCode, layout: Layout) -> tuple[str, tuple[str, ...]]:
    per_neuron = {f"x_{port}" for port in population.ports}
    per_neuron |= {f"x_{name}" for name, bound in population.roles.controls.items() if bound in PER_NEURON}
    per_neuron |= {f"p_{name}" for name, value in population.parameters.items() if np.ndim(value) == 1}
    return step_source(
        layout.programs[number], f"step_{number}", per_neuron=per_neuron, real=layout.variant.real
    )


def _call_step(
    number: int, population: PopulationCode, arguments: tuple[str, ...], text: _Text, clock: str
) -> list[str]:
    """The call of a population's step at `clock`, behind the controls that are its own."""
    actual = []
    every = population.gather_every
    lines = []
    for argument in arguments:
        kind, name = argument[0], argument[2:]
        control = population.roles.controls.get(name)
        if kind in "sop":
            actual.append(text.argument(f"{kind}_{number}_{name}"))
        elif control is None:
            actual.append(f"in_{number}_{name}")
        elif control in ("rate", "listed"):
            actual.append(text.argument(f"x_{number}_value"))
        elif control == "label":
            actual.append(text.argument(f"x_{number}_label"))
        elif control == "gather":
            lines.append(f"gather = 1 if {clock} % {every} == 0 else 0" if every else "gather = 0")
            actual.append(control)
        elif control == "report":
            lines.append(f"report = 1 if ({clock} + 1) % {every} == 0 else 0" if every else "report = 0")
            actual.append(control)
        elif control == "clock":
            actual.append(clock)
        else:
            actual.append("source_reset" if clock != "n" and control == "reset" else control)
    key = f"key_of(seed, {population.stream}, {clock})"
    return [*lines, f"step_{number}({', '.join([text.argument(f'n_{number}'), key, *actual])})"]


def _population_lines(number: int, layout: Layout, text: _Text, arguments: tuple[str, ...]) -> list[str]:
    """Bring a neuron population from what arrived to what it emits."""
    population = layout.code.populations[number]
    real = layout.variant.real
    lines = []
    for owner, port in layout.ports:
        if owner != number:
            continue
        sums = text.argument(f"a_{number}_{port}")
        depth = layout.depth(number, port)
        lines.append(f"in_{number}_{port} = {sums}[{f'n % {depth}' if depth > 1 else '0'}]")
        width = population.program.inputs[port]
        for index, projection in enumerate(layout.code.projections):
            arrives = projection.target == population.name and projection.port == port
            if arrives and layout.floors(projection) and not layout.floors_each_delay(projection):
                own = f"{text.argument(f'b_{index}')}[{f'n % {depth}' if depth > 1 else '0'}]"
                lines.append(f"for i in range(n_{number}):")
                lines.append(f"    in_{number}_{port}[i] += {own}[i] >> {-projection.weight_exp}")
                lines.append(f"    {own}[i] = 0")
        if not real and layout.may_overflow(number, port):
            lines.append(
                f"clipped_inputs[{number}] += "
                f"clipped(in_{number}_{port}, n_{number}, {width.low}, {width.high})"
            )
            text.argument("clipped_inputs")
    lines += _call_step(number, population, arguments, text, "n")
    lines += [f"in_{number}_{port}[:] = 0" for owner, port in layout.ports if owner == number]
    return lines


def _emission_lines(number: int, layout: Layout, text: _Text) -> list[str]:
    """List the messages of a population and count its events and bursts."""
    lines = []
    for owner, output in layout.senders:
        if owner == number:
            flags, events = text.argument(f"o_{number}_{output}"), text.argument(f"e_{number}_{output}")
            count = text.argument(f"c_{number}_{output}")
            task = layout.code.task
            if task and layout.numbers[task.input] == number and layout.needs_value(number):
                lit = f"{text.argument(f'lit_{number}')}, {text.argument(f'lit_count_{number}')}[0]"
                lines.append(f"{count}[0] = listed_among({flags}, {lit}, {events})")
            else:
                lines.append(f"{count}[0] = listed({flags}, n_{number}, {events})")
    text.argument("event_totals")
    if "events" in layout.programs[number].output:
        lines.append(f"event_totals[{number}, 0] += c_{number}_events[0]")
        if "bursts" in layout.programs[number].output and not layout.is_silent(number, "bursts"):
            bursts = text.argument(f"o_{number}_bursts")
            lines.append(
                f"event_totals[{number}, 1] += count_flags({bursts}, e_{number}_events, c_{number}_events[0])"
            )
    return lines


def _source_lines(layout: Layout, text: _Text, steps: dict[int, tuple[str, ...]], clock: str) -> list[str]:
    """Let the sources emit for the clock in variable `clock`."""
    task = layout.code.task
    lines = []
    shown = layout.numbers[task.input] if task else -1
    if task:
        real = "_real" if layout.variant.real else ""
        lines += [f"source_reset = 1 if {clock} % {task.present} == 0 else 0", "if source_reset:"]
        sample = f"shown[{clock} // {task.present} - first_sample]"
        value, width = text.argument(f"x_{shown}_value"), text.argument(f"n_{shown}")
        full_rate = layout.code.populations[shown].roles.full_rate
        most = text.argument(f"p_{shown}_{full_rate}")
        each = "_each" if np.ndim(layout.code.populations[shown].parameters[full_rate]) else ""
        for name in ("shown", "images", "maximum", "first_sample"):
            text.argument(name)
        lines += [
            f"    if {sample} >= 0:",
            f"        encode{each}{real}(images[{sample}], {width}, {most}, maximum, {value})",
            "    else:",
            f"        {value}[:] = 0",
        ]
        if layout.needs_value(shown):
            lit, count = text.argument(f"lit_{shown}"), text.argument(f"lit_count_{shown}")
            lines.append(f"    {count}[0] = listed({value}, {width}, {lit})")
    else:
        lines.append(f"source_reset = 1 if {clock} == 0 else 0")
    for number, population in enumerate(layout.code.populations):
        if not layout.is_source(population):
            continue
        if population.roles.bound_to("listed"):
            value, spikes = text.argument(f"x_{number}_value"), text.argument(f"spikes_{number}")
            place = text.argument(f"at_{number}")
            lines += [
                f"{value}[:] = 0",
                f"while {place}[0] < {spikes}.shape[0] and {spikes}[{place}[0], 0] <= {clock}:",
                f"    if {spikes}[{place}[0], 0] == {clock}:",
                f"        {value}[{spikes}[{place}[0], 1]] = 1",
                f"    {place}[0] += 1",
            ]
        lines += _call_step(number, population, steps[number], text, clock)
        lines += _emission_lines(number, layout, text)
    return lines


def _plain_trace_lines(index: int, learning: LearningCode, layout: Layout, text: _Text) -> list[str]:
    """The trace of what has arrived, of the carry form; it starts anew with each sample."""
    projection = layout.code.projections[index]
    source = layout.numbers[projection.source]
    trace = learning.traces[0]
    x = text.argument(f"x1_{index}")
    real = "_real" if layout.variant.real else ""
    keep = f"{'f64' if real else 'i32'}({4096 - trace.decay})"
    lines = []
    if layout.code.task is not None:
        lines += ["if reset:", f"    {x}[:] = 0"]
    lines += [
        f"decay_plain{real}({x}, {text.argument(f'n_{source}')}, {keep})",
        f"bump({x}, e_{source}_{projection.output}, c_{source}_{projection.output}[0], {trace.impulse})",
    ]
    return lines


def _carry_lines(index: int, learning: LearningCode, layout: Layout, text: _Text) -> list[str]:
    projection = layout.code.projections[index]
    target = layout.numbers[projection.target]
    w, y = (
        text.argument(f"w_{index}"),
        text.argument(f"s_{target}_{layout.code.populations[target].roles.gathered}"),
    )
    frozen = text.argument(f"frozen_{index}")
    arguments = [w, f"x1_{index}", y, f"{learning.shift} + anneal", f"key_of(seed, {learning.stream}, n)"]
    if not projection.dense:
        arguments = [text.argument(f"indptr_{index}"), text.argument(f"post_{index}"), *arguments]
    return [
        f"if plastic and (n + 1) % {learning.every} == 0 and not {frozen}:",
        f"    carry_{index}({', '.join(arguments)})",
    ]


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def kernel_source(layout: Layout) -> Kernel:
    """Generate the loop for a program and a variant."""
    text = _Text()
    code, task = layout.code, layout.code.task
    for name in ("n_begin", "n_first", "n_last", "seed", "anneal", "none"):
        text.argument(name)
    steps: dict[int, tuple[str, ...]] = {}
    for number, population in enumerate(code.populations):
        source, steps[number] = _step_function(number, population, layout)
        text.functions.append(source)
    neurons = [
        number for number, population in enumerate(code.populations) if not layout.is_source(population)
    ]
    plastic = [i for i, p in enumerate(code.projections) if layout.is_plastic(p)]
    active = [i for i, p in enumerate(code.projections) if layout.is_active(p)]
    text.functions += [delivery_function(index, code.projections[index], layout) for index in active]

    body: list[str] = []
    if task is not None:
        body += [
            f"t = n % {task.present}",
            f"sample = n // {task.present} - {text.argument('first_sample')}",
            "reset = 1 if t == 0 else 0",
            f"last = 1 if t == {task.present - 1} else 0",
            f"plastic = 1 if t >= {task.teach_after} else 0",
        ]
        readout = layout.numbers[task.readout]
        if layout.variant.learning:
            label = text.argument(f"x_{readout}_label")
            body += [
                "if reset:",
                f"    {label}[:] = 0",
                f"    {label}[{text.argument('labels')}[shown[sample]]] = 1",
            ]
        every = {p.learning.consolidate_every for p in code.projections if layout.is_chip(p) and p.learning}
        consolidate = max(every, default=0)
        body.append(
            f"consolidate = 1 if last and (n // {task.present} + 1) % {consolidate} == 0 else 0"
            if consolidate
            else "consolidate = 0"
        )
    else:
        body += ["reset = 1 if n == 0 else 0", "last = 0", "plastic = 1"]
        gather = max((p.gather_every for p in code.populations), default=0)
        every = {p.learning.consolidate_every for p in code.projections if layout.is_chip(p) and p.learning}
        period = gather * max(every, default=0)
        body.append(f"consolidate = 1 if (n + 1) % {period} == 0 else 0" if period else "consolidate = 0")
    # 1. Deliver.
    for index in active:
        projection = code.projections[index]
        lines = delivery_lines(index, layout, text.argument, "n")
        learning = projection.learning
        if layout.is_chip(projection) and learning is not None:
            # A chip sends with the weight as it was when the event was emitted: see the learning step.
            body += [f"if n % {learning.every} != 0:", *_indented(lines)]
        else:
            body += lines
        body += count_lines(index, layout, text.argument)
    for index in plastic:
        learning = code.projections[index].learning
        assert learning is not None
        if learning.form == "carry":
            body += _plain_trace_lines(index, learning, layout, text)
    # 2. Neurons.
    for number in neurons:
        body += _population_lines(number, layout, text, steps[number])
    if task is not None:
        roles = code.populations[readout].roles
        count, v = text.argument(f"s_{readout}_{roles.count}"), text.argument(f"s_{readout}_{roles.tie}")
        body += [
            "if last:",
            f"    {text.argument('predictions')}[sample] = best_of({count}, {v}, n_{readout})",
        ]
    # 3. Emit, neurons first, then sources.
    for number in neurons:
        body += _emission_lines(number, layout, text)
    sources = [f"clock = n + {layout.lead}", *_source_lines(layout, text, steps, "clock")]
    if task is not None:
        body = ["if n >= n_first:", *_indented(body), "if n >= n_first - 1:", *_indented(sources)]
    else:
        body += sources
    # 4. and 5. Traces and learning.
    for index in plastic:
        projection = code.projections[index]
        learning = projection.learning
        assert learning is not None
        if learning.form == "carry":
            text.functions.append(carry_function(index, projection, learning, layout))
            body += _carry_lines(index, learning, layout, text)
        else:
            chip = ChipLearning(index, projection, learning)
            text.functions.append(chip.function(layout))
            ahead = delivery_lines(index, layout, text.argument, "n + 1") if index in active else []
            body += chip.lines(layout, text.argument, ahead)
    # 6. Record.
    if layout.variant.record:
        body.append(f"if {text.argument('recording')} and n >= n_first:")
    for name, variable in layout.variant.record:
        number = layout.numbers[name]
        kind = "s" if variable in layout.programs[number].states else "o"
        row = f"{text.argument(f'r_{number}_{variable}')}[n - n_first]"
        body.append(f"    {row} = {text.argument(f'{kind}_{number}_{variable}')}")

    arguments = tuple(text.arguments)
    loop = ["@njit(nogil=True, cache=True, error_model='numpy')", f"def run({', '.join(arguments)}):"]
    # No projection learns by carrying before a task's first step.
    loop += ["    plastic = 0", "    for n in range(n_begin, n_last):", *_indented(_indented(body))]
    constants = f"from hw_models.plasticity import vectors as vec\n\nENCODER_SHIFT = {ENCODER_SHIFT}\n"
    return Kernel("\n".join([PRELUDE, constants, COMMON, TRACES, *text.functions, *loop, ""]), arguments)
