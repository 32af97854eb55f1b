"""A program that starts with other weights than those drawn for it: learned ones, with a report of their own.

What learning leaves is finer than what a program can start with: in the chip form any integer, where a first
step takes even ones, and real numbers on `reference`. So `requested` holds what was learned, exactly, and
`weights` the nearest that the program holds. Tags of the carry form are part of its weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import ChipProgram, Learned, ProjectionCode, QuantisationLine
from compiler.ir.verify import verify_chip_program
from compiler.passes.effects import effects
from compiler.passes.quantize_weights import mantissa
from hw_models.diagnostics import Diagnostic

#: Learning uses all bits of a weight, however many it was drawn with.
_BITS = 8
#: What the report says of weights, beside what their events do.
_WEIGHT_LINES = ("least weight", "greatest weight", "rms weight")
#: Messages about the weights of one projection.
_WEIGHT_MESSAGES = ("BC311", "BC318", "BC319")


def learned_projection(projection: ProjectionCode, stored: NDArray[Any]) -> tuple[ProjectionCode, int]:
    """A plastic projection with learned weights, as learning stores them; how many of these were rounded.

    `stored` is shaped like `weights`, integers or real numbers in the same unit.
    """
    assert projection.learning is not None and stored.shape == projection.weights.shape
    allowed = mantissa(projection.learning.form, "MIXED", _BITS)
    nearest = np.rint(stored / allowed.step) * allowed.step
    integers = np.clip(nearest, allowed.low, allowed.high // allowed.step * allowed.step).astype(np.int16)
    learned = replace(
        projection,
        weights=integers,
        requested=np.asarray(stored * projection.unit, dtype=np.float64),
        num_weight_bits=_BITS,
    )
    return learned, int(np.count_nonzero(integers != stored))


def with_weights(
    code: ChipProgram, projections: Mapping[str, ProjectionCode], learned: Learned
) -> ChipProgram:
    """The program with these projections, by name; report and warnings about their weights are made again."""
    kept = tuple(projections.get(projection.name, projection) for projection in code.projections)
    new = effects(replace(code, projections=kept, quantisation=(), diagnostics=()))
    lines = [line for line in code.quantisation if not (line.where in projections and _of_weights(line))]
    for name, projection in projections.items():
        lines += _lines(projection)
        lines += [line for line in new.quantisation if line.where == name]
    messages = [it for it in code.diagnostics if not _about(it, projections)]
    messages += [it for it in new.diagnostics if _about(it, projections)]
    result = replace(new, quantisation=tuple(lines), diagnostics=tuple(messages), learned=learned)
    verify_chip_program(result)
    return result


def _of_weights(line: QuantisationLine) -> bool:
    name = line.parameter
    return name in _WEIGHT_LINES or name.startswith("one event") or name.endswith("events at once")


def _about(message: Diagnostic, projections: Mapping[str, ProjectionCode]) -> bool:
    return message.id in _WEIGHT_MESSAGES and any(f"'{name}'" in message.message for name in projections)


def _lines(projection: ProjectionCode) -> Iterator[QuantisationLine]:
    """What was learned, and what the integers hold of it."""
    if not projection.weights.size:
        return
    exact, held = projection.exact, projection.weights * projection.unit
    unit = f"one unit = {projection.unit:.4g} {projection.weight_unit}".rstrip()
    # An exact sum: the order in which numpy adds differs between processors.
    rms = [float(np.sqrt(_mean(values * values))) for values in (exact, held, held - exact)]
    share = 100 * rms[2] / rms[0] if rms[0] else 0.0
    most, greatest = (float(np.max(np.abs(values))) for values in (exact, held))
    name, of = projection.name, projection.weight_unit
    text = f"from a training, weight_exp = {projection.weight_exp}, {unit}"
    yield QuantisationLine(name, "greatest weight", of, most, greatest, text)
    yield QuantisationLine(name, "rms weight", of, rms[0], rms[1], f"rms rounding {share:.3g} %")


def _mean(values: NDArray[np.float64]) -> float:
    return math.fsum(values.flat) / values.size
