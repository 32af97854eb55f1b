"""The task: which data a network learns, and how a sample is presented and read."""

from __future__ import annotations

from itertools import pairwise

from burstchip.frontend.addresses import find_population
from burstchip.frontend.data_file import read_data_file
from burstchip.frontend.fields import Amount, Fields, Items
from burstchip.frontend.language import OWN_DATA
from burstchip.frontend.populations import Neurons, Populations
from burstchip.frontend.report import Report
from burstchip.frontend.times import check_whole_steps
from burstchip.frontend.tree import Scalar
from compiler.ir.network import DATA_SHAPES, Task

#: Parameters of a source that has a rate of its own or takes it from a task's samples.
_OWN_RATE, _SAMPLE_RATE = "rate", "max_rate"


def read_task(fields: Fields, populations: Populations, step: float | None, report: Report) -> Task | None:
    """The task; None where it is not right."""
    source = _population(fields, "input", populations, report)
    readout = _population(fields, "readout", populations, report)
    data, file = fields.variant, None
    if data == OWN_DATA:
        data, file = read_data_file(fields, None if readout is None else readout.size, report)
    n_values, n_classes = (None, None) if data is None or file is not None else DATA_SHAPES[data]
    if file is not None:
        n_values, n_classes = file.values, file.classes
    if source is not None and _is_input(fields, source, report):
        _check_size(fields, "input", source, n_values, f"value of a sample of '{data}'", report)
    if readout is not None and _is_readout(fields, readout, report):
        _check_size(fields, "readout", readout, n_classes, f"class of '{data}'", report)
    present, teach_after = _times(fields, step, report)
    anneal = _anneal(fields, report)
    epochs = fields.get("epochs", int)
    if (
        data is None
        or source is None
        or readout is None
        or present is None
        or teach_after is None
        or epochs is None
    ):
        return None
    return Task(
        data=data,
        input=source.name,
        readout=readout.name,
        present=present,
        teach_after=teach_after,
        epochs=epochs,
        anneal=anneal,
        split=fields.get("split", int) or 0,
        by="event_count",
        place=report.place(fields.at),
        places={key: report.place(node) for key, node in fields.nodes.items()},
        file=file,
    )


def unread_rate(is_input: bool) -> str:
    """The parameter of a source that is not read where it is, or is not, the input of a task."""
    return _OWN_RATE if is_input else _SAMPLE_RATE


def _population(fields: Fields, key: str, populations: Populations, report: Report) -> Neurons | None:
    name = fields.get(key, str)
    if name is None:
        return None
    node = fields.nodes[key]
    assert isinstance(node, Scalar)
    return find_population(name, node, populations, fields.name_of(key), report)


def _is_input(fields: Fields, source: Neurons, report: Report) -> bool:
    if source.model is None or source.fields is None:
        return False
    if source.model.parameter(_SAMPLE_RATE) is None:
        report.add(
            "BC124",
            fields.nodes["input"],
            f"{fields.name_of('input')} needs a source that samples can drive",
            required="a population of model rate_source or poisson_source",
            given=f"'{source.name}' of model '{source.model.name}'",
        )
        return False
    if not source.fields.given(_SAMPLE_RATE):
        report.add(
            "BC160",
            fields.nodes["input"],
            f"'{source.name}' has no '{_SAMPLE_RATE}': no sample would make it spike",
            required=f"'{_SAMPLE_RATE}', the rate of the greatest value of a sample",
            hint=f"add for example {_SAMPLE_RATE}: 200 Hz to {source.fields.label}",
        )
    return True


def _is_readout(fields: Fields, readout: Neurons, report: Report) -> bool:
    if readout.model is None:
        return False
    if not readout.model.roles.count:
        report.add(
            "BC124",
            fields.nodes["readout"],
            f"{fields.name_of('readout')} needs neurons that count their events",
            required="a population of a model that counts its events, such as burst_unit",
            given=f"'{readout.name}' of model '{readout.model.name}'",
        )
        return False
    return True


def _check_size(
    fields: Fields, key: str, neurons: Neurons, needed: int | None, what: str, report: Report
) -> None:
    if needed is not None and neurons.size is not None and neurons.size != needed:
        report.add(
            "BC160",
            fields.nodes[key],
            f"{fields.name_of(key)} needs one neuron for each {what}",
            required=f"{needed} neurons",
            given=f"'{neurons.name}' with {neurons.size}",
        )


def _times(fields: Fields, step: float | None, report: Report) -> tuple[float | None, float | None]:
    for key in ("present", "teach_after"):
        time = fields.number(key)
        if time is not None and step is not None:
            check_whole_steps(time, step, fields.nodes[key], fields.name_of(key), report)
    present, teach_after = fields.number("present"), fields.number("teach_after")
    if present is not None and teach_after is not None and teach_after >= present:
        report.add(
            "BC161",
            fields.nodes["teach_after"],
            f"{fields.name_of('teach_after')} is not before the end of a sample",
            required=f"less than 'present', {present:.12g} ms",
        )
    return present, teach_after


def _anneal(fields: Fields, report: Report) -> tuple[float, ...]:
    listed = fields.get("anneal", Items)
    points = [] if listed is None else [(amount.value, node) for _, amount, node in listed.of(Amount)]
    for (before, _), (point, node) in pairwise(points):
        if point <= before:
            report.add(
                "BC162",
                node,
                f"{fields.name_of('anneal')} is not in order",
                required=f"more than the point before it, {before:.12g}",
            )
    return tuple(point for point, _ in points)
