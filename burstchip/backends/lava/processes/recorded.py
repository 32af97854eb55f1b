"""Stock models that also write down their Vars: undecorated subclasses which leave every phase as it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from burstchip.backends.lava.recorder import COUNTED, COUNTS, Recorder

#: What a model of each kind shows after a phase.
Values = Callable[[Any, Recorder], dict[str, Any]]


def neuron_values(model: Any, recorder: Recorder) -> dict[str, Any]:
    """States and events of a stock LIF, and its counts: it has no bursts and clips no sums."""
    # A stock model has no attribute of ours until it is first seen.
    counts = getattr(model, "counts", None)
    if counts is None:
        counts = model.counts = np.zeros(len(COUNTED), dtype=np.int64)
    counts[0] += np.count_nonzero(model.s_out_buff)
    return {"u": model.u, "v": model.v, "events": model.s_out_buff, COUNTS: counts}


def static_values(model: Any, recorder: Recorder) -> dict[str, Any]:
    """The weights of a connection without learning, as Lava clipped and truncated them."""
    return {"w": recorder.synapses(model.weights)}


def learning_values(model: Any, recorder: Recorder) -> dict[str, Any]:
    """Weights, tags, delays, stored traces and noted places of a LearningDense."""
    values = {
        "w": recorder.synapses(model.weights),
        "t": recorder.synapses(model.tag_1),
        "d": recorder.synapses(model.tag_2),
    }
    return {**values, **{name: getattr(model, name) for name in ("x1", "x2", "tx", "y1", "y2", "y3", "ty")}}


@cache
def recorded(stock: type, values: Values, learns: bool = False) -> type:
    """The model `stock`, writing `values` into `proc_params["recorder"]` after SPK and after LRN."""

    def write(self: Any) -> None:
        recorder: Recorder = self.proc_params["recorder"]
        recorder.write(self.time_step, values(self, recorder))

    def run_spk(self: Any) -> None:
        stock.run_spk(self)  # type: ignore[attr-defined]
        write(self)

    def run_lrn(self: Any) -> None:
        stock.run_lrn(self)  # type: ignore[attr-defined]
        write(self)

    phases = {"run_spk": run_spk, "run_lrn": run_lrn} if learns else {"run_spk": run_spk}
    return type(f"Recorded{stock.__name__}", (stock,), {"__doc__": stock.__doc__, **phases})
