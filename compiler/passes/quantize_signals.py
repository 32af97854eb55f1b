"""Signals as rows of integers, beside the real numbers that they are rounded from.

The values of a signal of a parameter become integers as the parameter's own do; where the chip holds a
mantissa and an exponent, the exponent is the least at which every value of the signal fits. What is added to
a port counts in the port's weight units. What the host gives while a network runs gets the physical value of
one integer, and its range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import PopulationCode
from compiler.ir.courses import Pulses, Ramp, Sine, Steps, StreamedRows, Table, WrittenValue
from compiler.ir.network import Network, Population, Signal
from compiler.ir.signals import HostInput, Streamed, Waveform, Written
from compiler.passes.quantize_neurons import Rounded, parameter_values, rounded, worst
from compiler.passes.quantize_report import Report, require_whole_steps
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.neurons.model import BASE_UNITS, NeuronModel, Reals, Variable
from hw_models.program.widths import Width

register_codes({"BC317": "a signal exceeds the range of the chip's integers"})

#: Rows of a waveform; a longer one is played in so many.
MOST_ROWS = 1 << 16
#: Rows of a cycle that is not a whole number of steps.
CYCLE_ROWS = 1 << 12
#: The greatest denominator of a cycle in steps.
_FINEST = 10**6


@dataclass(frozen=True)
class _Rows:
    """Physical values of the rows that are played, and how: the fields of `Waveform`."""

    values: NDArray[np.float64]
    pace: int = 1
    per: int = 1
    repeats: bool = False
    linear: bool = False
    cycles: float = 0.0


def _sine(course: Sine, step: float) -> _Rows:
    period = Fraction(1000 / (course.frequency * step)).limit_denominator(_FINEST)
    whole = period.denominator == 1 and period.numerator <= MOST_ROWS
    rows = period.numerator if whole else CYCLE_ROWS
    phase = np.arange(rows) / rows + course.phase
    values = course.mean + course.amplitude * np.sin(2 * np.pi * phase)
    pace, per = (1, 1) if whole else (rows * period.denominator, period.numerator)
    return _Rows(values, pace, per, repeats=True, cycles=course.frequency * step / 1000)


def _ramp(course: Ramp, over: int) -> _Rows:
    rows = min(over, MOST_ROWS - 1)
    values = course.first + (course.last - course.first) * (np.arange(rows + 1) / rows)
    return _Rows(values, rows, over, linear=True)


def _played(signal: Signal, rest: Reals, network: Network) -> _Rows:
    """The rows of a signal; where it leaves its variable alone they are `rest`, one or [neuron]."""
    course = signal.course

    def steps(time: float, what: str) -> int:
        place = signal.places.get("to", signal.place)
        return require_whole_steps(time, network.step, f"{what} of signal '{signal.name}'", place)

    if isinstance(course, Sine):
        return _sine(course, network.step)
    if isinstance(course, Ramp):
        return _ramp(course, steps(course.over, "'over'"))
    if isinstance(course, Pulses):
        width, period = steps(course.width, "'width'"), steps(course.period, "'period'")
        unit = gcd(width, period)
        base = rest if course.base is None else course.base
        values = np.empty((_few(period // unit, signal), *np.shape(base)))
        values[:] = base
        values[: width // unit] = course.value
        return _Rows(values, 1, unit, repeats=True)
    if isinstance(course, Steps):
        times = [steps(time, "a step") for time, _ in course.rows]
        unit = gcd(*times) or 1
        before = [] if times[0] == 0 else [(0, rest)]
        listed = [*before, *zip(times, (value for _, value in course.rows), strict=True)]
        values = np.empty((_few(listed[-1][0] // unit + 1, signal), *(np.shape(rest) if before else ())))
        for time, value in listed:
            values[time // unit :] = value
        return _Rows(values, 1, unit)
    assert isinstance(course, Table)
    return _Rows(course.rows, 1, steps(course.every, "'every'"), course.repeats)


def _few(rows: int, signal: Signal) -> int:
    """Raises `BurstchipError` BC317 for more rows than a program should carry."""
    most = MOST_ROWS * 64
    if rows > most:
        raise BurstchipError(
            Diagnostic(
                "BC317",
                f"signal '{signal.name}' has too many different times",
                signal.place,
                required=f"at most {most} stretches of one length that all times are multiples of",
                given=f"{rows}",
                hint="coarser times, or a streamed signal",
            )
        )
    return rows


@dataclass(frozen=True)
class _Target:
    """The variable that a signal sets, in its population."""

    signal: Signal
    population: Population
    model: NeuronModel
    variable: Variable
    port_unit: Reals
    voltage_steps: float

    @property
    def values(self) -> Mapping[str, Reals]:
        return parameter_values(self.population, self.model)

    @property
    def rest(self) -> Reals:
        return self.values[self.variable.rest] if self.variable.rest else 0.0

    def convert(
        self, physical: NDArray[np.float64], step: float
    ) -> tuple[Rounded | None, list[NDArray[Any]]]:
        """(parameters with these values; integers, real numbers, what they stand for), as `physical`."""
        if not self.variable.parameter:
            exact = physical / self.port_unit
            integers = np.rint(exact).astype(np.int64)
            return None, [integers, exact, integers * self.port_unit]
        flat = {
            name: np.broadcast_to(value, physical.shape).ravel() if np.ndim(value) else value
            for name, value in self.values.items()
            if name != self.variable.parameter
        }
        found = rounded(
            self.model, {**flat, self.variable.parameter: physical.ravel()}, step, self.voltage_steps
        )
        chip = self.variable.chip
        line = found.numbers.represents[self.variable.parameter]
        represented = line.value(found.represented)
        arrays = (found.integers[chip], found.real[chip], represented)
        return found, [np.broadcast_to(array, physical.size).reshape(physical.shape) for array in arrays]

    @property
    def by_neuron(self) -> bool:
        """Whether other parameters differ between neurons, so that one value is not one integer."""
        if not self.variable.parameter:
            return np.ndim(self.port_unit) > 0
        others = (value for name, value in self.values.items() if name != self.variable.parameter)
        return any(np.ndim(value) for value in others)


def quantize_signals(
    network: Network,
    populations: Sequence[PopulationCode],
    scales: Mapping[str, float],
    port_units: Mapping[tuple[str, str], Reals],
    report: Report,
) -> tuple[tuple[PopulationCode, ...], dict[str, HostInput]]:
    """The populations with the network's signals, and what the host may give.

    `scales[population]` is its voltage scale, `port_units[population, port]` what 1 added to a port in every
    step stands for, a millisecond. Raises `BurstchipError` BC313, BC317.
    """
    codes = {code.name: code for code in populations}
    host: dict[str, HostInput] = {}
    for signal in network.signals:
        population = next(it for it in network.populations if it.name == signal.population)
        model = network.model_of(population.name)
        variable = next(it for it in model.settable if it.name == signal.variable)
        unit = port_units.get((population.name, variable.input), 1.0)
        target = _Target(signal, population, model, variable, unit, scales[population.name])
        code = codes[population.name]
        if isinstance(signal.course, StreamedRows | WrittenValue):
            codes[code.name], host[signal.name] = _from_the_host(target, code, network.step, report)
        else:
            codes[code.name] = _waveform(target, code, network, report)
    return tuple(codes[code.name] for code in populations), host


def _waveform(target: _Target, code: PopulationCode, network: Network, report: Report) -> PopulationCode:
    signal, step = target.signal, network.step
    rest = target.rest
    played = _played(signal, rest, network)
    values, size = played.values, code.size
    wide = values.ndim == 2 or target.by_neuron or np.ndim(rest) > 0
    if wide:
        values = np.broadcast_to(values.reshape(len(values), -1), (len(values), size))
    last = np.broadcast_to(rest, values.shape[1:])[np.newaxis]
    physical = np.concatenate([values, last]).astype(np.float64)
    found, (integers, exact, represented) = target.convert(physical, step)
    integers = _held(target, code, integers, physical, report)
    _line(target, physical, represented, integers, report)
    sine = None
    if isinstance(signal.course, Sine) and not wide:
        # The real numbers of a sine are a straight function of its values.
        _, (_, ends, _) = target.convert(np.array([signal.course.mean, signal.course.mean + 1.0]), step)
        gain = float(ends.ravel()[-1] - ends.ravel()[0])
        mean = float(ends.ravel()[0])
        sine = (mean, gain * signal.course.amplitude, played.cycles, signal.course.phase)
    waveform = Waveform(
        np.ascontiguousarray(integers, dtype=np.int64),
        np.ascontiguousarray(exact, dtype=np.float64),
        played.pace,
        played.per,
        require_whole_steps(signal.start, step, f"'start' of signal '{signal.name}'", signal.place),
        0
        if signal.stop is None
        else require_whole_steps(signal.stop, step, f"'stop' of signal '{signal.name}'", signal.place),
        played.repeats,
        played.linear,
        sine,
    )
    return _bound(target, code, waveform, found)


def _from_the_host(
    target: _Target, code: PopulationCode, step: float, report: Report
) -> tuple[PopulationCode, HostInput]:
    signal, course = target.signal, target.signal.course
    assert isinstance(course, StreamedRows | WrittenValue)
    start: Reals = target.rest
    if isinstance(course, StreamedRows):
        start = float(np.max(start))
    elif course.start is not None:
        start = course.start
    wide = target.by_neuron or np.ndim(start) > 0
    shape = (code.size,) if wide else ()
    physical = np.stack([np.broadcast_to(value, shape) for value in (course.low, course.high, start, 0.0)])
    found, (integers, exact, represented) = target.convert(physical, step)
    integers = _held(target, code, integers[:3], physical[:3], report)
    _line(target, physical[:3], represented[:3], integers, report)
    unit = (course.high - course.low) / (exact[1] - exact[0])
    host = HostInput(
        code.name,
        signal.variable,
        unit if wide else float(unit),
        BASE_UNITS[target.variable.dimension],
        course.low,
        course.high,
        start,
        single=not target.variable.parameter and target.variable.dimension == "number",
    )
    if isinstance(course, StreamedRows):
        hold = require_whole_steps(course.every, step, f"'every' of signal '{signal.name}'", signal.place)
        return _bound(target, code, Streamed(signal.name, hold), found), host
    first = integers[2] if wide else int(integers[2])
    return _bound(target, code, Written(signal.name, first), found), host


def _bound(
    target: _Target, code: PopulationCode, signal: Waveform | Streamed | Written, found: Rounded | None
) -> PopulationCode:
    """The population with its signal, and with the exponent that its values need."""
    parameters, real = dict(code.parameters), dict(code.real)
    if found is not None:
        chip = target.variable.chip
        exponent = found.numbers.parameters[chip].exponent
        if exponent is not None:
            before, now = parameters[exponent], found.integers[exponent]
            assert isinstance(before, int) and isinstance(now, int)
            parameters[exponent] = now
            # What the signal takes the place of is not read, but has to fit its width.
            parameters[chip] = np.asarray(parameters[chip]) >> max(now - before, 0)
            if np.ndim(parameters[chip]) == 0:
                parameters[chip] = int(parameters[chip])
            real[chip] = np.asarray(real[chip]) * 2.0 ** (before - now)
            if np.ndim(real[chip]) == 0:
                real[chip] = float(real[chip])
    signals = {**code.signals, target.variable.input: signal}
    return replace(code, parameters=parameters, real=real, signals=signals)


def _held(
    target: _Target,
    code: PopulationCode,
    integers: NDArray[np.int64],
    physical: NDArray[np.float64],
    report: Report,
) -> NDArray[np.int64]:
    """The integers, the nearest of the width of what takes them for the target none.

    Raises `BurstchipError` BC317 where a value exceeds the width on a chip.
    """
    program, name = code.program, target.variable.input
    width: Width = {**program.inputs, **program.parameters}[name]
    if not report.chip:
        return np.clip(integers, width.low, width.high)
    beyond = (integers < width.low) | (integers > width.high)
    if np.any(beyond):
        unit = BASE_UNITS[target.variable.dimension]
        raise BurstchipError(
            Diagnostic(
                "BC317",
                f"signal '{target.signal.name}' exceeds the range of '{target.variable.name}' of population"
                f" '{code.name}'",
                target.signal.place,
                required=f"{name} in {width}",
                given=f"{physical[beyond][0]:g} {unit}, {name} = {int(integers[beyond][0])}",
            )
        )
    return integers


def _line(
    target: _Target,
    physical: NDArray[np.float64],
    represented: NDArray[np.float64],
    integers: NDArray[np.int64],
    report: Report,
) -> None:
    asked, got = worst(physical, represented, share_of=float(np.max(np.abs(physical), initial=0.0)))
    unit = BASE_UNITS[target.variable.dimension]
    text = f"{target.variable.input} = {int(integers.min())} to {int(integers.max())}"
    where = f"{target.population.name}.{target.variable.name}"
    report.add(where, f"signal {target.signal.name}", unit, asked, got, text, target.signal.place)
