"""Weights, delays and values of neurons: one value or a distribution, with the dimension that is needed."""

from __future__ import annotations

from burstchip.frontend.fields import Amount, Fields, Items
from burstchip.frontend.report import Report
from burstchip.frontend.scalars import has_dimension
from burstchip.frontend.times import check_whole_steps
from burstchip.frontend.tree import Node
from compiler.ir.values import Constant, Distribution, Normal, Uniform
from hw_models.neurons.model import Dimension


def read_weights(
    written: object, dimension: Dimension | None, label: str, report: Report
) -> Distribution | None:
    """The initial weights, of what was read under `weight`; None where they are not given or not right."""
    amounts = _amounts(written)
    if amounts is None:
        return None
    if dimension is not None:
        # Every value is looked at, not only those up to the first that is wrong.
        right = [has_dimension(amount, dimension, label, report) for amount in amounts]
        if not all(right):
            return None
    found: Distribution
    if isinstance(written, Amount):
        found = Constant(written.value)
    elif isinstance(written, Fields) and written.given("uniform"):
        found = _uniform(amounts, written.nodes["uniform"], label, report)
    else:
        mean, sd = amounts
        if sd.value < 0:
            report.add("BC103", sd.node, f"{label}: a standard deviation below 0", required="0 or more")
        found = Normal(mean.value, sd.value)
    return found


def read_delay(written: object, step: float | None, label: str, report: Report) -> Distribution | None:
    """The delays in ms; None where they are not given or not right."""
    amounts = _amounts(written)
    if amounts is None:
        return None
    for amount in amounts:
        check_delay(amount, step, label, report)
    if isinstance(written, Fields):
        return _uniform(amounts, written.nodes["uniform"], label, report)
    return Constant(amounts[0].value)


def check_delay(amount: Amount, step: float | None, label: str, report: Report) -> None:
    """Report a delay that is shorter than a step, or rounded to whole steps."""
    if step is None:
        return
    if amount.value < step * (1 - 1e-9):
        report.add(
            "BC135",
            amount.node,
            f"{label} is shorter than a step",
            required=f"at least {step:.12g} ms, one step",
        )
    else:
        check_whole_steps(amount.value, step, amount.node, label, report, "warning")


def read_drawn(written: Fields, label: str, report: Report) -> Uniform | Normal | None:
    """What the values of neurons are drawn from; None where it is not right."""
    amounts = _amounts(written)
    if amounts is None:
        return None
    if written.given("uniform"):
        return _uniform(amounts, written.nodes["uniform"], label, report)
    return Normal(*(amount.value for amount in amounts))


def _amounts(written: object) -> list[Amount] | None:
    """All amounts of a distribution, or None if one is missing."""
    if isinstance(written, Amount):
        return [written]
    if not isinstance(written, Fields):
        return None
    uniform, normal = written.get("uniform", Items), written.get("normal", Fields)
    if uniform is not None:
        return [amount for _, amount, _ in uniform.of(Amount)] if uniform.complete else None
    if normal is not None:
        mean, sd = normal.get("mean", Amount), normal.get("sd", Amount)
        return None if mean is None or sd is None else [mean, sd]
    return None


def _uniform(amounts: list[Amount], at: Node, label: str, report: Report) -> Uniform:
    low, high = amounts
    if low.value > high.value:
        report.add(
            "BC136",
            at,
            f"{label}: the interval ends before it begins",
            required="[low, high] with low <= high",
            given=f"[{low.node.text}, {high.node.text}]",
            hint=f"did you mean: [{high.node.text}, {low.node.text}]",
        )
    return Uniform(low.value, high.value)
