"""What every backend has at the end of a step: the state that runs on different targets are compared by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.running.run import Run


def readable_state(run: Run) -> dict[str, NDArray[Any]]:
    """The states of all neurons and the weights of all synapses, by `population.variable` and `projection.w`.

    Integers have 64 bits, whatever the backend holds them in, so that equal values have equal hashes.
    """
    code = run.code
    places = [(it.name, name) for it in code.populations for name in it.program.states]
    places += [(it.name, "w") for it in code.projections]
    return {".".join(place): _wide(run.read(*place)) for place in places}


def _wide(values: NDArray[Any]) -> NDArray[Any]:
    array = np.asarray(values).ravel()
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
