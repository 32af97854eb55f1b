"""What a sample, or a step, would take of the chip that a program is for: an estimate."""

from __future__ import annotations

from pathlib import Path

from benchmarks.runner.result import Number
from burstchip.running.chip_cost import cost_of_run
from compiler.estimate.spans import Span
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

#: Samples, or steps without a task, that are run.
SAMPLES, STEPS = 10, 200


def chip_energy(code: ChipProgram, data_dir: Path | None) -> dict[str, Number]:
    """Energy and time of a sample or step on the chip; nothing where it has no chip, or is too large."""
    unit, steps, each = "step", STEPS, 1
    if code.task is not None:
        unit, each = "sample", code.task.present
        steps = SAMPLES * each
    folder = data_dir if code.task is not None and code.task.data == "mnist" else None
    try:
        found, _ = cost_of_run(code, steps, data_dir=folder)
    except BurstchipError:
        return {}
    method = f"{found.chip.title}, from {steps:,} steps; what is assumed: `burstchip cost`"

    def number(span: Span, unit_name: str, factor: float) -> Number:
        low, value, high = (each * factor * it for it in (span.low, span.value, span.high))
        return Number(value=value, unit=unit_name, source="estimated", method=method, low=low, high=high)

    return {
        f"chip_energy_a_{unit}": number(found.energy_total, "uJ", 1e-6),
        f"chip_time_a_{unit}": number(found.time, "us", 1e-3),
    }
