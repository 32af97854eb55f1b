"""What a recording of `burstchip run` holds, as its page shows it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from burstchip.files.netcdf import DAMAGED, read_netcdf
from burstchip.files.rows import LARGEST
from burstchip.frontend.language_synapses import LARGEST_POPULATION
from burstchip.report.problems import not_a_recording
from hw_models.diagnostics import BurstchipError

Reals = NDArray[np.float64]

#: How the names of the potentials of a neuron's two compartments end, which count from rest.
POTENTIALS = (".v", ".d")


@dataclass(frozen=True)
class Spikes:
    """Times in ms and numbers of the neurons that emit.

    `recorded` are all numbers in rising order, of a list those that are known; `size` is how many there are.
    `share` is how much of the run's time the spikes are from: of a list all of it.
    """

    times: Reals
    neurons: NDArray[np.int64]
    recorded: NDArray[np.int64]
    size: int
    share: float = 1.0


@dataclass(frozen=True)
class Values:
    """A variable [time, index] in a unit, "" for a plain number; `numbers` of its neurons or synapses."""

    name: str
    unit: str
    values: Reals
    numbers: NDArray[np.int64]


@dataclass(frozen=True)
class Watched:
    """A recording: the time of each kept step, spikes by population, and the other variables.

    `share` is how much of the run's time the kept steps are.
    """

    network: str
    backend: str
    step_ms: float
    times: Reals
    events: dict[str, Spikes]
    bursts: dict[str, Spikes]
    states: dict[str, Values]
    weights: dict[str, Values]
    share: float

    @property
    def lasts_ms(self) -> float:
        """From the first step to the end of the last."""
        return float(self.times[-1] - self.times[0]) + self.step_ms / self.share


def read_watched(path: Path) -> Watched:
    """The recording in a netCDF file. Raises `BurstchipError` BC547 for a file that is none."""
    try:
        return _watched(read_netcdf(path))
    except DAMAGED as error:
        given = f"{type(error).__name__}: {error}".splitlines()[0]
        raise BurstchipError(not_a_recording(path, given)) from error


def _watched(dataset: xr.Dataset) -> Watched:
    step_ms = float(dataset.attrs["step_ms"])
    times = np.asarray(dataset["time"].values, dtype=np.float64)
    if times.ndim != 1 or not times.size or not step_ms > 0 or not np.isfinite(times).all():
        raise ValueError("no time")
    every = max(float(times[1] - times[0]) / step_ms, 1.0) if times.size > 1 else 1.0
    spikes: dict[str, dict[str, Spikes]] = {"events": {}, "bursts": {}}
    states: dict[str, Values] = {}
    weights: dict[str, Values] = {}
    for name, variable in dataset.data_vars.items():
        place, _, what = str(name).partition(".")
        if what in spikes and variable.dtype.kind in "iu" and variable.ndim == 2:
            spikes[what][place] = _dense(variable, times, _numbers(dataset, variable), 1 / every)
        elif what.endswith(".time") and what.removesuffix(".time") in spikes:
            kind = what.removesuffix(".time")
            neurons = np.asarray(dataset[f"{place}.{kind}.neuron"].values, dtype=np.int64)
            found = np.asarray(variable.values, dtype=np.float64)
            if neurons.shape != found.shape or neurons.ndim != 1:
                raise ValueError(f"events of {place} without neurons")
            if neurons.size and not 0 <= neurons.min() <= neurons.max() < LARGEST_POPULATION:
                raise ValueError(f"events of neurons of {place} that cannot exist")
            known = np.arange(int(neurons.max(initial=0)) + 1)
            spikes[kind][place] = Spikes(
                found, neurons, known, int(variable.attrs.get("neurons", known.size))
            )
        elif what.endswith(".physical") or variable.ndim != 2 or variable.dtype.kind not in "iuf":
            continue
        elif variable.shape[0] == times.size:
            kept = weights if what == "w" and "projection" in variable.attrs else states
            kept[str(name)] = _values(dataset, str(name), variable)
    return Watched(
        str(dataset.attrs["network"]),
        str(dataset.attrs["backend"]),
        step_ms,
        times,
        spikes["events"],
        spikes["bursts"],
        states,
        weights,
        1.0 / every,
    )


def _numbers(dataset: xr.Dataset, variable: xr.DataArray) -> NDArray[np.int64]:
    return np.asarray(dataset[variable.dims[1]].values, dtype=np.int64)


def _dense(variable: xr.DataArray, times: Reals, numbers: NDArray[np.int64], share: float) -> Spikes:
    steps, places = np.nonzero(variable.values)
    return Spikes(times[steps], numbers[places], numbers, numbers.size, share)


def _values(dataset: xr.Dataset, name: str, variable: xr.DataArray) -> Values:
    """In physical units where the file has them, else by what 1 stands for, else as they are."""
    numbers = _numbers(dataset, variable)
    physical = dataset.get(f"{name}.physical")
    if physical is not None:
        unit = str(physical.attrs["units"])
        return Values(name, unit, _finite(name, np.asarray(physical.values, dtype=np.float64)), numbers)
    unit, scale = str(variable.attrs.get("units", "")), 1.0
    first, _, rest = unit.partition(" ")
    with suppress(ValueError):
        scale, unit = float(first), rest
    if unit == "mV" and name.endswith(POTENTIALS):
        unit = "mV from rest"
    if not abs(scale) <= LARGEST:
        raise ValueError(f"'{name}' counts in a unit of {scale}")
    return Values(name, unit, _finite(name, np.asarray(variable.values * scale, dtype=np.float64)), numbers)


def _finite(name: str, values: Reals) -> Reals:
    if not np.all(np.abs(values) <= LARGEST**2):
        raise ValueError(f"'{name}' has values that are not finite, or too large")
    return values
