"""What a projection asks of its weights before they are integers: a sign that they keep, and a limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from compiler.ir.elaborated import Synapses
from compiler.ir.network import Projection
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC343": "weights of another sign than their sign mode"})

Form = Literal["static", "chip", "carry"]
SignMode = Literal["MIXED", "EXCITATORY", "INHIBITORY"]


def _sign(values: NDArray[np.float64]) -> SignMode:
    if values.size == 0 or np.min(values) >= 0:
        return "EXCITATORY"
    return "INHIBITORY" if np.max(values) <= 0 else "MIXED"


def sign_mode(projection: Projection, form: Form, extremes: NDArray[np.float64]) -> SignMode:
    """The sign mode that is asked for; else weights that learn may have both signs, others what they have."""
    asked: Mapping[str, SignMode] = {"mixed": "MIXED", "excitatory": "EXCITATORY", "inhibitory": "INHIBITORY"}
    if projection.sign_mode is not None:
        return asked[projection.sign_mode]
    return _sign(extremes) if form == "static" else "MIXED"


def check_signs(projection: Projection, exact: NDArray[np.float64]) -> None:
    """Raise BC343 where weights are not of the sign that is asked for."""
    if projection.sign_mode in (None, "mixed"):
        return
    wrong = exact < 0 if projection.sign_mode == "excitatory" else exact > 0
    if np.any(wrong):
        raise BurstchipError(
            Diagnostic(
                "BC343",
                f"{np.count_nonzero(wrong)} of {exact.size} weights of '{projection.name}' have another sign",
                projection.places.get("weight", projection.places.get("connectivity", projection.place)),
                required="weights of at least 0"
                if projection.sign_mode == "excitatory"
                else "weights of at most 0",
                given=f"from {float(exact.min()):g} to {float(exact.max()):g}",
                hint=f"other weights, or another sign_mode than {projection.sign_mode}",
            )
        )


def within_limit(synapses: Synapses, exact: NDArray[np.float64]) -> tuple[NDArray[np.bool_], Synapses]:
    """Which weights exceed the limit, and the synapses with these clipped to it, wherever they came from."""
    limit = synapses.projection.limit
    if limit is None:
        return np.zeros(exact.shape, dtype=bool), synapses
    # What is written is decimal: a limit and a weight of one text may differ in the last bit.
    beyond = np.abs(exact) > limit * (1 + 1e-9)
    if not np.any(beyond):
        return beyond, synapses
    return beyond, replace(synapses, quantiles=None, draws=None, weights=np.clip(exact, -limit, limit))
