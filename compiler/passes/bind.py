"""bind: every input of a program to a signal. ChipProgram in, ChipProgram out.

What a network's file binds itself stays. Of the rest, a task makes signals that repeat with its samples, and
streams of the samples and their labels; learning epochs make gates; annealing is a value of the host.
"""

from __future__ import annotations

from dataclasses import replace

from compiler.ir.chip_program import ChipProgram, LearningCode, PopulationCode, TaskCode
from compiler.ir.signals import (
    ALWAYS,
    HALVINGS,
    NEVER,
    Clock,
    Constant,
    Listed,
    Periodic,
    Signal,
    Streamed,
    Written,
)
from hw_models.neurons.roles import Control, Roles

#: The streams of a task.
SAMPLES, LABELS = "samples", "labels"


def control_signal(
    control: Control, roles: Roles, gather_every: int, consolidate_every: int, task: TaskCode | None = None
) -> Signal:
    """The signal of a control of one population, of a free run without a task.

    `gather_every` is the learning epoch of the synapses that end there; `consolidate_every` the steps between
    two consolidations, 0 for none. Samples and labels are those of other populations: see `bind`.
    """
    present = 0 if task is None else task.present
    if control == "clock":
        return Clock()
    if control in ("listed", "message"):
        return Listed()
    if control == "rate":
        return Constant(roles.rate)
    if control == "taught":
        return Constant(roles.taught_else)
    if control == "learning":
        return Constant(1)
    if control == "reset":
        return Periodic(present, 0, 1)
    if control == "last":
        return Periodic(present, present - 1, present) if present else Constant(0)
    if control == "plastic":
        return Constant(1) if task is None else Periodic(present, task.teach_after, present)
    every = consolidate_every if control == "consolidate" else gather_every
    if not every:
        return Constant(0)
    return Periodic(every, 0, 1) if control == "gather" else Periodic(every, every - 1, every)


def consolidation(code: ChipProgram, population: PopulationCode) -> int:
    """Steps between two consolidations of the tags of synapses that end at a population, 0 without any."""
    ending = (p.learning for p in code.projections if p.target == population.name)
    every = max((learning.consolidate_every for learning in ending if learning), default=0)
    return every * (population.gather_every if code.task is None else code.task.present)


def _population(population: PopulationCode, code: ChipProgram) -> PopulationCode:
    roles, task = population.roles, code.task
    every = consolidation(code, population)
    signals: dict[str, Signal] = {
        name: control_signal(control, roles, population.gather_every, every, task)
        for name, control in roles.controls.items()
    }
    if task is not None:
        shown, taught = roles.bound_to("rate"), roles.bound_to("taught")
        if population.name == task.input and shown:
            signals[shown] = Streamed(SAMPLES, task.present)
        if population.name == task.readout and taught:
            signals[taught] = Streamed(LABELS, task.present)
        if roles.factor_shift and task.anneal:
            base = population.parameters[roles.factor_shift]
            assert isinstance(base, int)
            signals[roles.factor_shift] = Written(HALVINGS, 0, base)
    return replace(population, signals={**signals, **population.signals})


def _learning(learning: LearningCode, target: PopulationCode, task: TaskCode | None) -> LearningCode:
    """The carry form's gates: plastic where its neurons are, a trace that starts with each sample."""
    if learning.form != "carry":
        return learning
    plastic = target.roles.bound_to("plastic")
    return replace(
        learning,
        gate=target.signals[plastic] if plastic else ALWAYS,
        restart=Periodic(task.present, 0, 1) if task is not None else NEVER,
        halvings=Written(HALVINGS) if task is not None and task.anneal else NEVER,
    )


def bind(code: ChipProgram) -> ChipProgram:
    """All inputs of all programs bound."""
    populations = tuple(_population(population, code) for population in code.populations)
    targets = {population.name: population for population in populations}
    projections = tuple(
        p if p.learning is None else replace(p, learning=_learning(p.learning, targets[p.target], code.task))
        for p in code.projections
    )
    return replace(code, populations=populations, projections=projections)
