"""The protocol: which variables examples and teachers set, and what is shown when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from burstchip.files.rows import Unusable, load_rows
from burstchip.frontend.addresses import find_population
from burstchip.frontend.fields import AddressText, Amount, Entries, Fields, Items
from burstchip.frontend.populations import Neurons, Populations
from burstchip.frontend.report import Report
from burstchip.frontend.scalars import has_dimension, unit_scale
from burstchip.frontend.signals import find_variable, in_range
from burstchip.frontend.times import check_whole_steps
from burstchip.frontend.tree import Node, Scalar
from compiler.ir.courses import WrittenValue
from compiler.ir.network import Signal
from compiler.ir.protocol import (
    GATE,
    RATE,
    Example,
    Part,
    Phase,
    Protocol,
    ProtocolInput,
    Teacher,
    gate_signal,
)
from compiler.ir.values import Normal, Uniform, Value
from hw_models.diagnostics import nearest
from hw_models.neurons.model import Variable

#: Standard deviations within which a normal draw of 32 bits lies.
_FURTHEST = 7.0


@dataclass(frozen=True)
class ReadProtocol:
    """A protocol, None where it is not right; its signals, and what sets which variable, in words."""

    protocol: Protocol | None
    signals: tuple[Signal, ...]
    taken: Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class _Column:
    """An input or a teacher: the variable that it sets, where the file is right so far."""

    name: str
    at: Node
    neurons: Neurons | None = None
    variable: Variable | None = None
    teacher: Teacher | None = None

    @property
    def place(self) -> tuple[str, str] | None:
        """Population and variable."""
        if self.neurons is None or self.variable is None:
            return None
        return self.neurons.name, self.variable.name


def read_protocol(
    fields: Fields, populations: Populations, step: float | None, report: Report
) -> ReadProtocol:
    """The protocol under a key of the network."""
    inputs = tuple(_inputs(fields, populations, report))
    teachers = tuple(_teachers(fields, populations, step, report))
    shared = {it.name for it in inputs} & {it.name for it in teachers}
    for it in teachers:
        if it.name in shared:
            report.add("BC030", it.at, f"'{it.name}' is already an input", required="each name once")
    examples = tuple(_examples(fields, inputs, teachers, report))
    phases = tuple(_phases(fields, populations, step, report))
    parts = tuple(_parts(fields, {phase.name for phase in phases}, step, report))
    lasts = fields.number("bin")
    if lasts is not None and step is not None:
        check_whole_steps(lasts, step, fields.nodes["bin"], fields.name_of("bin"), report)
    gated = tuple(name for name, neurons in populations.neurons.items() if _learns(neurons))
    taken = _taken(inputs, teachers, gated, report)
    if report.failed or lasts is None or not examples:
        return ReadProtocol(None, (), taken)
    protocol = Protocol(
        tuple(ProtocolInput(it.name, *it.place) for it in inputs if it.place is not None),
        tuple(it.teacher for it in teachers if it.teacher is not None),
        examples,
        phases,
        parts,
        lasts,
        gated,
        {"": report.place(fields.at)},
    )
    return ReadProtocol(protocol, tuple(_signals(protocol, inputs, teachers, report)), taken)


def _inputs(fields: Fields, populations: Populations, report: Report) -> Iterator[_Column]:
    for key, address in (fields.get("inputs", Entries) or Entries(())).of(AddressText):
        found = find_variable(address, populations, f"input '{key.text}' of the protocol", report)
        yield _Column(key.text, key, *(found or (None, None)))


def _teachers(
    fields: Fields, populations: Populations, step: float | None, report: Report
) -> Iterator[_Column]:
    for key, it in (fields.get("teachers", Entries) or Entries(())).of(Fields):
        address = it.get("to", AddressText)
        found = None if address is None else find_variable(address, populations, it.name_of("to"), report)
        if found is None:
            yield _Column(key.text, key)
            continue
        neurons, variable = found
        assert neurons.model is not None and address is not None
        if RATE not in neurons.model.program.states:
            report.add(
                "BC180",
                address.node,
                f"{it.label} needs neurons with a running rate of events",
                required="a population with 'tau_average', which the burst rule gives",
                given=f"'{neurons.name}' of model '{neurons.model.name}'",
                hint=f"add for example tau_average: 2 s to population '{neurons.name}'",
            )
        yield _Column(
            key.text, key, neurons, variable, _teacher(key.text, it, neurons, variable, step, report)
        )


def _teacher(
    name: str, it: Fields, neurons: Neurons, variable: Variable, step: float | None, report: Report
) -> Teacher | None:
    strength, low, high = it.get("strength", Amount), it.number("low"), it.number("high")
    tolerance, every = it.number("tolerance"), it.number("every")
    if every is not None and step is not None:
        check_whole_steps(every, step, it.nodes["every"], it.name_of("every"), report)
    if strength is not None and not has_dimension(
        strength, variable.dimension, it.name_of("strength"), report
    ):
        return None
    if strength is None or low is None or high is None or tolerance is None:
        return None
    if 2 * tolerance >= high - low:
        report.add(
            "BC181",
            it.nodes["tolerance"],
            f"{it.name_of('tolerance')} leaves nothing between 'low' and 'high'",
            required=f"less than half of {high - low:.12g} Hz" if high > low else "a 'high' above 'low'",
            given=f"{tolerance:.12g} Hz, from {low:.12g} Hz to {high:.12g} Hz",
        )
        return None
    return Teacher(name, neurons.name, variable.name, low, high, tolerance, strength.value, every)


def _examples(
    fields: Fields, inputs: tuple[_Column, ...], teachers: tuple[_Column, ...], report: Report
) -> Iterator[Example]:
    if (table := fields.get("table", Fields)) is not None:
        yield from _from_file(table, inputs, teachers, report)
    names = tuple(it.name for it in (*inputs, *teachers))
    for key, entries in (fields.get("examples", Entries) or Entries(())).of(Entries):
        label = f"example '{key.text}'"
        values: dict[str, float] = {}
        for name, amount in entries.of(Amount):
            column = next((it for it in (*inputs, *teachers) if it.name == name.text), None)
            if column is None:
                report.add(
                    "BC182",
                    name,
                    f"{label}: '{name.text}' is neither an input nor a teacher",
                    required=f"one of {', '.join(names)}" if names else "an input",
                    hint=nearest(name.text, names),
                )
            elif _fits(amount, column, column in teachers, label, report):
                values[name.text] = amount.value
        missing = [name for name in names if name not in entries.names]
        if missing:
            report.add(
                "BC182",
                key,
                f"{label} lacks {' and '.join(repr(name) for name in missing)}",
                required=f"a value for each of {', '.join(names)}",
            )
        if all(name in values for name in names):
            yield Example(
                key.text,
                tuple(values[it.name] for it in inputs),
                tuple(int(values[it.name]) for it in teachers),
            )


def _fits(amount: Amount, column: _Column, taught: bool, label: str, report: Report) -> bool:
    """Whether a value is one of its column: a target, or a value of the input's variable."""
    label = f"'{column.name}' of {label}"
    if not taught:
        return column.variable is not None and in_range(amount, column.variable, label, report)
    if not has_dimension(amount, "number", label, report):
        return False
    if amount.value not in (0.0, 1.0):
        report.add("BC103", amount.node, f"{label} must be a target", required="0 or 1")
        return False
    return True


