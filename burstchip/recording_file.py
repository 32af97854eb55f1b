"""A recording as a labelled data set, and as a netCDF file that any reader of HDF5 opens."""

from __future__ import annotations

import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burstchip.recording import Recording
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

if TYPE_CHECKING:
    import xarray

register_codes({"BC512": "a recording cannot be written"})


def to_dataset(recording: Recording, artifact_sha256: str | None = None) -> xarray.Dataset:
    """The recording with its labels.

    Each variable is called `population.variable` and has the dimensions `time` (ms, the start of each step)
    and `<population>_neuron`. Its attribute `units` is what 1 stands for, as a number and a unit such as
    `0.00244140625 mV` (voltages count from rest), `1` for events, or `chip units` where nothing more is
    known; for voltages `mV_per_unit` is that number. A program with a task adds, by `sample`, when each
    training sample began, its index in the data set, its label and the class read out (-1: the run ended
    before).
    """
    import xarray

    code = recording.code
    variables = {
        f"{population}.{variable}": (
            ("time", f"{population}_neuron"),
            _stored(recording, population, variable, values),
            _attributes(recording, population, variable),
        )
        for (population, variable), values in recording.values.items()
    }
    coordinates: dict[str, Any] = {
        "time": ("time", np.arange(recording.steps) * code.step_ms, {"units": "ms", "long_name": "time"})
    }
    for population in dict.fromkeys(name for name, _ in recording.values):
        size = code.population(population).size
        coordinates[f"{population}_neuron"] = (
            f"{population}_neuron",
            np.arange(size, dtype=np.int32),
            {"long_name": f"neuron of population {population}"},
        )
    attributes = {
        "network": code.name,
        "seed": code.seed,
        "step_ms": code.step_ms,
        "target": code.target,
        "weight_form": code.weight_form,
        "backend": recording.backend,
        "populations": [population.name for population in code.populations],
        "burstchip_version": _version(),
    }
    if artifact_sha256 is not None:
        attributes["artifact_sha256"] = artifact_sha256
    if recording.samples is not None and code.task is not None:
        present_ms = code.task.present * code.step_ms
        starts = np.arange(len(recording.samples.index)) * present_ms
        coordinates["sample_start"] = ("sample", starts, {"units": "ms", "long_name": "start of the sample"})
        coordinates["sample_index"] = ("sample", recording.samples.index, {"long_name": "index in the data"})
        coordinates["sample_label"] = ("sample", recording.samples.label, {"long_name": "class"})
        coordinates["sample_readout"] = (
            "sample",
            recording.samples.readout,
            {"long_name": "class read out, -1 where the run ended before"},
        )
        attributes |= {
            "task": code.task.data,
            "present_ms": present_ms,
            "teach_after_ms": code.task.teach_after * code.step_ms,
        }
    return xarray.Dataset(variables, coords=coordinates, attrs=attributes)


def _is_flag(recording: Recording, population: str, variable: str) -> bool:
    """Whether the variable is 0 or 1, as events are."""
    program = recording.code.population(population).program
    width = program.states[variable] if variable in program.states else program.outputs[variable]
    return (width.low, width.high) == (0, 1)


def _stored(recording: Recording, population: str, variable: str, values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.int8) if _is_flag(recording, population, variable) else values


def _attributes(recording: Recording, population: str, variable: str) -> dict[str, Any]:
    units: dict[str, Any] = {"units": "1" if _is_flag(recording, population, variable) else "chip units"}
    known = recording.code.population(population).units.get(variable)
    if known is not None:
        value, unit = known
        units["units"] = f"{value!r} {unit}".rstrip()
        if unit == "mV":
            units["mV_per_unit"] = value
    return {"population": population, "long_name": f"{variable} of population {population}", **units}


def _version() -> str:
    try:
        return version("burstchip")
    except PackageNotFoundError:
        return "not installed"


def save_recording(dataset: xarray.Dataset, path: Path) -> None:
    """Write `dataset` as netCDF-4, whole or not at all. Raises `BurstchipError` (BC512)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target, since a rename is atomic within one file system only.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            part = Path(folder) / "recording.nc"
            packed = {name: {"zlib": True, "complevel": 1} for name in dataset.data_vars}
            dataset.to_netcdf(part, engine="h5netcdf", encoding=packed)
            part.replace(path)
    # HDF5 reports a full disk by whichever of them its layers come to.
    except (OSError, RuntimeError) as reason:
        raise BurstchipError(
            Diagnostic(
                "BC512",
                f"recording '{path}' cannot be written",
                required="a folder that can be written to, with room",
                given=getattr(reason, "strerror", None) or str(reason).splitlines()[0],
                hint="nothing was written",
            )
        ) from None
