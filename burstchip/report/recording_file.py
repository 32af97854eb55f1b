"""The recordings of a run folder: events and bursts while a few samples are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from burstchip.files.netcdf import DAMAGED, read_netcdf
from burstchip.report.problems import damaged
from hw_models.diagnostics import BurstchipError


@dataclass(frozen=True)
class Recording:
    """Spikes over a few samples, each shown for `present_ms`; the teacher acts after `teach_after_ms`.

    `events` and `bursts` are [time, neuron] by population; a burst is an event of its own kind, so it is
    in `events` too. A population without dendrites has no entry in `bursts`. `answers` are the classes read
    out, -1 where a sample did not end; () where the recording has none.
    """

    time_ms: NDArray[np.float64]
    events: dict[str, NDArray[np.bool_]]
    bursts: dict[str, NDArray[np.bool_]]
    sample_start_ms: NDArray[np.float64]
    labels: tuple[int, ...]
    present_ms: float
    teach_after_ms: float
    answers: tuple[int, ...] = ()

    def first(self, samples: int) -> Recording:
        """The part in which the first `samples` samples are shown."""
        if len(self.labels) <= samples:
            return self
        steps = int(np.searchsorted(self.time_ms, self.sample_start_ms[samples]))
        return replace(
            self,
            time_ms=self.time_ms[:steps],
            events={name: spikes[:steps] for name, spikes in self.events.items()},
            bursts={name: spikes[:steps] for name, spikes in self.bursts.items()},
            sample_start_ms=self.sample_start_ms[:samples],
            labels=self.labels[:samples],
            answers=self.answers[:samples],
        )


def read_recording(path: Path) -> Recording:
    """The recording in the netCDF file `path`. Raises `BurstchipError` (BC544)."""
    try:
        recording = _recording(read_netcdf(path))
    except DAMAGED as error:
        given = f"{type(error).__name__}: {error}".splitlines()[0]
        raise BurstchipError(
            damaged("BC544", path, "a complete recording of events and bursts", given)
        ) from error
    return recording


def _recording(dataset: xr.Dataset) -> Recording:
    if "time" not in dataset.coords:
        raise ValueError("the steps have no times")
    time_ms = np.asarray(dataset["time"].values, dtype=np.float64)
    if len(time_ms) < 2 or not np.isfinite(time_ms).all() or (np.diff(time_ms) <= 0).any():
        raise ValueError("time is not an ascending series of at least two steps")
    spikes: dict[str, dict[str, NDArray[np.bool_]]] = {"events": {}, "bursts": {}}
    for name, values in dataset.data_vars.items():
        population, _, variable = str(name).rpartition(".")
        if variable in spikes:
            if values.ndim != 2 or values.dims[0] != "time" or values.shape[1] == 0:
                raise ValueError(f"'{name}' is {dict(values.sizes)} instead of [time, neuron]")
            spikes[variable][population] = np.asarray(values.values) != 0
    events, bursts = spikes["events"], spikes["bursts"]
    if not events:
        raise ValueError("no population's events were recorded")
    for population in bursts.keys() & events.keys():
        if bursts[population].shape != events[population].shape:
            raise ValueError(f"events and bursts of '{population}' are not of the same neurons")
    for name in ("sample_start", "sample_label"):
        if name not in dataset.coords:
            raise ValueError(f"the samples have no '{name}'")
    recording = Recording(
        time_ms=time_ms,
        events=events,
        bursts={name: values for name, values in bursts.items() if name in events},
        sample_start_ms=np.atleast_1d(np.asarray(dataset["sample_start"].values, dtype=np.float64)),
        labels=tuple(int(label) for label in np.atleast_1d(dataset["sample_label"].values)),
        present_ms=float(dataset.attrs["present_ms"]),
        teach_after_ms=float(dataset.attrs["teach_after_ms"]),
        answers=tuple(int(it) for it in np.atleast_1d(dataset["sample_readout"].values))
        if "sample_readout" in dataset.coords
        else (),
    )
    starts = recording.sample_start_ms
    if len(starts) == 0 or len(starts) != len(recording.labels) or not np.isfinite(starts).all():
        raise ValueError(f"{len(starts)} samples have {len(recording.labels)} labels")
    if (np.diff(starts) <= 0).any():
        raise ValueError("the samples do not begin one after the other")
    if recording.answers and len(recording.answers) != len(recording.labels):
        raise ValueError(f"{len(starts)} samples have {len(recording.answers)} answers")
    if not (0 < recording.present_ms < np.inf and 0 <= recording.teach_after_ms < np.inf):
        raise ValueError("a sample's time or the teacher's is out of range")
    return recording
