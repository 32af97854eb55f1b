"""How often each neuron sent a message in a recorded run: what a placement weights connections with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.files.netcdf import DAMAGED, read_netcdf
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC390": "a recording that does not say how often neurons send"})

_EVENTS = "events"


def read_event_counts(path: Path, code: ChipProgram) -> dict[str, NDArray[np.int64]]:
    """The number of events of each neuron, of every population of a program whose events are recorded.

    Raises `BurstchipError` BC390 where the file is not a recording, records no events of this program, or of
    only some neurons of a population.
    """
    try:
        dataset = read_netcdf(path)
    except DAMAGED as reason:
        raise _unusable(path, f"{type(reason).__name__}: {reason}".splitlines()[0]) from None
    found = {}
    for population in code.populations:
        name = f"{population.name}.{_EVENTS}"
        if name not in dataset.data_vars:
            continue
        values = dataset[name]
        if values.ndim != 2 or values.dims[0] != "time" or values.shape[1] != population.size:
            raise _unusable(path, f"'{name}' is {dict(values.sizes)}, of {population.size} neurons")
        found[population.name] = np.count_nonzero(np.asarray(values.values), axis=0).astype(np.int64)
    if not found:
        raise _unusable(path, f"no events of {', '.join(p.name for p in code.populations)}")
    return found


def _unusable(path: Path, given: str) -> BurstchipError:
    return BurstchipError(
        Diagnostic(
            "BC390",
            f"recording '{path}' does not say how often neurons send",
            required="events of all neurons of one population or more, as `burstchip run` records them",
            given=given,
            hint="record NAME.events in a run of this artifact",
        )
    )
