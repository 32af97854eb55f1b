"""Networks: structures of 1 to 5 populations, and their members as YAML documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from compiler.ir.network import DATA_SHAPES
from generate.plasticities import PlasticityStructure, plasticities, plasticity_structures
from generate.populations import (
    NEURONS,
    SOURCES,
    PopulationStructure,
    population_structures,
    populations,
)
from generate.projections import ProjectionStructure, ports_for, projection_structures, projections
from generate.quantities import quantity
from generate.signals import signal_structures, signals


@dataclass(frozen=True)
class TaskStructure:
    """When a task's samples begin and learning begins in them, in steps."""

    present: int
    teach_after: int


@dataclass(frozen=True)
class NetworkStructure:
    """What the text of the simulator's loop depends on, as far as a network's file decides it.

    `seed` is that of all members where the greatest of drawn delays is in the text, too; else None.
    """

    populations: tuple[PopulationStructure, ...]
    plasticities: tuple[PlasticityStructure, ...]
    projections: tuple[ProjectionStructure, ...]
    step_ms: float
    task: TaskStructure | None
    seed: int | None
    signals: tuple[tuple[PopulationStructure, str], ...] = ()


@dataclass(frozen=True)
class Document:
    """A network file, and the weight matrices [target, source] of the files that it names."""

    network: Mapping[str, Any]
    files: Mapping[str, list[list[float]]] = field(default_factory=dict)


_SEEDS = st.one_of(st.integers(0, 1000), st.sampled_from((0, 1, 2**31, 2**32 - 1)))
_EPOCHS = (1, 2, 3, 4, 7, 8, 16)


@st.composite
def structures(draw: st.DrawFn, *, with_task: bool | None = None) -> NetworkStructure:
    """Any structure. A task has 64 inputs and 10 readouts, so that its steps take longer; few have one."""
    is_task = draw(st.integers(0, 7)) == 7 if with_task is None else with_task
    made: list[PopulationStructure] = []
    if is_task:
        pixels, classes = DATA_SHAPES["digits"]
        rates = ("rate_source", "poisson_source")
        made.append(draw(population_structures("image", rates, size=pixels, is_input=True)))
        made.append(draw(population_structures("readout", ("burst_unit",), size=classes)))
        made += [
            draw(population_structures(f"p{i}", (*SOURCES, *NEURONS)))
            for i in range(draw(st.sampled_from((0, 0, 1, 1, 2))))
        ]
    else:
        made.append(draw(population_structures("n0", NEURONS)))
        made += [
            draw(population_structures(f"p{i}", (*SOURCES, *NEURONS, *NEURONS)))
            for i in range(draw(st.sampled_from((1, 0, 1, 2, 2, 3, 4))))
        ]
    task = None
    if is_task:
        present = draw(st.sampled_from((2, 4, 8, 12, 24)))
        task = TaskStructure(present, draw(st.integers(0, present // 2 - 1)) * 2 if present > 2 else 0)
    rules, ends = draw(_projections(tuple(made), task))
    step_ms = draw(st.sampled_from((1.0, 1.0, 1.0, 0.5, 2.0)))
    is_drawn = any(projection.delays[0] != projection.delays[1] for projection in ends)
    seed = draw(_SEEDS) if is_drawn else None
    played = draw(signal_structures(tuple(made)))
    return NetworkStructure(tuple(made), rules, ends, step_ms, task, seed, played)


@st.composite
def _projections(
    draw: st.DrawFn, made: tuple[PopulationStructure, ...], task: TaskStructure | None
) -> tuple[tuple[PlasticityStructure, ...], tuple[ProjectionStructure, ...]]:
    """Plasticities and projections; every neuron population gets at least a chance of an input."""
    targets = [it for it in made if it.ports]
    # All chip projections of a network consolidate in one rhythm, those of a target learn in one.
    consolidate_every = draw(st.sampled_from((0, 1, 1, 2, 3)))
    epochs = _EPOCHS
    if task is not None:
        epochs = tuple(e for e in _EPOCHS if task.present % e == 0 and task.teach_after % e == 0)
    every = {it.name: draw(st.sampled_from(epochs)) for it in targets}
    learners = [it for it in targets if "events" in it.outputs]
    n_plastic = draw(st.sampled_from((1, 0, 1, 2))) if learners else 0
    rules: list[PlasticityStructure] = []
    ends: list[ProjectionStructure] = []
    for i in range(n_plastic):
        target = draw(st.sampled_from(learners))
        source = draw(st.sampled_from([it for it in made if ports_for(it, target)]))
        fitting = [
            rule
            for rule in rules
            if rule.every == every[target.name]
            and rule.third_factors <= target.third_factors
            and (target.gathers_errors or (rule.form != "carry" and not rule.rates))
            and rule.postsynaptic in target.outputs
        ]
        if fitting and draw(st.booleans()):
            rule = fitting[0]
        else:
            rule = draw(
                plasticity_structures(
                    f"rule{i}",
                    every[target.name],
                    target.third_factors,
                    target.gathers_errors,
                    "bursts" in target.outputs,
                    consolidate_every,
                )
            )
            rules.append(rule)
        ends.append(draw(projection_structures(f"learned{i}", source, target, rule)))
    for i in range(draw(st.integers(0 if n_plastic else 1, 4))):
        target = draw(st.sampled_from(targets))
        source = draw(st.sampled_from([it for it in made if ports_for(it, target)]))
        ends.append(draw(projection_structures(f"fixed{i}", source, target, None)))
    return tuple(rules), tuple(draw(st.permutations(ends)))


@st.composite
def members(draw: st.DrawFn, structure: NetworkStructure, steps: int) -> Document:
    """A network of this structure, for runs of `steps` steps."""
    step_ms = structure.step_ms
    network: dict[str, Any] = {
        "burstchip": 1,
        "name": "generated",
        "step": quantity(step_ms, "ms"),
        "seed": draw(_SEEDS) if structure.seed is None else structure.seed,
        "populations": {it.name: draw(populations(it, step_ms, steps)) for it in structure.populations},
    }
    if structure.plasticities:
        network["plasticity"] = {it.name: draw(plasticities(it, step_ms)) for it in structure.plasticities}
    files: dict[str, list[list[float]]] = {}
    network["projections"] = []
    for it in structure.projections:
        keys, matrices = draw(projections(it, step_ms))
        network["projections"].append(keys)
        files |= matrices
    if structure.signals:
        network["signals"] = {
            f"s{i}": draw(signals(it, variable, step_ms, steps))
            for i, (it, variable) in enumerate(structure.signals)
        }
    if structure.task is not None:
        network["task"] = {
            "data": "digits",
            "input": "image",
            "readout": "readout",
            "present": quantity(structure.task.present * step_ms, "ms"),
            "teach_after": quantity(structure.task.teach_after * step_ms, "ms"),
            "epochs": 1,
        }
    return Document(network, files)
