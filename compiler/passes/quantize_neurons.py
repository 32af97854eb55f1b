"""Parameters of neurons as the chip's integers, beside the real numbers that they are rounded from.

A model gives real numbers in the chip's units (`hw_models.neurons.model.ChipNumbers`); what is rounded,
clipped, refused and reported is decided here, alike for all models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from compiler.ir.chip_program import QuantisationLine
from compiler.ir.network import Population
from compiler.ir.values import Normal, Uniform, Value
from compiler.passes.quantize_report import ROUNDING_SHARE, Report
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.neurons.model import BASE_UNITS, ChipNumbers, ChipParameter, NeuronModel, Parameter, Reals
from hw_models.neurons.numbers import flaws, width_of
from hw_models.neurons.quantities import VOLTAGE_STEPS, Integers, integers, mantissa_exponent
from hw_models.program.widths import Width

register_codes(
    {
        "BC315": "a value exceeds the range of the chip's integers",
        "BC322": "a time constant below the step",
        "BC316": "a neuron model does not say what its parameters and ports become",
        "BC336": "a parameter that nothing reads here",
    }
)

#: How the names of parameters begin by which something decays.
TIME_CONSTANTS = ("tau", "burst_trace")


@dataclass(frozen=True)
class Rounded:
    """A population's parameters: integers, the real numbers behind them, and what both stand for.

    `real` has no entry for constants of the model. `represented` is in the units of the model's
    `ChipParameter.value`s, as the chip holds them; `voltage_steps` is the scale that the numbers are in.
    """

    numbers: ChipNumbers
    integers: Mapping[str, Integers]
    real: Mapping[str, Reals]
    represented: Mapping[str, Reals]
    voltage_steps: float


def _real(value: Reals) -> Reals:
    array = np.asarray(value, dtype=np.float64)
    return float(array) if array.ndim == 0 else array


def _width(name: str, parameter: ChipParameter, model: NeuronModel) -> Width:
    width = width_of(name, parameter, model)
    assert width is not None, f"model {model.name} declares no width for {name}"
    return width


def _value(parameter: ChipParameter, followed: Mapping[str, Reals]) -> Reals:
    if not callable(parameter.value):
        return parameter.value
    assert parameter.follows is not None, "a value that is a function names what it follows"
    return parameter.value(followed[parameter.follows])


def _ordered(numbers: ChipNumbers) -> Iterator[tuple[str, ChipParameter]]:
    """Parameters after those that they follow."""
    yield from (item for item in numbers.parameters.items() if item[1].follows is None)
    yield from (item for item in numbers.parameters.items() if item[1].follows is not None)


def rounded(
    model: NeuronModel,
    values: Mapping[str, Reals],
    step_ms: float,
    voltage_steps: float = float(VOLTAGE_STEPS),
    *,
    clip: bool = False,
) -> Rounded:
    """The integers of a population whose physical parameters have these values, in base units.

    `voltage_steps` are the units between rest and the least threshold. A value beyond its width is clipped
    where the model allows it or with `clip`, and else left as it is.
    """
    return rounded_numbers(
        model, model.in_chip_units(values, step_ms, voltage_steps), voltage_steps, clip=clip
    )


def rounded_numbers(
    model: NeuronModel, numbers: ChipNumbers, voltage_steps: float, *, clip: bool = False
) -> Rounded:
    """The same of numbers that the model gave at this scale."""
    stored: dict[str, Integers] = dict(numbers.constants)
    real: dict[str, Reals] = {}
    unrounded: dict[str, Reals] = {}
    represented: dict[str, Reals] = {name: float(value) for name, value in numbers.constants.items()}
    for name, parameter in _ordered(numbers):
        unrounded[name] = _real(_value(parameter, unrounded))
        asked = _value(parameter, represented)
        integer = integers(float(np.max(asked)) if parameter.shared else asked)
        width = _width(name, parameter, model)
        if parameter.clip or clip:
            low, high = width.low - parameter.offset, width.high - parameter.offset
            integer = integers(np.clip(integer, low, high))
        represented[name], real[name] = _real(np.asarray(integer, dtype=np.float64)), unrounded[name]
        if parameter.exponent is not None:
            most = model.program.parameters[parameter.exponent].high
            integer, exponent = mantissa_exponent(integer, min(-width.low, width.high), most)
            stored[parameter.exponent] = exponent
            represented[parameter.exponent] = float(exponent)
            represented[name] = _real(np.asarray(integer) * 2.0**exponent)
            real[name] = real[name] / 2.0**exponent
        stored[name] = integers(np.asarray(integer) + parameter.offset)
        real[name] = real[name] + parameter.offset
    program = model.program.parameters
    order = [*(name for name in program if name in stored), *(name for name in stored if name not in program)]
    return Rounded(numbers, {name: stored[name] for name in order}, real, represented, voltage_steps)


def parameter_values(population: Population, model: NeuronModel) -> dict[str, Reals]:
    """Every physical parameter in base units, defaults filled in."""
    values: dict[str, Reals] = {}
    for parameter in model.parameters:
        given = population.parameters.get(parameter.name, parameter.default)
        assert given is not None, f"parameter {parameter.name} has no value"
        values[parameter.name] = numbers_of(given)
    return values


def numbers_of(value: Value) -> Reals:
    """A value as numbers; `elaborate` has drawn what is drawn."""
    assert not isinstance(value, Uniform | Normal), "a value that is not drawn yet"
    return np.asarray(value, dtype=np.float64) if isinstance(value, tuple) else float(value)


def spread(
    where: str, what: str, unit: str, requested: Reals, represented: Reals, held: Integers
) -> Iterator[QuantisationLine]:
    """The least, the median and the greatest of values that were drawn."""
    asked, got, stored = np.broadcast_arrays(*(np.atleast_1d(it) for it in (requested, represented, held)))
    order = np.argsort(asked, kind="stable")
    for name, at in (("least", order[0]), ("median", order[(len(order) - 1) // 2]), ("greatest", order[-1])):
        text = str(stored[at])
        yield QuantisationLine(where, f"{what}, {name}", unit, float(asked[at]), float(got[at]), text)


def worst(requested: Reals, represented: Reals, share_of: float | None = None) -> tuple[float, float]:
    """The pair that differs most: in its own size, or in shares of `share_of`."""
    asked, got = np.broadcast_arrays(np.atleast_1d(requested), np.atleast_1d(represented))
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = np.abs(asked) if share_of is None else share_of
        share = np.where(asked == got, 0.0, np.abs(got - asked) / whole)
    place = np.unravel_index(int(np.argmax(share)), share.shape)
    return float(asked[place]), float(got[place])


def _beyond(population: Population, model: NeuronModel, found: Rounded) -> Iterator[Diagnostic]:
    """BC315 for each integer outside the width that the program declares."""
    sources = {
        chip: name for name, line in reversed(tuple(found.numbers.represents.items())) for chip in line.chip
    }
    for name, parameter in found.numbers.parameters.items():
        width = _width(name, parameter, model)
        values = np.atleast_1d(found.integers[name])
        excess = np.maximum(values - width.high, width.low - values)
        if np.max(excess) > 0:
            what = sources.get(name, name)
            yield Diagnostic(
                "BC315",
                f"'{what}' of population '{population.name}' exceeds the range of the chip's integers",
                population.parameter_places.get(what, population.place),
                required=f"{name} in {width}",
                given=f"{name} = {values[np.argmax(excess)]}",
            )


def _flawed(population: Population, model: NeuronModel, numbers: ChipNumbers) -> Iterator[Diagnostic]:
    """BC316 for what the model leaves out, or names without having it."""
    for flaw in flaws(model, numbers):
        yield Diagnostic(
            "BC316",
            f"neuron model '{model.name}' {flaw.message}",
            population.place,
            required=flaw.required,
            given=flaw.given,
            hint="fix `in_chip_units` in the package of the model",
        )


def _too_fast(
    population: Population, parameter: Parameter, value: Reals, step_ms: float
) -> Iterator[Diagnostic]:
    """BC322, a warning, for a time constant above 0 that is shorter than the step."""
    if parameter.dimension != "time" or not parameter.name.startswith(TIME_CONSTANTS):
        return
    times = np.atleast_1d(value)
    below = times[(times > 0) & (times < step_ms * (1 - 1e-9))]
    if below.size:
        gone = "" if parameter.minimum else ", or 0 ms for what is gone after a step"
        yield Diagnostic(
            "BC322",
            f"'{parameter.name}' of population '{population.name}' is shorter than the step",
            population.parameter_places.get(parameter.name, population.place),
            "warning",
            required=f"at least {step_ms:g} ms{gone}",
            given=f"{float(np.min(below)):g} ms",
            hint="a shorter step",
        )


def _unread(
    population: Population, model: NeuronModel, found: Rounded, is_input: bool
) -> Iterator[Diagnostic]:
    """BC336 for each given rate that a source does not read: its own, or that of a task's samples."""
    roles = model.roles
    if not roles.full_rate:
        return
    unread, read = (roles.rate, roles.full_rate) if is_input else (roles.full_rate, roles.rate)
    represents = found.numbers.represents
    others = [name for name, line in represents.items() if set(line.chip) == {read}]
    for name in population.parameters:
        if set(represents[name].chip) == {unread}:
            why = "its rates come from the samples" if is_input else "no task presents samples to it"
            yield Diagnostic(
                "BC336",
                f"'{name}' of population '{population.name}' is not read: {why}",
                population.parameter_places.get(name, population.place),
                required=f"{' and '.join(map(repr, others))} alone",
                given=name,
                hint=f"remove '{name}'",
            )


