"""quantize: physical values to integers. Elaborated in, ChipProgram out, with a line for each value asked.

Neurons become what `quantize_neurons` makes of their model's real numbers at the voltage scale that
`quantize_scales` chooses from what arrives, weights and delays what `quantize_weights` does, learning rules
what `quantize_learning` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import (
    ChipProgram,
    KernelCode,
    LearningCode,
    PopulationCode,
    ProjectionCode,
    TaskCode,
)
from compiler.ir.elaborated import Elaborated, Synapses
from compiler.ir.network import (
    NO_CHIP,
    WEIGHT_BITS,
    Endpoint,
    ListedEvents,
    Network,
    Plasticity,
    Population,
    Projection,
    Task,
)
from compiler.passes.lower import port_exponent
from compiler.passes.quantize_calibrated import Calibrated
from compiler.passes.quantize_initial import quantize_initial
from compiler.passes.quantize_integers import integer_weights
from compiler.passes.quantize_learning import quantize_learning
from compiler.passes.quantize_neurons import Rounded, parameter_values, quantize_neurons, rounded
from compiler.passes.quantize_report import Report, require_whole_steps
from compiler.passes.quantize_scales import Arriving, voltage_steps
from compiler.passes.quantize_signals import quantize_signals
from compiler.passes.quantize_weights import (
    EXPONENT_RANGE,
    Weights,
    quantize_delays,
    quantize_weights,
    weight_range,
)
from compiler.passes.quantize_wide import wide_weights, with_bits
from compiler.passes.weight_signs import Form
from hw_models.diagnostics import BurstchipError, Diagnostic
from hw_models.neurons.model import BASE_UNITS, Reals
from hw_models.neurons.quantities import VOLTAGE_STEPS, nearest_steps
from hw_models.program.ranges import output_range


def _form(synapses: Synapses, rules: Mapping[str, Plasticity]) -> Form:
    learn = synapses.projection.learn
    return "static" if learn is None else rules[learn].form


def _message(elaborated: Elaborated, synapses: Synapses) -> tuple[int, float]:
    """(the greatest magnitude of a message, what a message of 1 stands for in the unit of its output)."""
    network, end = elaborated.network, synapses.projection.source
    source = next(it for it in network.populations if it.name == end.population)
    model = network.model_of(source.name)
    found = rounded(model, parameter_values(source, model), network.step, clip=True)
    unit = _message_unit(found.numbers.units, end)
    if isinstance(source.spikes, ListedEvents) and source.spikes.messages is not None:
        return int(np.max(np.abs(source.spikes.messages), initial=0)), unit
    # A parameter that a signal sets can be anything of its width.
    set_by = {(signal.population, signal.variable) for signal in network.signals}
    varied = {it.chip for it in model.variables if (source.name, it.name) in set_by}
    fixed = {name: value for name, value in found.integers.items() if name not in varied}
    sent = output_range(model.program, fixed, end.port)
    return max(abs(sent.low), abs(sent.high)), unit


def _message_unit(units: Mapping[str, tuple[float, str]], end: Endpoint) -> float:
    return units[end.port][0] if end.port in units else 1.0


def _arriving(elaborated: Elaborated, synapses: Synapses, form: Form, leaks: Mapping[str, Reals]) -> Arriving:
    projection = synapses.projection
    leak = float(np.max(leaks.get(projection.target.port, 1.0)))
    bits = projection.weight_bits
    magnitude, steps = weight_range(with_bits(synapses, min(bits, WEIGHT_BITS)), form)
    # The low part of a wide weight has an exponent that is less by as many bits.
    steps *= 1 << max(bits - WEIGHT_BITS, 0)
    if projection.source.port in elaborated.network.model_of(projection.source.population).continuous:
        magnitude *= elaborated.network.step
    greatest, unit = _message(elaborated, synapses)
    magnitude *= unit
    if projection.in_leaks:
        magnitude *= leak
    fan_in = int(np.max(np.bincount(synapses.post), initial=0))
    at_once = fan_in * magnitude * greatest
    return Arriving(projection.target.port, magnitude, steps, at_once)


def _list(population: Population, step_ms: float, *, graded: bool) -> NDArray[np.int64]:
    """(step, neuron) of events or, of graded ones, (step, neuron, message), sorted."""
    events = population.spikes
    events = events if isinstance(events, ListedEvents) else ListedEvents.of(events)
    columns = [np.asarray(nearest_steps(events.times, step_ms)), events.neurons]
    if graded:
        columns.append(np.ones(len(events), np.int64) if events.messages is None else events.messages)
    listed = np.stack(columns, axis=1)
    return np.ascontiguousarray(listed[np.lexsort((listed[:, 1], listed[:, 0]))])


def _population(
    index: int,
    population: Population,
    elaborated: Elaborated,
    report: Report,
    calibrated: Calibrated | None,
) -> tuple[PopulationCode, Rounded]:
    network = elaborated.network
    model = network.model_of(population.name)
    step, task = network.step, network.task
    rules = {plasticity.name: plasticity for plasticity in network.plasticity}
    is_input = task is not None and task.input == population.name

    def scale(values: Mapping[str, Reals]) -> float:
        if not report.chip:
            return float(VOLTAGE_STEPS)
        leaks = model.in_chip_units(values, step, float(VOLTAGE_STEPS)).leaks
        ending = [
            it
            for it in elaborated.synapses
            if it.projection.target.population == population.name and it.projection.weight_exp is None
        ]
        arriving = [_arriving(elaborated, it, _form(it, rules), leaks) for it in ending]
        worst = voltage_steps(model, values, step, arriving, EXPONENT_RANGE[1])
        if calibrated is None:
            return worst
        known = [
            (it, _form(it, rules), _message(elaborated, it)[1], at_worst)
            for it, at_worst in zip(ending, arriving, strict=True)
        ]
        return calibrated.scale(population, values, known, worst)

    found = quantize_neurons(population, model, step, is_input, report, scale)
    spikes = None
    if model.roles.of_list:
        spikes = _list(population, step, graded=bool(model.roles.bound_to("message")))
    starts = quantize_initial(population, model, found, report)
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
        origins={
            name: float(origin) if np.ndim(origin) == 0 else np.asarray(origin, dtype=np.float64)
            for name, origin in found.numbers.origins.items()
        },
        initial=starts.integers,
        real_initial=starts.real,
    )
    return code, found


def _projections(
    synapses: Synapses,
    learning: LearningCode | None,
    unit: tuple[Reals, str],
    sizes: dict[str, int],
    step_ms: float,
    least_exponent: int,
    report: Report,
    calibrated: Calibrated | None,
) -> Iterator[ProjectionCode]:
    """One projection of the network in integers; two where its weights have more than 8 bits."""
    projection = synapses.projection
    parts: tuple[Weights, ...]
    if projection.weight_bits > WEIGHT_BITS:
        parts = wide_weights(synapses, *unit, least_exponent, report)
    elif projection.weight_exp is not None:
        parts = (integer_weights(synapses, learning.form if learning else "static", *unit, report),)
    else:
        chooser = None if calibrated is None else calibrated.chooser(projection)
        form = learning.form if learning else "static"
        parts = (quantize_weights(synapses, form, *unit, report, chooser),)
    if calibrated is not None:
        calibrated.report_sums(projection, parts, *unit, report)
    delays = quantize_delays(synapses, step_ms, report)
    for weights, name in zip(parts, projection.parts, strict=True):
        yield _projection(synapses, weights, name, learning, unit[1], sizes, delays)


def _projection(
    synapses: Synapses,
    weights: Weights,
    name: str,
    learning: LearningCode | None,
    unit_name: str,
    sizes: dict[str, int],
    delays: NDArray[np.int16],
) -> ProjectionCode:
    projection = synapses.projection
    integers, exact, pre, post = weights.integers, weights.exact, synapses.pre, synapses.post
    kernel = None
    if synapses.shared is not None:
        shape = synapses.shared.convolution.weights_shape
        kernel = KernelCode(synapses.shared, integers.reshape(shape))
        integers, exact = kernel.listed, exact.reshape(shape)
    if synapses.dense:
        shape = (sizes[projection.source.population], sizes[projection.target.population])
        integers = np.ascontiguousarray(integers.reshape(shape).T)
        exact = np.ascontiguousarray(exact.reshape(shape).T)
        pre = post = np.empty(0, np.int32)
    return ProjectionCode(
        name=name,
        source=projection.source.population,
        output=projection.source.port,
        target=projection.target.population,
        port=projection.target.port,
        dense=synapses.dense,
        pre=pre,
        post=post,
        weights=integers,
        delays=delays,
        weight_exp=weights.exponent,
        num_weight_bits=min(projection.weight_bits, WEIGHT_BITS),
        sign_mode=weights.sign_mode,
        unit=weights.unit,
        weight_unit=unit_name,
        requested=exact if weights.draws is None else weights.draws,
        learning=learning,
        limit=None if learning is None or projection.limit is None else float(projection.limit),
        kernel=kernel,
    )


def _require_scale(projection: Projection, network: Network) -> None:
    """Integer weights need neurons whose scale is given. Raises `BurstchipError` BC365."""
    name, port = projection.target.population, projection.target.port
    population = next(it for it in network.populations if it.name == name)
    model = network.model_of(name)
    values = parameter_values(population, model)
    units = [
        np.max(model.in_chip_units(values, network.step, float(VOLTAGE_STEPS << more)).port_units[port])
        for more in (0, 1)
    ]
    if units[0] != units[1]:
        raise BurstchipError(
            Diagnostic(
                "BC365",
                f"the weights of '{projection.name}' are integers, the scale of '{name}' is not given",
                projection.places.get("weight_exp", projection.place),
                required="neurons with an integer threshold ('vth')",
                given=f"population '{name}' with a threshold in mV",
            )
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
        file=task.file,
    )


def _weight_form(projections: Iterable[Projection], rules: dict[str, Plasticity]) -> str:
    forms = {rules[projection.learn].form for projection in projections if projection.learn}
    if not forms:
        return "none"
    return forms.pop() if len(forms) == 1 else "mixed"


def _port_values(
    populations: Iterable[PopulationCode],
    projections: Sequence[ProjectionCode],
    units: Mapping[tuple[str, str], tuple[Reals, str]],
    step_ms: float,
) -> dict[tuple[str, str], Reals]:
    """What 1 added to each port in every step stands for, in its base unit a millisecond, one or [neuron].

    `lower` chooses the exponents of some.
    """
    values = {}
    for population in populations:
        for port in population.ports:
            exponent = (
                port_exponent(population, port, projections) if port in population.roles.exponents else 0
            )
            values[population.name, port] = units[population.name, port][0] * 2.0**exponent / step_ms
    return values


def quantize(elaborated: Elaborated) -> ChipProgram:
    """Integers for every value of the network; for the target `none` the nearest there are, without a report.

    Raises `BurstchipError` where none exist: BC192, BC312, BC313, BC314, BC315, BC316, BC321, BC336.
    """
    network = elaborated.network
    report = Report(chip=network.target != NO_CHIP, diagnostics=list(elaborated.diagnostics))
    calibrated = None
    if report.chip and elaborated.calibration is not None:
        calibrated = Calibrated(elaborated, elaborated.calibration)
    rules = {plasticity.name: plasticity for plasticity in network.plasticity}
    sizes = {population.name: population.size for population in network.populations}
    populations = []
    units: dict[tuple[str, str], tuple[Reals, str]] = {}
    leaks: dict[tuple[str, str], Reals] = {}
    messages: dict[str, Mapping[str, tuple[float, str]]] = {}
    scales = {}
    for index, population in enumerate(network.populations):
        code, found = _population(index, population, elaborated, report, calibrated)
        scales[population.name] = found.voltage_steps
        messages[population.name] = found.numbers.units
        populations.append(code)
        for port in network.model_of(population.name).ports:
            unit = found.numbers.port_units[port.name]
            units[population.name, port.name] = (unit, BASE_UNITS[port.weight_dimension])
            leaks[population.name, port.name] = found.numbers.leaks.get(port.name, 1.0)
    projections: list[ProjectionCode] = []
    plastic_index = 0
    for index, synapses in enumerate(elaborated.synapses):
        learning = None
        if synapses.projection.learn is not None:
            rule = rules[synapses.projection.learn]
            learning = quantize_learning(rule, index, plastic_index, elaborated, report)
            plastic_index += 1
        source, target = synapses.projection.source, synapses.projection.target
        unit, unit_name = units[target.population, target.port]
        if synapses.projection.in_leaks:
            unit, unit_name = unit / leaks[target.population, target.port], BASE_UNITS["leak"]
        # A weight is what one whole message does.
        unit = unit / _message_unit(messages[source.population], source)
        if source.port in network.model_of(source.population).continuous:
            unit = unit / network.step
        if synapses.projection.weight_exp is not None:
            _require_scale(synapses.projection, network)
        shifts = target.port in network.model_of(target.population).roles.exponents
        least = EXPONENT_RANGE[0] if shifts else 0
        projections.extend(
            _projections(
                synapses, learning, (unit, unit_name), sizes, network.step, least, report, calibrated
            )
        )
    if calibrated is not None:
        calibrated.report_reaches(populations, projections, units, report)
    port_values = _port_values(populations, projections, units, network.step)
    codes, host = quantize_signals(network, populations, scales, port_values, report)
    return ChipProgram(
        name=network.name,
        step_ms=network.step,
        seed=network.seed,
        target=network.target,
        weight_form=_weight_form(network.projections, rules),
        populations=codes,
        projections=tuple(projections),
        probes=tuple((probe.owner, probe.variable) for probe in network.probes),
        task=_task(network.task, elaborated) if network.task else None,
        quantisation=tuple(report.lines),
        diagnostics=tuple(report.diagnostics),
        host=host,
        protocol=network.protocol,
    )
