"""Times that have to be whole numbers of steps."""

from __future__ import annotations

from typing import Literal

from burstchip.frontend.report import Report
from burstchip.frontend.tree import Node
from compiler.steps import whole_steps


def check_whole_steps(
    time: float,
    step: float,
    at: Node,
    label: str,
    report: Report,
    severity: Literal["error", "warning"] = "error",
) -> None:
    """Report a time that is not a whole number of steps; as a warning where it will be rounded to one."""
    steps = whole_steps(time, step)
    # What is much shorter than a step, but not 0, is no step.
    if steps is not None and (steps or time == 0):
        return
    below = int(time / step) * step
    above = below + step
    # Zero steps are seldom what was meant.
    near = f"{below:.12g} ms or {above:.12g} ms" if below > 0 else f"{above:.12g} ms"
    report.add(
        "BC113",
        at,
        f"{label} is not a whole number of steps"
        + (" and is rounded to the nearest" if severity == "warning" else ""),
        required=f"a multiple of the step, {step:.12g} ms",
        hint=f"did you mean: {near}",
        severity=severity,
    )
