"""The registered neuron models: those of this package and those of the entry-point group `burstchip.neurons`.

A package registers a model by an entry point whose name is the model's and whose object is a `NeuronModel`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from hw_models.diagnostics import BurstchipError, Diagnostic
from hw_models.neurons.adex import ADEX, ADEX_PV, ADEX_SOM
from hw_models.neurons.burst_detector import BURST_DETECTOR, BURST_TRACE_DETECTOR
from hw_models.neurons.burst_poisson import BURST_POISSON
from hw_models.neurons.burst_unit import BURST_UNIT
from hw_models.neurons.lif import LIF, LIF_REFRACTORY
from hw_models.neurons.lif_modulated import LIF_MODULATED
from hw_models.neurons.lif_reset import LIF_RESET
from hw_models.neurons.model import NeuronModel
from hw_models.neurons.pyramidal import PYRAMIDAL
from hw_models.neurons.sources import (
    CURRENT_SOURCE,
    MESSAGE_LIST,
    POISSON_NOISE,
    POISSON_SOURCE,
    RATE_SOURCE,
    SPIKE_LIST,
)
from hw_models.neurons.ternary_lif import TERNARY_LIF
from hw_models.neurons.verify import ModelError, verify_model
from hw_models.synapses.short_term import DEPRESSING, FACILITATING

ENTRY_POINT_GROUP = "burstchip.neurons"

OWN = (
    LIF,
    LIF_REFRACTORY,
    LIF_RESET,
    TERNARY_LIF,
    LIF_MODULATED,
    BURST_UNIT,
    BURST_DETECTOR,
    BURST_TRACE_DETECTOR,
    PYRAMIDAL,
    BURST_POISSON,
    ADEX,
    ADEX_PV,
    ADEX_SOM,
    DEPRESSING,
    FACILITATING,
    RATE_SOURCE,
    POISSON_SOURCE,
    POISSON_NOISE,
    SPIKE_LIST,
    MESSAGE_LIST,
    CURRENT_SOURCE,
)


@lru_cache(maxsize=1)
def models() -> Mapping[str, NeuronModel]:
    """All models by name.

    Raises `BurstchipError` BC190 where a package registers something else or a name that is taken.
    """
    found = {m.name: m for m in OWN}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        try:
            model = entry.load()
        except Exception as reason:  # another package's code: whatever goes wrong there is its fault
            raise _unusable(
                entry, f"{entry.value}, which fails with {type(reason).__name__}: {reason}"
            ) from reason
        if not isinstance(model, NeuronModel):
            raise _unusable(entry, f"{entry.value}, a {type(model).__name__}")
        if model.name != entry.name:
            raise _unusable(entry, f"{entry.value}, a model with the name '{model.name}'")
        if model.name in found:
            raise _unusable(entry, f"{entry.value}, a model with the name of another one")
        try:
            verify_model(model)
        except ModelError as reason:
            raise _unusable(
                entry, f"{entry.value}: {reason}", "a whole program, and numbers for all of it"
            ) from None
        found[model.name] = model
    return found


def _unusable(
    entry: EntryPoint,
    given: str,
    required: str = "a NeuronModel with the name of the entry point, which no other model has",
) -> BurstchipError:
    return BurstchipError(
        Diagnostic(
            "BC190",
            f"entry point '{entry.name}' of group {ENTRY_POINT_GROUP} cannot be used",
            required=required,
            given=given,
            hint="fix or uninstall the package that registers it",
        )
    )