def _from_file(
    table: Fields, inputs: tuple[_Column, ...], teachers: tuple[_Column, ...], report: Report
) -> Iterator[Example]:
    name, unit = table.get("file", str), table.get("unit", str)
    if name is None or unit is None or any(it.variable is None for it in inputs):
        return
    columns = ", ".join(it.name for it in (*inputs, *teachers))
    shape = f"[example, ({columns})]"

    def wrong(message: str, required: str, given: str) -> None:
        at, label = table.nodes["file"], table.name_of("file")
        report.add("BC183", at, f"{label}: {message}", required=required, given=given)

    scales = [
        unit_scale(unit, it.variable.dimension, table.nodes["unit"], table.name_of("unit"), report)
        for it in inputs
        if it.variable is not None
    ]
    rows = load_rows(Path(report.file).parent / name, shape)
    if isinstance(rows, Unusable):
        wrong(rows.message, rows.required, rows.given)
        return
    rows = rows[:, np.newaxis] if rows.ndim == 1 else rows
    if rows.shape[1] != len(inputs) + len(teachers):
        wrong("the rows have the wrong shape", shape, f"{list(rows.shape)}")
        return
    targets = rows[:, len(inputs) :]
    if np.any(bad := ~np.isin(targets, (0.0, 1.0))):
        row, column = (int(k) for k in np.argwhere(bad)[0])
        wrong(
            f"row {row + 1} has no target",
            f"'{teachers[column].name}' 0 or 1",
            f"{targets[row, column]:.12g}",
        )
        return
    if any(scale is None for scale in scales):
        return
    values = rows[:, : len(inputs)] * np.asarray(scales, dtype=np.float64)
    for column, it in enumerate(inputs):
        assert it.variable is not None
        low, high = (-np.inf if it.variable.minimum is None else it.variable.minimum), it.variable.maximum
        out = (values[:, column] < low) | (values[:, column] > (np.inf if high is None else high))
        if np.any(out):
            row = int(np.argmax(out))
            wrong(f"row {row + 1} is out of range", f"'{it.name}' of {shape}", f"{values[row, column]:.12g}")
            return
    for row, (given, aims) in enumerate(zip(values.tolist(), targets.tolist(), strict=True), 1):
        yield Example(f"row_{row}", tuple(given), tuple(int(aim) for aim in aims))


