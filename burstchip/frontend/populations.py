"""Populations: the fields of each, as neurons of a model with values in base units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from burstchip.frontend.distributions import read_drawn
from burstchip.frontend.fields import Amount, Entries, Fields, Items
from burstchip.frontend.language_synapses import LARGEST_POPULATION
from burstchip.frontend.report import Report
from burstchip.frontend.tree import Node, describe
from compiler.ir.network import ListedEvents, Population
from compiler.ir.values import Value
from compiler.steps import whole_steps
from hw_models.diagnostics import Place
from hw_models.neurons.model import NeuronModel, Parameter
from hw_models.neurons.quantities import nearest_steps


@dataclass(frozen=True)
class Neurons:
    """What is known of a population, so that addresses can be checked even where the rest is wrong."""

    name: str
    model: NeuronModel | None
    size: int | None
    fields: Fields | None
    population: Population | None
    #: [channels, places ...] where it is given; the last dimension is the fastest.
    shape: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Populations:
    """All populations by name; not `complete` where the file's list of them could not be read."""

    neurons: Mapping[str, Neurons]
    complete: bool = True


def read_populations(
    entries: Entries | None, models: Mapping[str, NeuronModel], step: float | None, report: Report
) -> Populations:
    """All populations, those with mistakes included; `entries` is None where there is nothing to read."""
    if entries is None:
        return Populations({}, complete=False)
    found = {key.text: Neurons(key.text, None, None, None, None) for key, _ in entries.values}
    for key, fields in entries.of(Fields):
        named = models[fields.variant] if fields.variant is not None else None
        model = None if named is None else named.with_options(fields.nodes)
        shape = _shape(fields, report)
        size = fields.get("size", int) if shape is None else prod(shape)
        population = None
        if named is not None and model is not None and size is not None:
            values, _ = _values(model.parameters, size, fields, report)
            initial = _initial(model, size, fields, report)
            population = Population(
                key.text,
                named.name,
                size,
                values,
                _spikes(fields, size, step, report),
                report.place(key),
                {
                    **{key: report.place(node) for key, node in fields.nodes.items()},
                    **{f"initial.{name}": place for name, place in initial[1].items()},
                },
                initial[0],
            )
        found[key.text] = Neurons(key.text, model, size, fields, population, shape)
    return Populations(found)


def _shape(fields: Fields, report: Report) -> tuple[int, ...] | None:
    """The shape of a population; None where none is given, or it is not right."""
    written = fields.get("shape", Items)
    if written is None or not written.complete:
        return None
    shape = tuple(number for _, number, _ in written.of(int))
    if prod(shape) > LARGEST_POPULATION:
        report.add(
            "BC103",
            fields.nodes["shape"],
            f"{fields.name_of('shape')} is out of range",
            required=f"at most {LARGEST_POPULATION} neurons in all",
            given=f"{prod(shape)} neurons",
        )
        return None
    return shape


def replaced(model: NeuronModel, fields: Fields) -> tuple[str, ...]:
    """The parameters in whose place the population gives others."""
    given = (it.instead_of for it in model.options if it.instead_of and fields.given(it.name))
    return tuple(dict.fromkeys(given))


def _initial(
    model: NeuronModel, size: int, fields: Fields, report: Report
) -> tuple[dict[str, Value], dict[str, Place]]:
    """What states start with, and the place of each."""
    given = fields.get("initial", Fields)
    if given is None:
        return {}, {}
    for name in given.values:
        if all(it.name != name for it in model.initial):
            report.add(
                "BC362",
                given.nodes[name],
                f"{given.label}: '{name}' is not a state of these neurons",
                required=f"one of {', '.join(it.name for it in model.initial)}",
                given=name,
                hint="a state of an option is there only with that option",
            )
    return _values(model.initial, size, given, report)


def _values(
    parameters: tuple[Parameter, ...], size: int, fields: Fields, report: Report
) -> tuple[dict[str, Value], dict[str, Place]]:
    values: dict[str, Value] = {}
    places: dict[str, Place] = {}
    for parameter in parameters:
        value = fields.values.get(parameter.name)
        if isinstance(value, Amount):
            values[parameter.name] = value.value
        elif isinstance(value, Fields):
            drawn = read_drawn(value, fields.name_of(parameter.name), report)
            if drawn is not None:
                values[parameter.name] = drawn
        elif isinstance(value, Items):
            if len(value.nodes) != size:
                report.add(
                    "BC111",
                    fields.nodes[parameter.name],
                    f"'{parameter.name}' of {fields.label} needs one value, or one for each neuron",
                    required=f"1 or {size} values",
                    given=f"{len(value.nodes)} values",
                )
            values[parameter.name] = tuple(amount.value for _, amount, _ in value.of(Amount))
        if parameter.name in fields.nodes:
            places[parameter.name] = report.place(fields.nodes[parameter.name])
    return values, places


def _spikes(
    fields: Fields, size: int, step: float | None, report: Report
) -> tuple[tuple[int, float], ...] | ListedEvents:
    what = "message" if "messages" in fields.values else "event"
    events = fields.values.get(f"{what}s")
    if isinstance(events, Fields):
        # Imported here: most networks have no such file.
        from burstchip.frontend.listed_file import read_event_file

        return read_event_file(events, size, step, report, messages=what == "message") or ()
    if not isinstance(events, Items):
        return ()
    spikes: list[tuple[int, float]] = []
    sent: list[int] = []
    between: list[Node] = []
    steps: dict[tuple[int, int], int] = {}
    for index, event, node in events.of(Items):
        neuron, time, *message = event.values
        if isinstance(neuron, int) and neuron >= size:
            report.add(
                "BC112",
                event.nodes[0],
                f"{what} {index + 1} of {fields.label} names a neuron that does not exist",
                required=f"a neuron from 0 to {size - 1}",
            )
        elif isinstance(neuron, int) and isinstance(time, Amount):
            spikes.append((neuron, time.value))
            sent += [value for value in message if isinstance(value, int)]
            if step is None:
                continue
            if whole_steps(time.value, step) is None:
                between.append(event.nodes[1])
            first = steps.setdefault((neuron, int(nearest_steps(time.value, step))), index)
            if first != index:
                report.add(
                    "BC115",
                    node,
                    f"{what} {index + 1} of {fields.label} falls into the step of {what} {first + 1}",
                    required=f"at most one {what} of a neuron in a step",
                )
    if between:
        report.add(
            "BC113",
            between[0],
            f"{what}s of {fields.label} between two steps are rounded to the nearest",
            required="whole numbers of steps",
            given=f"{len(between)} between steps, the first at {describe(between[0])}",
            severity="warning",
        )
    return ListedEvents.of(spikes, sent) if what == "message" else tuple(spikes)
