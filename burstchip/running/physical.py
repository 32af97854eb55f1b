"""Variables in the user's units: what an integer stands for, where the compiler knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.variables import Selection, Variable, is_projection
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC636": "no recorded variable has a known unit"})


@dataclass(frozen=True)
class Scale:
    """A value is `origin + per_unit * integer`, in `unit` ("" for a fraction); `origin` one or [neuron]."""

    unit: str
    per_unit: float
    origin: float | NDArray[np.float64]


def scale_of(code: ChipProgram, variable: Variable) -> Scale | None:
    """What the integers of a variable stand for; None where nothing is known of them."""
    population, name = variable
    if is_projection(code, population):
        return None
    known = code.population(population).units.get(name)
    if known is None:
        return None
    return Scale(known[1], known[0], code.population(population).origins.get(name, 0.0))


def in_units(code: ChipProgram, selection: Selection, values: NDArray[Any]) -> NDArray[np.float64]:
    """The values [step, chosen neuron] of a variable whose scale is known, in its unit."""
    scale = scale_of(code, selection.variable)
    assert scale is not None, f"{selection.text} has no unit"
    origin = scale.origin if np.ndim(scale.origin) == 0 else np.asarray(scale.origin)[selection.neurons]
    return np.asarray(origin + scale.per_unit * values, dtype=np.float64)


def require_scales(code: ChipProgram, selections: Sequence[Selection]) -> tuple[Selection, ...]:
    """The selections whose unit is known. Raises `BurstchipError` (BC636) where there are none."""
    found = tuple(it for it in selections if scale_of(code, it.variable) is not None)
    if not found:
        known = [f"{p.name}.{name}" for p in code.populations for name in p.units]
        raise BurstchipError(
            Diagnostic(
                "BC636",
                "no recorded variable has a known unit",
                required=f"one of {', '.join(known)}"
                if known
                else "a network with a neuron model of known units",
                given=", ".join(it.text for it in selections),
            )
        )
    return found
