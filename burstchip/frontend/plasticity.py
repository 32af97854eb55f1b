"""Plasticities: how the weights of a projection learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from burstchip.frontend.fields import Entries, Fields, Items
from burstchip.frontend.report import Report
from burstchip.frontend.rules import THIRD_FACTORS, read_rules, variables
from burstchip.frontend.times import check_whole_steps
from compiler.ir.network import Plasticity, TraceSpec
from hw_models.plasticity.rule import TARGETS, LearningRule


@dataclass(frozen=True)
class Learning:
    """A plasticity, the third factors that its rule reads, and whether it reads when the target spikes."""

    plasticity: Plasticity
    third_factors: tuple[str, ...]
    events: bool


def read_plasticity(
    entries: Entries | None, step: float | None, report: Report
) -> dict[str, Learning | None]:
    """All plasticities by name; None for one that cannot be read."""
    if entries is None:
        return {}
    found: dict[str, Learning | None] = dict.fromkeys(entries.names)
    for key, fields in entries.of(Fields):
        if fields.variant is not None:
            found[key.text] = _plasticity(key.text, fields, step, report)
    return found


def _plasticity(name: str, fields: Fields, step: float | None, report: Report) -> Learning | None:
    every = fields.number("every")
    if every is not None and step is not None:
        check_whole_steps(every, step, fields.nodes["every"], fields.name_of("every"), report)
    traces, traces_read = _traces(fields, report)
    rule = read_rules(fields, traces if traces_read else None, report)
    if every is None or not traces_read:
        return None
    if fields.given("learning_rate") and [trace.name for trace in traces] != ["x1"]:
        key = "traces" if fields.given("traces") else "trace"
        report.add(
            "BC143",
            fields.nodes.get(key, fields.at),
            f"{fields.label} learns by the burst rule, which reads the trace x1 alone",
            required="one trace, x1",
            given=", ".join(trace.name for trace in traces) or "none",
        )
    places = {key: report.place(node) for key, node in fields.nodes.items()}
    plasticity = Plasticity(
        name=name,
        form=cast(Literal["chip", "carry"], fields.variant),
        rounding=cast(Literal["lava", "per_synapse"], fields.get("rounding", str) or "per_synapse"),
        every=every,
        traces=traces,
        rules={target: text for target in TARGETS if (text := fields.get(target, str)) is not None},
        learning_rate=fields.number("learning_rate"),
        consolidation_rate=fields.number("consolidation_rate"),
        consolidate_every=fields.get("consolidate_every", int),
        seed=fields.get("seed", int),
        postsynaptic=fields.get("postsynaptic", str) or "events",
        place=report.place(fields.at),
        places=places,
    )
    learning = Learning(plasticity, *_needs(fields, traces, rule))
    if rule is not None and fields.given("postsynaptic") and not learning.events:
        report.add(
            "BC144",
            fields.nodes["postsynaptic"],
            f"no rule of {fields.label} reads y0 or a trace of the target: 'postsynaptic' has no effect",
            severity="warning",
            required=f"y0, or a trace y1 to y3, in one of {', '.join(TARGETS)}",
            hint="remove 'postsynaptic'",
        )
    return learning


def _needs(
    fields: Fields, traces: tuple[TraceSpec, ...], rule: LearningRule | None
) -> tuple[tuple[str, ...], bool]:
    """The third factors that are read, and whether the target's events are."""
    if fields.given("learning_rate"):
        # The burst rule reads the burst error that its target gathers.
        return ("y1",), False
    if rule is None:
        return (), False
    if any(trace.name in THIRD_FACTORS for trace in traces):
        return (), True
    read = variables(rule)
    return tuple(name for name in THIRD_FACTORS if name in read), "y0" in rule.conditions or "y0" in read


def _traces(fields: Fields, report: Report) -> tuple[tuple[TraceSpec, ...], bool]:
    """The traces, and whether all of them could be read."""
    if fields.given("trace") and fields.given("traces"):
        return (), False
    single, several = fields.get("trace", Fields), fields.get("traces", Items)
    listed = [] if single is None else [single]
    if several is not None:
        listed.extend(trace for _, trace, _ in several.of(Fields))
    traces: list[TraceSpec] = []
    given = fields.given("trace") or fields.given("traces")
    complete = (single is not None or several is not None or not given) and (
        several is None or several.complete
    )
    for trace in listed:
        name, tau, increment = trace.get("name", str), trace.number("tau"), trace.number("increment")
        if name is not None and any(name == other.name for other in traces):
            report.add(
                "BC143", trace.nodes["name"], f"trace '{name}' is defined twice", required="each trace once"
            )
        if name is None or tau is None or increment is None:
            complete = False
        else:
            traces.append(TraceSpec(name, tau, increment))
    return tuple(traces), complete
