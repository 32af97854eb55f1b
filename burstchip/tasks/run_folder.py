"""What a training writes into its folder, for the report and for later use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.sim.memory import forward_weights
from burstchip.backends.sim.simulator import Pictures, Simulation, show, start
from compiler.artifact import write_whole
from compiler.ir.chip_program import ChipProgram

#: How many test samples are recorded before and after learning.
RECORDED_SAMPLES = 5


def write_json(path: Path, value: object) -> None:
    """Write JSON, whole or not at all."""
    write_whole(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())


def physical_weights(code: ChipProgram, simulation: Simulation) -> dict[str, NDArray[Any]]:
    """The weights that events see, in physical units: (post, pre) by the name of a dense projection.

    A sparse one has one value a synapse, and the ends of each under `pre:NAME` and `post:NAME`.
    """
    weights: dict[str, NDArray[Any]] = {}
    for index, projection in enumerate(code.projections):
        stored = simulation.arrays[f"w_{index}"]
        unit = projection.unit
        if projection.learning is not None and projection.learning.form == "carry":
            stored = forward_weights(projection, stored)
            unit *= 256
        physical = stored.T.astype(np.float64) * unit
        weights[projection.name] = np.ascontiguousarray(physical)
        if not projection.dense:
            weights[f"pre:{projection.name}"] = projection.pre
            weights[f"post:{projection.name}"] = projection.post
    return weights


def write_weights(path: Path, code: ChipProgram, simulation: Simulation) -> None:
    """Physical weights of every projection as safetensors, units and sizes of sparse ones in the metadata."""
    from safetensors.numpy import save

    metadata = {f"unit:{projection.name}": projection.weight_unit for projection in code.projections}
    sizes = {population.name: population.size for population in code.populations}
    for projection in code.projections:
        if not projection.dense:
            shape = [sizes[projection.target], sizes[projection.source]]
            metadata[f"shape:{projection.name}"] = json.dumps(shape)
    write_whole(path, save(physical_weights(code, simulation), metadata=metadata))


def write_quantisation(path: Path, code: ChipProgram) -> None:
    """The quantisation report as JSON."""
    write_json(
        path,
        [
            {
                "where": line.where,
                "parameter": line.parameter,
                "unit": line.unit,
                "requested": line.requested,
                "represented": line.represented,
                "relative_error": line.relative_error if np.isfinite(line.relative_error) else None,
                "integers": line.integers,
            }
            for line in code.quantisation
        ],
    )


def recorded_variables(code: ChipProgram) -> tuple[tuple[str, str], ...]:
    """Events and, where there are any, bursts of every population."""
    return tuple(
        (population.name, output)
        for population in code.populations
        for output in ("events", "bursts")
        if output in population.program.outputs
    )


def record_samples(
    code: ChipProgram, trained: Simulation, pictures: Pictures
) -> tuple[dict[tuple[str, str], NDArray[Any]], NDArray[np.int64]]:
    """Events and bursts of the first pictures with teacher and dendrites at work but all weights frozen."""
    real = trained.layout.variant.real
    plastic = [projection.name for projection in code.projections if projection.learning is not None]
    record = trained.layout.variant.record
    simulation = start(code, learning=True, real=real, record=record, frozen=plastic)
    for name, array in trained.arrays.items():
        if name[:2] in ("w_", "s_"):
            simulation.arrays[name] = array.copy()
    shown = np.arange(min(RECORDED_SAMPLES, len(pictures.images)), dtype=np.int64)
    _, records = show(simulation, pictures, shown, -1, 0, recording=True)
    numbers = simulation.layout.numbers
    return {(name, variable): records[f"r_{numbers[name]}_{variable}"] for name, variable in record}, shown


def write_recording(path: Path, code: ChipProgram, trained: Simulation, pictures: Pictures) -> None:
    """The recorded samples as netCDF: `population.variable` over (time, neuron), samples as attributes."""
    import xarray

    assert code.task is not None
    records, shown = record_samples(code, trained, pictures)
    step = code.step_ms
    steps = next(iter(records.values())).shape[0]
    variables = {
        f"{name}.{variable}": (("time", f"{name}_neuron"), values.astype(np.int8))
        for (name, variable), values in records.items()
    }
    present = code.task.present * step
    dataset = xarray.Dataset(
        variables,
        coords={"time": ("time", np.arange(steps) * step, {"units": "ms"})},
        attrs={
            "sample_start_ms": [float(i * present) for i in range(len(shown))],
            "labels": [int(pictures.labels[i]) for i in shown],
            "present_ms": present,
            "teach_after_ms": code.task.teach_after * step,
        },
    )
    temporary = path.with_name(f".{path.name}")
    dataset.to_netcdf(temporary, engine="h5netcdf")
    temporary.replace(path)


def confusion(labels: NDArray[np.int64], predictions: NDArray[np.int64], classes: int) -> list[list[int]]:
    """Counts [true class][class read out]."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return [[int(count) for count in row] for row in counts]


def write_results(out: Path, summary: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> None:
    """History first, then the summary, whose presence says that the run is complete."""
    write_json(out / "history.json", list(history))
    write_json(out / "summary.json", dict(summary))
