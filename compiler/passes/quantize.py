"""quantize: physical values to integers. Elaborated in, ChipProgram out, with a line for each value asked.

Neurons become what `quantize_neurons` makes of their model's real numbers, weights and delays what
`quantize_weights` does, learning rules what `quantize_learning` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from compiler.ir.chip_program import ChipProgram, LearningCode, PopulationCode, ProjectionCode, TaskCode
from compiler.ir.elaborated import Elaborated, Synapses
from compiler.ir.network import NO_CHIP, Plasticity, Population, Projection, Task
from compiler.passes.lower import port_exponent
from compiler.passes.quantize_learning import quantize_learning
from compiler.passes.quantize_neurons import quantize_neurons
from compiler.passes.quantize_report import Report, require_whole_steps
from compiler.passes.quantize_signals import quantize_signals
from compiler.passes.quantize_weights import quantize_delays, quantize_weights
from hw_models.neurons.model import BASE_UNITS, ChipNumbers


def _population(
    index: int, population: Population, elaborated: Elaborated, report: Report
) -> tuple[PopulationCode, ChipNumbers]:
    model = elaborated.network.models[population.model]
    step = elaborated.network.step
    task = elaborated.network.task
    is_input = task is not None and task.input == population.name
    found = quantize_neurons(population, model, step, is_input, report)
    spikes = None
    if model.roles.bound_to("listed"):
        listed = sorted((round(time / step), neuron) for neuron, time in population.spikes)
        spikes = np.asarray(listed, dtype=np.int64).reshape(-1, 2)
    code = PopulationCode(
        name=population.name,
        model=population.model,
        size=population.size,
        program=model.program,
        ports=tuple(port.name for port in model.ports),
        roles=model.roles,
        parameters=found.integers,
        real=found.real,
        stream=elaborated.streams.population(index),
        spikes=spikes,
        units=dict(found.numbers.units),
    )
    return code, found.numbers


def _projection(
    synapses: Synapses,
    learning: LearningCode | None,
    unit: tuple[float, str],
    sizes: dict[str, int],
    report: Report,
) -> ProjectionCode:
    projection = synapses.projection
    weights = quantize_weights(synapses, learning.form if learning else "static", *unit, report)
    integers, pre, post = weights.integers, synapses.pre, synapses.post
    if synapses.dense:
        shape = (sizes[projection.source.population], sizes[projection.target.population])
        integers = np.ascontiguousarray(integers.reshape(shape).T)
        pre = post = np.empty(0, np.int32)
    return ProjectionCode(
        name=projection.name,
        source=projection.source.population,
        output=projection.source.port,
        target=projection.target.population,
        port=projection.target.port,
        dense=synapses.dense,
        pre=pre,
        post=post,
        weights=integers,
        delays=quantize_delays(synapses, report),
        weight_exp=weights.exponent,
        num_weight_bits=projection.weight_bits,
        sign_mode=weights.sign_mode,
        unit=weights.unit,
        weight_unit=unit[1],
        requested=weights.exact if synapses.draws is None else synapses.draws,
        learning=learning,
        limit=None if learning is None or projection.limit is None else float(projection.limit),
    )


def _task(task: Task, elaborated: Elaborated) -> TaskCode:
    step = elaborated.network.step

    def steps(time_ms: float, name: str) -> int:
        return require_whole_steps(time_ms, step, f"'{name}'", task.places.get(name, task.place))

    return TaskCode(
        data=task.data,
        input=task.input,
        readout=task.readout,
        present=steps(task.present, "present"),
        teach_after=steps(task.teach_after, "teach_after"),
        epochs=task.epochs,
        anneal=task.anneal,
        split=task.split,
        order_stream=elaborated.streams.order,
    )


def _form(projections: Iterable[Projection], rules: dict[str, Plasticity]) -> str:
    forms = {rules[projection.learn].form for projection in projections if projection.learn}
    if not forms:
        return "none"
    return forms.pop() if len(forms) == 1 else "mixed"


def _port_values(
    populations: Iterable[PopulationCode],
    projections: Sequence[ProjectionCode],
    units: Mapping[tuple[str, str], tuple[float, str]],
) -> dict[tuple[str, str], float]:
    """What 1 added to each port stands for, in its base unit: `lower` chooses the exponents of some."""
    values = {}
    for population in populations:
        for port in population.ports:
            exponent = (
                port_exponent(population, port, projections) if port in population.roles.exponents else 0
            )
            values[population.name, port] = units[population.name, port][0] * 2.0**exponent
    return values


def quantize(elaborated: Elaborated) -> ChipProgram:
    """Integers for every value of the network; for the target `none` the nearest there are, without a report.

    Raises `BurstchipError` where none exist: BC192, BC312, BC313, BC314, BC315, BC316, BC321, BC336.
    """
    network = elaborated.network
    report = Report(chip=network.target != NO_CHIP)
    rules = {plasticity.name: plasticity for plasticity in network.plasticity}
    sizes = {population.name: population.size for population in network.populations}
    populations = []
    units: dict[tuple[str, str], tuple[float, str]] = {}
    for index, population in enumerate(network.populations):
        code, numbers = _population(index, population, elaborated, report)
        populations.append(code)
        for port in elaborated.network.models[population.model].ports:
            unit = numbers.port_units[port.name]
            units[population.name, port.name] = (unit, BASE_UNITS[port.weight_dimension])
    projections = []
    plastic_index = 0
    for index, synapses in enumerate(elaborated.synapses):
        learning = None
        if synapses.projection.learn is not None:
            rule = rules[synapses.projection.learn]
            learning = quantize_learning(rule, index, plastic_index, elaborated, report)
            plastic_index += 1
        target = synapses.projection.target
        projections.append(
            _projection(synapses, learning, units[target.population, target.port], sizes, report)
        )
    port_values = _port_values(populations, projections, units)
    codes, host = quantize_signals(network, populations, port_values, report)
    return ChipProgram(
        name=network.name,
        step_ms=network.step,
        seed=network.seed,
        target=network.target,
        weight_form=_form(network.projections, rules),
        populations=codes,
        projections=tuple(projections),
        probes=tuple((probe.population, probe.variable) for probe in network.probes),
        task=_task(network.task, elaborated) if network.task else None,
        quantisation=tuple(report.lines),
        diagnostics=tuple(report.diagnostics),
        host=host,
    )
