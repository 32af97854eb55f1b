"""The text of a learning rule: mistakes at their places, and what the rule reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from burstchip.frontend.addresses import part
from burstchip.frontend.fields import Fields
from burstchip.frontend.report import Report
from burstchip.frontend.tree import Node, Scalar, with_origin
from compiler.ir.network import TraceSpec
from hw_models.diagnostics import BurstchipError, Diagnostic, Place
from hw_models.plasticity.grammar import learning_rule, parse_rule
from hw_models.plasticity.rule import TARGETS, LearningRule

#: What a rule may read of the target: traces of its spikes, or factors that it sends.
THIRD_FACTORS = ("y1", "y2", "y3")


def read_rules(fields: Fields, traces: tuple[TraceSpec, ...] | None, report: Report) -> LearningRule | None:
    """The rule that the texts under dw, dt and dd make; None where there is none or one of them is wrong.

    With `traces`, those that the rule reads without their being defined are reported; those that it does not
    read are warned of.
    """
    texts = {target: text for target in TARGETS if (text := fields.get(target, str)) is not None}
    if not texts or fields.lost(*TARGETS):
        return None
    places: dict[str, Place] = {}
    for target in texts:
        place = _start(fields.nodes[target], report)
        if place is not None:
            places[target] = place
    # One by one first: a message without a place then belongs to the text that was read.
    wrong = False
    for target, text in texts.items():
        try:
            parse_rule(target, text, places.get(target))
        except BurstchipError as error:
            wrong = True
            _report(error.diagnostics, fields.nodes[target], report)
    if wrong:
        return None
    try:
        rule = learning_rule(texts.get("dw"), texts.get("dt"), texts.get("dd"), places=places)
    except BurstchipError as error:
        _report(error.diagnostics, fields.nodes[next(iter(texts))], report)
        return None
    if traces is not None:
        _check_traces(fields, rule, traces, report)
    return rule


def variables(rule: LearningRule) -> Mapping[str, str]:
    """What the rule reads, and under which key it does so first."""
    found: dict[str, str] = {}
    for target in TARGETS:
        products = getattr(rule, target)
        for product in products.products if products is not None else ():
            for factor in product.factors:
                found.setdefault(factor.variable, target)
    return found


def _start(node: Node, report: Report) -> Place | None:
    """Where the text begins, if a position in it is a position in the file."""
    if not isinstance(node, Scalar) or node.origin is not None or node.span.length != len(node.text):
        return None
    return report.place(node)


def _report(messages: tuple[Diagnostic, ...], at: Node, report: Report) -> None:
    for message in messages:
        if message.place is None:
            given = None if message.given is None else with_origin(message.given, at)
            message = replace(message, place=report.place(at), given=given)
        report.append(message)


def _check_traces(fields: Fields, rule: LearningRule, traces: tuple[TraceSpec, ...], report: Report) -> None:
    read = variables(rule)
    defined = {trace.name for trace in traces}
    # Without a trace of the target, y1 to y3 are third factors that the target sends.
    of_target = THIRD_FACTORS if defined & set(THIRD_FACTORS) else ()
    for name in ("x1", "x2", *of_target):
        if name in read and name not in defined:
            text = fields.nodes[read[name]]
            assert isinstance(text, Scalar)
            report.add(
                "BC143",
                part(text, text.text.find(name), len(name)),
                f"{fields.name_of(read[name])} reads the trace {name}, which is not defined",
                required=f"a trace {name} beside it",
            )
        elif name in defined and name not in read:
            key = "traces" if fields.given("traces") else "trace"
            report.add(
                "BC144",
                fields.nodes[key],
                f"no rule of {fields.label} reads the trace {name}, which has no effect",
                severity="warning",
                required=f"{name} in one of {', '.join(TARGETS)}",
                given=name,
                hint="remove the trace",
            )
