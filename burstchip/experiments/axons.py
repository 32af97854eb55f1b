"""The delay of an axon, in whole steps, where short-term plasticity may stand in its way."""

from __future__ import annotations

from collections.abc import Mapping

from hw_models.neurons.quantities import nearest_steps

#: From a spike to what it does in the authors' simulations, in ms.
AXON_MS = 0.9


def axon_settings(step_ms: float) -> Mapping[str, str]:
    """Parameters of a network: one step to the synapse's plasticity, at least one from there, and both."""
    whole = max(int(nearest_steps(AXON_MS, step_ms)), 2)
    return {
        "release": f"{step_ms:.12g} ms",
        "axon": f"{(whole - 1) * step_ms:.12g} ms",
        "whole_axon": f"{whole * step_ms:.12g} ms",
    }
