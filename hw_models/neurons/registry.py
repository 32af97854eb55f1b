"""The registered neuron models: those of this package and those of the entry-point group `burstchip.neurons`.

A package registers a model by an entry point whose name is the model's and whose object is a `NeuronModel`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points

from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.neurons.burst_unit import BURST_UNIT
from hw_models.neurons.lif import LIF
from hw_models.neurons.model import NeuronModel
from hw_models.neurons.sources import CURRENT_SOURCE, POISSON_SOURCE, RATE_SOURCE, SPIKE_LIST

ENTRY_POINT_GROUP = "burstchip.neurons"

register_codes({"BC190": "a package registers a neuron model that cannot be used"})


@lru_cache(maxsize=1)
def models() -> Mapping[str, NeuronModel]:
    """All models by name.

    Raises `BurstchipError` BC190 where a package registers something else or a name that is taken.
    """
    found = {m.name: m for m in (LIF, BURST_UNIT, RATE_SOURCE, POISSON_SOURCE, SPIKE_LIST, CURRENT_SOURCE)}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        model = entry.load()
        if not isinstance(model, NeuronModel) or model.name != entry.name or model.name in found:
            raise BurstchipError(
                Diagnostic(
                    "BC190",
                    f"entry point '{entry.name}' of group {ENTRY_POINT_GROUP} cannot be used",
                    required="a NeuronModel of the same, not yet taken, name",
                    given=entry.value,
                    hint="mend or uninstall the package that registers it",
                )
            )
        found[model.name] = model
    return found