def quantize_neurons(
    population: Population,
    model: NeuronModel,
    step_ms: float,
    is_input: bool,
    report: Report,
    scale: Callable[[Mapping[str, Reals]], float] = lambda _: float(VOLTAGE_STEPS),
) -> Rounded:
    """The parameters of a population, with a line in the report for each physical one.

    `is_input`: whether a task presents its samples to the population. `scale(values)` chooses the units
    between rest and the least threshold. Raises `BurstchipError` BC192, BC315 for values that the chip
    cannot hold, BC316 where the model leaves something out, BC336 for a given rate that is not read; warns
    (BC322) of time constants below the step.
    """
    values = parameter_values(population, model)
    try:
        voltage_steps = scale(values)
        numbers = model.in_chip_units(values, step_ms, voltage_steps)
    except BurstchipError as error:
        raise BurstchipError(
            replace(
                d, message=f"population '{population.name}': {d.message}", place=d.place or population.place
            )
            for d in error.diagnostics
        ) from None
    if diagnostics := list(_flawed(population, model, numbers)):
        raise BurstchipError(diagnostics)
    found = rounded_numbers(model, numbers, voltage_steps, clip=not report.chip)
    for diagnostics in (
        list(_beyond(population, model, found)) if report.chip else [],
        list(_unread(population, model, found, is_input)),
    ):
        if diagnostics:
            raise BurstchipError(diagnostics)
    for parameter in model.parameters:
        line = found.numbers.represents[parameter.name]
        got = line.value(found.represented)
        unit = BASE_UNITS[parameter.dimension]
        if parameter.name in population.drawn and report.chip:
            asked = values[parameter.name]
            held = found.integers[line.chip[0]]
            report.lines.extend(spread(population.name, parameter.name, unit, asked, got, held))
        # Values that are drawn on both sides of 0 are as close to it as to any other.
        whole = float(np.max(np.abs(values[parameter.name]))) if parameter.name in population.drawn else None
        requested, represented = worst(values[parameter.name], got, whole)
        if whole is not None and abs(represented - requested) <= ROUNDING_SHARE * whole:
            continue
        # Values of many neurons are printed over several lines.
        text = " ".join(", ".join(f"{name} = {found.integers[name]}" for name in line.chip).split())
        place = population.parameter_places.get(parameter.name)
        origin = (
            float(np.mean(values["rest"])) if parameter.dimension == "voltage" and "rest" in values else 0.0
        )
        told = len(report.diagnostics)
        report.add(population.name, parameter.name, unit, requested, represented, text, place, origin)
        # One that the chip's decay turns into another has its warning.
        if len(report.diagnostics) == told:
            report.diagnostics.extend(_too_fast(population, parameter, values[parameter.name], step_ms))
    return found