def _phases(fields: Fields, populations: Populations, step: float | None, report: Report) -> Iterator[Phase]:
    for key, it in (fields.get("phases", Entries) or Entries(())).of(Fields):
        lasts = it.number("for")
        if lasts is not None and step is not None:
            check_whole_steps(lasts, step, it.nodes["for"], it.name_of("for"), report)
        plastic: list[str] = []
        for _, name, node in (it.get("plastic", Items) or Items((), ())).of(str):
            assert isinstance(node, Scalar)
            neurons = find_population(name, node, populations, it.name_of("plastic"), report)
            if neurons is None or neurons.model is None:
                continue
            if not _learns(neurons):
                report.add(
                    "BC180",
                    node,
                    f"{it.name_of('plastic')}: the neurons of '{name}' teach no synapses",
                    required="a population with 'tau_average', which the burst rule gives",
                    given=f"'{name}' of model '{neurons.model.name}'",
                )
            plastic.append(name)
        yield Phase(key.text, lasts or 0.0, tuple(dict.fromkeys(plastic)), it.get("taught", str) == "yes")


def _learns(neurons: Neurons) -> bool:
    """Whether its synapses may follow the burst rule."""
    return neurons.model is not None and any(known.name == GATE for known in neurons.model.settable)


def _parts(fields: Fields, known: set[str], step: float | None, report: Report) -> Iterator[Part]:
    names: set[str] = set()
    for _, it, _ in (fields.get("parts", Items) or Items((), ())).of(Fields):
        name, rest = it.get("name", str) or "", it.number("for")
        if name in names:
            report.add("BC030", it.nodes["name"], f"'{name}' is already a part", required="each name once")
        names.add(name)
        if rest is not None and step is not None:
            check_whole_steps(rest, step, it.nodes["for"], it.name_of("for"), report)
        phases: list[str] = []
        for _, phase, node in (it.get("phases", Items) or Items((), ())).of(str):
            if phase not in known:
                report.add(
                    "BC184",
                    node,
                    f"{it.name_of('phases')}: unknown phase '{phase}'",
                    required=f"one of {', '.join(sorted(known))}" if known else "a phase",
                    hint=nearest(phase, tuple(known)),
                )
            phases.append(phase)
        order = it.get("order", str)
        yield Part(
            name,
            tuple(phases),
            it.get("rounds", int) or 1,
            "shuffled" if order == "shuffled" else "listed",
            rest or 0.0,
        )


def _taken(
    inputs: tuple[_Column, ...], teachers: tuple[_Column, ...], gated: tuple[str, ...], report: Report
) -> dict[tuple[str, str], str]:
    """What sets which variable; reports one that is set twice."""
    found: dict[tuple[str, str], str] = {}
    for it in (*inputs, *teachers):
        if it.place is None:
            continue
        what = f"{'teacher' if it in teachers else 'input'} '{it.name}' of the protocol"
        if it.place in found:
            report.add(
                "BC171", it.at, f"{what} sets what {found[it.place]} sets", required="one for each variable"
            )
        found[it.place] = what
    for name in gated:
        found[name, GATE] = "the phases of the protocol"
    return found


def _signals(
    protocol: Protocol, inputs: tuple[_Column, ...], teachers: tuple[_Column, ...], report: Report
) -> Iterator[Signal]:
    """What the host writes while the protocol is followed."""

    def written(name: str, population: str, variable: str, low: float, high: float, at: Node) -> Signal:
        # A range of one value has no unit.
        course = WrittenValue(low, high if high > low else low + 1.0, None)
        return Signal(name, population, variable, course, place=report.place(at))

    for number, (it, column) in enumerate(zip(protocol.inputs, inputs, strict=True)):
        values = [example.inputs[number] for example in protocol.examples]
        yield written(it.signal, it.population, it.variable, min(values), max(values), column.at)
    for teacher, column in zip(protocol.teachers, teachers, strict=True):
        least, most = _base(column)
        ends = least - abs(teacher.strength), most + abs(teacher.strength)
        yield written(teacher.signal, teacher.population, teacher.variable, *ends, column.at)
    for name in protocol.gated:
        yield Signal(gate_signal(name), name, GATE, WrittenValue(0.0, 1.0, 0.0))


def _base(column: _Column) -> tuple[float, float]:
    """The least and the greatest value that a teacher adds to."""
    assert column.neurons is not None and column.variable is not None
    population, model = column.neurons.population, column.neurons.model
    assert population is not None and model is not None
    name = column.variable.parameter
    if not name:
        return 0.0, 0.0
    parameter = model.parameter(name)
    value: Value | None = population.parameters.get(name, None if parameter is None else parameter.default)
    if isinstance(value, tuple):
        return min(value), max(value)
    if isinstance(value, Uniform):
        return value.low, value.high
    if isinstance(value, Normal):
        return value.mean - _FURTHEST * value.sd, value.mean + _FURTHEST * value.sd
    return (0.0, 0.0) if value is None else (float(value), float(value))
