"""quantize: physical values to integers. Elaborated in, ChipProgram out, with a line for each value asked.

Weights. `limit` is the greatest magnitude a projection's weights may take (the greatest drawn one where the
user sets none); the smallest exponent e at which it fits the mantissa is chosen:

    static, 8 bits mixed      -256..254 in steps of 2      e = ceil(log2(limit / (256 unit)))
    static, one sign           0..255, -255..0             the same
    chip form, plastic        -256..255                    the same; drawn in steps of 2, as Lava truncates
    carry form, plastic       -127..127 and a tag of 1/256 e = ceil(log2(limit / (128 unit)))

A uniform distribution is drawn on the integers themselves, so that every representable value between the
bounds is equally likely.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import (
    CARRY_HIGH,
    CARRY_LOW,
    CARRY_TAG_BITS,
    ChipProgram,
    LearningCode,
    PopulationCode,
    ProjectionCode,
    QuantisationLine,
    TaskCode,
    TraceCode,
)
from compiler.ir.elaborated import Elaborated, Synapses
from compiler.ir.network import Plasticity, Population, Projection, Task, TraceSpec, Uniform
from hw_models.diagnostics import BurstchipError, Diagnostic, Place, register_codes
from hw_models.neurons.model import BASE_UNITS, NeuronModel, Quantized
from hw_models.neurons.quantities import decay_rate, decay_tau

register_codes(
    {
        "BC310": "a value is rounded by more than a twentieth",
        "BC311": "weights are clipped to their limit",
        "BC312": "a delay is longer than the chip's 62 steps",
        "BC313": "a time is not a whole number of steps",
        "BC314": "a weight exponent does not fit",
    }
)

#: A represented value further than this from what was asked is reported.
ROUNDING_SHARE = 0.05
#: Extra steps a synaptic delay may have (6 bits; 62 on Loihi 1).
DELAY_MAX = 62
EXPONENT_RANGE = (-8, 7)


@dataclass(frozen=True)
class _Mantissa:
    """The integers a weight may be: low..high in steps of `step`, at 2^-fraction_bits of a weight unit."""

    low: int
    high: int
    step: int
    fraction_bits: int
    magnitude: int


def _mantissa(form: str, sign: Literal["MIXED", "EXCITATORY", "INHIBITORY"], bits: int) -> _Mantissa:
    if form == "carry":
        return _Mantissa(CARRY_LOW, CARRY_HIGH, 1, CARRY_TAG_BITS, 128)
    step = 1 << (8 - bits + (sign == "MIXED"))
    if form == "chip":
        return _Mantissa(-256, 255, step, 0, 256)
    low = {"MIXED": -256, "EXCITATORY": 0, "INHIBITORY": -256 + step}[sign]
    high = {"MIXED": 256 - step, "EXCITATORY": 256 - step, "INHIBITORY": 0}[sign]
    return _Mantissa(low, high, step, 0, 256)


def _sign(values: NDArray[np.float64]) -> Literal["MIXED", "EXCITATORY", "INHIBITORY"]:
    if values.size == 0 or np.min(values) >= 0:
        return "EXCITATORY"
    return "INHIBITORY" if np.max(values) <= 0 else "MIXED"


def whole_steps(time_ms: float, step_ms: float, what: str, place: Place | None) -> int:
    """`time_ms` in steps. Raises `BurstchipError` BC313 where it is not a whole number of them."""
    steps = round(time_ms / step_ms)
    if abs(steps * step_ms - time_ms) > 1e-6 * max(step_ms, time_ms):
        raise BurstchipError(
            Diagnostic(
                "BC313",
                f"{what} is not a whole number of steps",
                place,
                required=f"a multiple of {step_ms:g} ms",
                given=f"{time_ms:g} ms",
                hint=f"take {max(steps, 1) * step_ms:g} ms",
            )
        )
    return steps


@dataclass
class _Report:
    """The lines and messages that the pass collects."""

    lines: list[QuantisationLine]
    diagnostics: list[Diagnostic]

    def add(
        self,
        where: str,
        parameter: str,
        unit: str,
        requested: float,
        represented: float,
        integers: str,
        place: Place | None = None,
    ) -> None:
        line = QuantisationLine(where, parameter, unit, requested, represented, integers)
        self.lines.append(line)
        if line.relative_error > ROUNDING_SHARE:
            self.diagnostics.append(
                Diagnostic(
                    "BC310",
                    f"'{parameter}' of '{where}' is rounded by {100 * line.relative_error:.3g} %",
                    place,
                    "warning",
                    required=f"{requested:g} {unit}".rstrip(),
                    given=f"{represented:g} {unit} ({integers})".replace("  ", " "),
                )
            )


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


def _population(
    index: int, population: Population, elaborated: Elaborated, report: _Report
) -> tuple[PopulationCode, Quantized]:
    model = elaborated.models[population.model]
    step = elaborated.network.step
    quantized = model.quantize(_values(population, model), step)
    for line in quantized.report:
        declared = model.parameter(line.name)
        assert declared is not None
        requested, represented = _worst(line.requested, line.represented)
        place = population.parameter_places.get(line.name)
        unit = BASE_UNITS[declared.dimension]
        report.add(population.name, line.name, unit, requested, represented, line.integers, place)
    spikes = None
    if population.model == "spike_list":
        listed = sorted((round(time / step), neuron) for neuron, time in population.spikes)
        spikes = np.asarray(listed, dtype=np.int64).reshape(-1, 2)
    code = PopulationCode(
        name=population.name,
        model=population.model,
        size=population.size,
        parameters=dict(quantized.parameters),
        stream=elaborated.streams.population(index),
        spikes=spikes,
        units=dict(quantized.units),
    )
    return code, quantized


def _weights(
    synapses: Synapses, form: str, unit: float, unit_name: str, report: _Report
) -> tuple[NDArray[np.int16], int, float, Literal["MIXED", "EXCITATORY", "INHIBITORY"], NDArray[np.float64]]:
    """(integers, exponent, physical value of a stored unit, sign mode, physical weights before rounding)."""
    projection = synapses.projection
    distribution = projection.weight
    if synapses.quantiles is not None:
        assert isinstance(distribution, Uniform)
        span = distribution.high - distribution.low
        exact = distribution.low + span * (synapses.quantiles + 0.5) / 65536
        sign = _sign(np.array([distribution.low, distribution.high]))
        greatest = max(abs(distribution.low), abs(distribution.high))
    else:
        assert synapses.weights is not None
        exact = synapses.weights
        sign = _sign(exact)
        greatest = float(np.max(np.abs(exact), initial=0.0))
    if form != "static":
        sign = "MIXED"
    mantissa = _mantissa(form, sign, projection.weight_bits)
    limit = projection.limit if projection.limit is not None else greatest
    exponent = math.ceil(math.log2(limit / (mantissa.magnitude * unit)) - 1e-9) if limit > 0 else 0
    place = projection.places.get("limit", projection.place)
    if not EXPONENT_RANGE[0] <= exponent <= EXPONENT_RANGE[1] and limit > 0:
        most, least = (2.0**e * mantissa.magnitude * unit for e in EXPONENT_RANGE[::-1])
        raise BurstchipError(
            Diagnostic(
                "BC314",
                f"the weights of '{projection.name}' need the exponent {exponent}",
                place,
                required=f"exponents {EXPONENT_RANGE[0]}..{EXPONENT_RANGE[1]}, "
                f"weights of {least:g} to {most:g} {unit_name}".rstrip(),
                given=f"{limit:g} {unit_name}".rstrip(),
                hint="change the limit of the weights, or the distance from rest to threshold",
            )
        )
    stored = unit * 2.0**exponent / (1 << mantissa.fraction_bits)
    grid = mantissa.step
    if synapses.quantiles is not None:
        assert isinstance(distribution, Uniform)
        low, high = (round(bound / stored / grid) for bound in (distribution.low, distribution.high))
        asked = ((synapses.quantiles.astype(np.int64) * (high - low + 1)) >> 16) + low
        asked = asked * grid
    else:
        asked = np.rint(exact / stored / grid).astype(np.int64) * grid
    integers = np.clip(asked, mantissa.low, mantissa.high)
    clipped = int(np.count_nonzero(integers != asked))
    if clipped:
        report.diagnostics.append(
            Diagnostic(
                "BC311",
                f"{clipped} of {asked.size} weights of '{projection.name}' are clipped",
                place,
                "warning",
                required=f"{mantissa.low}..{mantissa.high}",
                given=f"{int(asked.min())}..{int(asked.max())}",
                hint="raise the limit of the weights",
            )
        )
    represented = float(np.max(np.abs(integers), initial=0)) * stored
    requested = float(np.max(np.abs(exact), initial=0.0))
    text = f"weight_exp = {exponent}, one unit = {stored:.4g} {unit_name}".rstrip()
    report.add(projection.name, "greatest weight", unit_name, requested, represented, text, place)
    if asked.size and requested > 0:
        error = float(np.sqrt(np.mean((integers * stored - exact) ** 2)))
        report.lines.append(
            QuantisationLine(
                projection.name,
                "rms weight",
                unit_name,
                rms := float(np.sqrt(np.mean(exact**2))),
                float(np.sqrt(np.mean((integers * stored) ** 2))),
                f"rms rounding {100 * error / rms:.3g} %",
            )
        )
    return integers.astype(np.int16), exponent, stored, sign, exact


def _power(rate: float) -> int:
    """K of the nearest 2^-K."""
    return round(-math.log2(rate))


def _trace(
    spec: TraceSpec, form: str, where: str, step_ms: float, place: Place | None, report: _Report
) -> TraceCode:
    impulse = round(spec.increment)
    report.add(
        where, f"{spec.name} increment", "", spec.increment, float(impulse), f"impulse = {impulse}", place
    )
    if form == "chip":
        tau = spec.tau / step_ms
        report.add(where, f"{spec.name} tau", "ms", spec.tau, spec.tau, f"tau = {tau:g} steps", place)
        return TraceCode("lava", spec.name, tau, 0, impulse)
    decay = int(decay_rate(spec.tau, step_ms))
    report.add(
        where, f"{spec.name} tau", "ms", spec.tau, float(decay_tau(decay, step_ms)), f"decay = {decay}", place
    )
    return TraceCode("plain", spec.name, 0.0, decay, impulse)


def _learning(
    plasticity: Plasticity, index: int, plastic_index: int, elaborated: Elaborated, report: _Report
) -> LearningCode:
    network = elaborated.network
    where = f"plasticity {plasticity.name}"
    if any(line.where == where for line in report.lines):
        report = _Report([], [])  # several projections share the rule: one set of lines is enough
    every = whole_steps(
        plasticity.every,
        network.step,
        f"'every' of plasticity '{plasticity.name}'",
        plasticity.places.get("every"),
    )
    traces = tuple(
        _trace(spec, plasticity.form, where, network.step, plasticity.places.get("trace"), report)
        for spec in plasticity.traces
    )
    shift = 0
    rules = dict(plasticity.rules)
    if plasticity.learning_rate is not None:
        shift = _power(plasticity.learning_rate)
        place = plasticity.places.get("learning_rate")
        report.add(
            where, "learning_rate", "", plasticity.learning_rate, 2.0**-shift, f"shift = {shift}", place
        )
    if plasticity.consolidation_rate is not None:
        consolidation = _power(plasticity.consolidation_rate)
        place = plasticity.places.get("consolidation_rate")
        report.add(
            where,
            "consolidation_rate",
            "",
            plasticity.consolidation_rate,
            2.0**-consolidation,
            f"shift = {consolidation}",
            place,
        )
        rules["consolidation"] = str(consolidation)
    return LearningCode(
        form=plasticity.form,
        rounding=plasticity.rounding,
        every=every,
        traces=traces,
        rules=rules,
        shift=shift,
        consolidate_every=plasticity.consolidate_every or 1,
        stream=elaborated.streams.learning(plastic_index),
        trace_stream=elaborated.streams.trace(index),
        rng_seed=network.seed,
    )


def _delays(synapses: Synapses) -> NDArray[np.int16]:
    longest = int(np.max(synapses.delays, initial=0))
    projection = synapses.projection
    if longest > DELAY_MAX:
        raise BurstchipError(
            Diagnostic(
                "BC312",
                f"a delay of '{projection.name}' is {longest + 1} steps",
                projection.places.get("delay", projection.place),
                required=f"1..{DELAY_MAX + 1} steps (6 bits, Loihi)",
                given=f"{longest + 1} steps",
                hint="shorten the delay or lengthen the step",
            )
        )
    return np.maximum(synapses.delays, 0).astype(np.int16)


def _task(task: Task, elaborated: Elaborated) -> TaskCode:
    step = elaborated.network.step
    return TaskCode(
        data=task.data,
        input=task.input,
        readout=task.readout,
        present=whole_steps(task.present, step, "'present'", task.places.get("present", task.place)),
        teach_after=whole_steps(
            task.teach_after, step, "'teach_after'", task.places.get("teach_after", task.place)
        ),
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
    """Integers for every value of the network. Raises `BurstchipError` BC312..BC314 where none exist."""
    network = elaborated.network
    report = _Report([], [])
    rules = {plasticity.name: plasticity for plasticity in network.plasticity}
    populations = []
    units: dict[tuple[str, str], tuple[float, str]] = {}
    for index, population in enumerate(network.populations):
        code, quantized = _population(index, population, elaborated, report)
        populations.append(code)
        for port in elaborated.models[population.model].ports:
            units[population.name, port.name] = (
                quantized.port_units[port.name],
                BASE_UNITS[port.weight_dimension],
            )
    projections = []
    plastic_index = 0
    for index, synapses in enumerate(elaborated.synapses):
        projection = synapses.projection
        learning = None
        if projection.learn is not None:
            learning = _learning(rules[projection.learn], index, plastic_index, elaborated, report)
            plastic_index += 1
        unit, unit_name = units[projection.target.population, projection.target.port]
        form = learning.form if learning else "static"
        weights, exponent, stored, sign, exact = _weights(synapses, form, unit, unit_name, report)
        shape = None
        if synapses.dense:
            sizes = {population.name: population.size for population in network.populations}
            shape = (sizes[projection.source.population], sizes[projection.target.population])
        projections.append(
            ProjectionCode(
                name=projection.name,
                source=projection.source.population,
                output=projection.source.port,
                target=projection.target.population,
                port=projection.target.port,
                dense=synapses.dense,
                pre=np.empty(0, np.int32) if shape else synapses.pre,
                post=np.empty(0, np.int32) if shape else synapses.post,
                weights=np.ascontiguousarray(weights.reshape(shape).T) if shape else weights,
                delays=_delays(synapses),
                weight_exp=exponent,
                num_weight_bits=projection.weight_bits,
                sign_mode=sign,
                unit=stored,
                weight_unit=unit_name,
                exact=np.ascontiguousarray(exact.reshape(shape).T) if shape else exact,
                learning=learning,
            )
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
