"""quantize: physical values to integers. Elaborated in, ChipProgram out, with a line for each value asked.

Neurons become what their model makes of them, weights and delays what `quantize_weights` does, learning rules
what `quantize_learning` does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import ChipProgram, LearningCode, PopulationCode, ProjectionCode, TaskCode
from compiler.ir.elaborated import Elaborated, Synapses
from compiler.ir.network import Plasticity, Population, Projection, Task
from compiler.passes.quantize_learning import quantize_learning
from compiler.passes.quantize_report import Report, require_whole_steps
from compiler.passes.quantize_weights import quantize_delays, quantize_weights
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.neurons.model import BASE_UNITS, NeuronModel, Quantized

register_codes({"BC315": "a value is beyond what the chip's integers hold"})


def _values(population: Population, model: NeuronModel) -> dict[str, float | NDArray[np.float64]]:
    values: dict[str, float | NDArray[np.float64]] = {}
    for parameter in model.parameters:
        given = population.parameters.get(parameter.name, parameter.default)
        assert given is not None, f"parameter {parameter.name} has no value"
        values[parameter.name] = (
            np.asarray(given, dtype=np.float64) if isinstance(given, tuple) else float(given)
        )
    return values


def _worst(
    requested: float | tuple[float, ...], represented: float | tuple[float, ...]
) -> tuple[float, float]:
    """The pair that differs most, for parameters with one value a neuron."""
    asked, got = np.broadcast_arrays(np.atleast_1d(requested), np.atleast_1d(represented))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(asked == got, 0.0, np.abs(got - asked) / np.abs(asked))
    worst = int(np.argmax(share))
    return float(asked[worst]), float(got[worst])


def _integers(population: Population, model: NeuronModel, step_ms: float) -> Quantized:
    """What the model makes of the population. Raises `BurstchipError` for what the chip cannot hold."""
    try:
        quantized = model.quantize(_values(population, model), step_ms)
    except BurstchipError as error:
        raise BurstchipError(
            replace(
                d, message=f"population '{population.name}': {d.message}", place=d.place or population.place
            )
            for d in error.diagnostics
        ) from None
    beyond = []
    for name, width in model.program.parameters.items():
        values = np.atleast_1d(quantized.parameters[name])
        excess = np.maximum(values - width.high, width.low - values)
        if np.max(excess) <= 0:
            continue
        # The report shows which physical value became this integer.
        line = next((line for line in quantized.report if f"{name} = " in line.integers), None)
        what = line.name if line else name
        beyond.append(
            Diagnostic(
                "BC315",
                f"'{what}' of population '{population.name}' is beyond what the chip's integers hold",
                population.parameter_places.get(what, population.place),
                required=f"{name} in {width}",
                given=f"{name} = {values[np.argmax(excess)]}",
            )
        )
    if beyond:
        raise BurstchipError(beyond)
    return quantized


def _population(
    index: int, population: Population, elaborated: Elaborated, report: Report
) -> tuple[PopulationCode, Quantized]:
    model = elaborated.network.models[population.model]
    step = elaborated.network.step
    quantized = _integers(population, model, step)
    for line in quantized.report:
        declared = model.parameter(line.name)
        assert declared is not None, f"model {model.name} reports {line.name}, which is not its parameter"
        requested, represented = _worst(line.requested, line.represented)
        place = population.parameter_places.get(line.name)
        # Values of many neurons are printed over several lines.
        text = " ".join(line.integers.split())
        report.add(
            population.name, line.name, BASE_UNITS[declared.dimension], requested, represented, text, place
        )
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
        parameters=dict(quantized.parameters),
        stream=elaborated.streams.population(index),
        spikes=spikes,
        units=dict(quantized.units),
    )
    return code, quantized


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
        delays=quantize_delays(synapses),
        weight_exp=weights.exponent,
        num_weight_bits=projection.weight_bits,
        sign_mode=weights.sign_mode,
        unit=weights.unit,
        weight_unit=unit[1],
        requested=weights.exact if synapses.draws is None else synapses.draws,
        learning=learning,
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


def quantize(elaborated: Elaborated) -> ChipProgram:
    """Integers for every value of the network.

    Raises `BurstchipError` where none exist: BC192, BC312, BC313, BC314, BC315, BC321.
    """
    network = elaborated.network
    report = Report()
    rules = {plasticity.name: plasticity for plasticity in network.plasticity}
    sizes = {population.name: population.size for population in network.populations}
    populations = []
    units: dict[tuple[str, str], tuple[float, str]] = {}
    for index, population in enumerate(network.populations):
        code, quantized = _population(index, population, elaborated, report)
        populations.append(code)
        for port in elaborated.network.models[population.model].ports:
            unit = quantized.port_units[port.name]
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
    return ChipProgram(
        name=network.name,
        step_ms=network.step,
        seed=network.seed,
        target=network.target,
        weight_form=_form(network.projections, rules),
        populations=tuple(populations),
        projections=tuple(projections),
        probes=tuple((probe.population, probe.variable) for probe in network.probes),
        task=_task(network.task, elaborated) if network.task else None,
        quantisation=tuple(report.lines),
        diagnostics=tuple(report.diagnostics),
    )
