"""Signals: which variable each sets, by which course, in the unit that the variable has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.frontend.addresses import find_population, one_of, part
from burstchip.frontend.fields import AddressText, Amount, Entries, Fields, Items
from burstchip.frontend.kinds import QuantityOf
from burstchip.frontend.language_signals import COURSES
from burstchip.frontend.populations import Neurons, Populations
from burstchip.frontend.report import Report
from burstchip.frontend.scalars import has_dimension, range_of
from burstchip.frontend.signal_file import read_signal_file
from burstchip.frontend.times import check_whole_steps
from compiler.ir.courses import Pulses, Ramp, SignalCourse, Sine, Steps, StreamedRows, Table, WrittenValue
from compiler.ir.network import Signal
from hw_models.diagnostics import Place, nearest
from hw_models.neurons.model import BASE_UNITS, Variable


def read_signals(
    entries: Entries | None,
    populations: Populations,
    taken: Mapping[tuple[str, str], str],
    step: float | None,
    report: Report,
) -> tuple[Signal, ...]:
    """All signals that could be read. `taken` says in words what else sets which variable."""
    found = dict(taken)
    signals = []
    for key, fields in (entries or Entries(())).of(Fields):
        address = fields.get("to", AddressText)
        variable = None
        if address is not None:
            variable = find_variable(address, populations, fields.name_of("to"), report)
        course = _course(key.text, fields, variable, step, report)
        start, stop = _times(fields, step, report)
        if variable is None:
            continue
        neurons, target = variable
        place = (neurons.name, target.name)
        if place in found:
            report.add(
                "BC171",
                fields.nodes["to"],
                f"{fields.label} sets what {found[place]} sets",
                required="one signal for each variable",
            )
        found[place] = f"signal '{key.text}'"
        if course is not None:
            signals.append(
                Signal(key.text, *place, course, start, stop, report.place(key), _places(fields, report))
            )
    return tuple(signals)


def _places(fields: Fields, report: Report) -> dict[str, Place]:
    return {key: report.place(node) for key, node in fields.nodes.items()}


def find_variable(
    address: AddressText, populations: Populations, label: str, report: Report
) -> tuple[Neurons, Variable] | None:
    """The variable of a population that an address names, or None after reporting that there is none."""
    at = part(address.node, 0, len(address.population))
    neurons = find_population(address.population, at, populations, label, report)
    if neurons is None or neurons.model is None:
        return None
    known = {variable.name: variable for variable in neurons.model.settable}
    if address.port is None or address.port not in known:
        given = address.port or ""
        report.add(
            "BC170",
            address.node if address.port is None else part(address.node, len(at.text) + 1, len(given)),
            f"{label}: '{neurons.name}' has no variable '{given}' that a signal can set"
            if given
            else f"{label} does not say which variable of '{neurons.name}' is meant",
            required=one_of(neurons.name, tuple(known)) if known else "a model with variables or ports",
            given=f"'{address.node.text}'",
            hint=nearest(given, tuple(known)),
        )
        return None
    return neurons, known[address.port]


def _times(fields: Fields, step: float | None, report: Report) -> tuple[float, float | None]:
    start, stop = fields.number("start"), fields.number("stop")
    for key in ("start", "stop"):
        time = fields.number(key)
        if time is not None and step is not None:
            check_whole_steps(time, step, fields.nodes[key], fields.name_of(key), report)
    if stop is not None and stop <= (start or 0.0):
        report.add(
            "BC172",
            fields.nodes["stop"],
            f"{fields.name_of('stop')} is not after its start",
            required=f"more than {start or 0.0:.12g} ms",
        )
    for key in ("streamed", "written"):
        for time_key in ("start", "stop"):
            if fields.given(key) and fields.given(time_key):
                report.add(
                    "BC172",
                    fields.nodes[time_key],
                    f"{fields.name_of(time_key)} is not read: the host decides over the whole run",
                    required=f"no '{time_key}' with '{key}'",
                    hint=f"remove '{time_key}'",
                )
    return start or 0.0, stop


def _course(
    name: str, fields: Fields, variable: tuple[Neurons, Variable] | None, step: float | None, report: Report
) -> SignalCourse | None:
    kind = next((kind for kind in COURSES if fields.given(kind)), None)
    value = None if kind is None else fields.values.get(kind)
    if kind is None or value is None or variable is None:
        return None
    neurons, target = variable
    if not all(in_range(amount, target, fields.name_of(kind), report) for amount in list(_amounts(value))):
        return None
    if isinstance(value, Amount):
        return Steps(((0.0, value.value),))
    if isinstance(value, Items):
        return _steps(value, fields, step, report)
    assert isinstance(value, Fields)
    return _READERS[kind](value, neurons, target, step, report)


def _amounts(value: object) -> Iterator[Amount]:
    """Everything in a course that is a value of the variable: not its times."""
    if isinstance(value, Amount):
        yield value
    elif isinstance(value, Items):
        for item in value.values:
            if isinstance(item, Items) and isinstance(item.values[1], Amount):
                yield item.values[1]
            elif isinstance(item, Amount):
                yield item
    elif isinstance(value, Fields):
        for key in ("amplitude", "mean", "from", "to", "value", "base", "start"):
            if (amount := value.get(key, Amount)) is not None:
                yield amount
        if (listed := value.get("values", Items)) is not None:
            yield from _amounts(listed)


def in_range(amount: Amount, variable: Variable, label: str, report: Report) -> bool:
    """Whether an amount is a value of the variable; reports one that is not."""
    if not has_dimension(amount, variable.dimension, label, report):
        return False
    if not _within(variable, amount.value):
        report.add("BC103", amount.node, f"{label} is out of range", required=_range(variable))
        return False
    return True


def _within(variable: Variable, value: float) -> bool:
    low, high = variable.minimum, variable.maximum
    return (low is None or value >= low) and (high is None or value <= high)


def _range(variable: Variable) -> str:
    return range_of(QuantityOf(variable.dimension, variable.minimum, variable.maximum))


def _whole(fields: Fields, keys: tuple[str, ...], step: float | None, report: Report) -> bool:
    right = True
    for key in keys:
        time = fields.number(key)
        if time is None or step is None:
            right = False
        else:
            before = report.failed
            check_whole_steps(time, step, fields.nodes[key], fields.name_of(key), report)
            right = right and (before or not report.failed)
    return right


def _steps(items: Items, fields: Fields, step: float | None, report: Report) -> Steps | None:
    rows: list[tuple[float, float]] = []
    for _, row, node in items.of(Items):
        time, value = row.values
        if not isinstance(time, Amount) or not isinstance(value, Amount):
            return None
        if step is not None:
            check_whole_steps(time.value, step, row.nodes[0], "the time of a step", report)
        if rows and time.value <= rows[-1][0]:
            report.add(
                "BC172",
                node,
                f"{fields.name_of('steps')} is not in order",
                required=f"a time after that of the step before, {rows[-1][0]:.12g} ms",
            )
        rows.append((time.value, value.value))
    return Steps(tuple(rows)) if rows else None


def _sine(
    fields: Fields, neurons: Neurons, variable: Variable, step: float | None, report: Report
) -> Sine | None:
    amplitude, frequency = fields.number("amplitude"), fields.number("frequency")
    if amplitude is None or frequency is None:
        return None
    if step is not None and frequency * step / 1000 > 0.5:
        report.add(
            "BC172",
            fields.nodes["frequency"],
            f"{fields.name_of('frequency')} is too high for the step",
            required=f"at most half a cycle a step, {500 / step:.12g} Hz",
        )
    mean = fields.number("mean") or 0.0
    ends = (mean - abs(amplitude), mean + abs(amplitude))
    if not all(_within(variable, end) for end in ends):
        unit = BASE_UNITS[variable.dimension]
        report.add(
            "BC103",
            fields.nodes["amplitude"],
            f"{fields.label} swings out of the range of '{variable.name}'",
            required=_range(variable),
            given=f"{ends[0]:.12g} {unit} to {ends[1]:.12g} {unit}",
        )
        return None
    return Sine(mean, amplitude, frequency, fields.number("phase") or 0.0)


def _ramp(
    fields: Fields, neurons: Neurons, variable: Variable, step: float | None, report: Report
) -> Ramp | None:
    first, last, over = (fields.number(key) for key in ("from", "to", "over"))
    if not _whole(fields, ("over",), step, report) or first is None or last is None or over is None:
        return None
    return Ramp(first, last, over)


def _pulses(
    fields: Fields, neurons: Neurons, variable: Variable, step: float | None, report: Report
) -> Pulses | None:
    value, width, period = (fields.number(key) for key in ("value", "width", "period"))
    whole = _whole(fields, ("width", "period"), step, report)
    if not whole or value is None or width is None or period is None:
        return None
    if width >= period:
        report.add(
            "BC172",
            fields.nodes["width"],
            f"{fields.name_of('width')} fills the period",
            required=f"less than 'period', {period:.12g} ms",
        )
    return Pulses(value, width, period, fields.number("base"))


def _table(
    fields: Fields, neurons: Neurons, variable: Variable, step: float | None, report: Report
) -> Table | None:
    whole = _whole(fields, ("every",), step, report)
    every, listed = fields.number("every"), fields.get("values", Items)
    rows: NDArray[np.float64] | None = None
    if listed is not None:
        rows = np.array([amount.value for _, amount, _ in listed.of(Amount)], dtype=np.float64)
    elif fields.get("file", str) is not None and fields.get("unit", str) is not None:
        rows = read_signal_file(fields, Path(report.file).parent, neurons.size, variable, report)
    if not whole or every is None or rows is None or not len(rows):
        return None
    return Table(rows, every, fields.get("repeat", str) == "yes")


def _ends(fields: Fields, report: Report) -> tuple[float, float] | None:
    low, high = fields.number("from"), fields.number("to")
    if low is None or high is None:
        return None
    if low >= high:
        report.add(
            "BC136",
            fields.nodes["to"],
            f"{fields.name_of('to')} is not above 'from'",
            required="an end above the other",
        )
        return None
    return low, high


def _streamed(
    fields: Fields, neurons: Neurons, variable: Variable, step: float | None, report: Report
) -> StreamedRows | None:
    whole, ends, every = (
        _whole(fields, ("every",), step, report),
        _ends(fields, report),
        fields.number("every"),
    )
    return StreamedRows(every, *ends) if whole and ends is not None and every is not None else None


def _written(
    fields: Fields, neurons: Neurons, variable: Variable, step: float | None, report: Report
) -> WrittenValue | None:
    ends, start = _ends(fields, report), fields.number("start")
    if ends is not None and start is not None and not ends[0] <= start <= ends[1]:
        report.add(
            "BC103",
            fields.nodes["start"],
            f"{fields.name_of('start')} is out of range",
            required="a value between 'from' and 'to'",
        )
    return None if ends is None else WrittenValue(*ends, start)


_READERS = {
    "sine": _sine,
    "ramp": _ramp,
    "pulses": _pulses,
    "table": _table,
    "streamed": _streamed,
    "written": _written,
}
