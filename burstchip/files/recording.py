"""Recordings as netCDF files that any reader of HDF5 opens: one form for all that records, written in parts.

A recorded variable is called `population.variable` and has the dimensions `time` (ms, the start of each kept
step) and `<population>_neuron`; where the variables of a population are of different neurons each has a
dimension of its own, `<population>.<variable>_neuron`. What synapses hold is called `projection.variable`; w,
t and d have the dimension `<projection>_synapse`, along which `<projection>_pre` and `<projection>_post` say
which neurons each synapse joins, a trace has `<projection>.<variable>_neuron`. The attribute `units` is what
1 stands for, as a number and a unit such as `0.00244140625 mV` (voltages count from rest), `1` for events, or
`chip units` where nothing more is known; for voltages `mV_per_unit` is that number. On wish a variable
whose scale is known is kept a second time as `<name>.physical`, real numbers in the unit of the attribute
`units`. Events kept as a list are `<name>.time`, with the attribute
`neurons`, how many were recorded, and `<name>.neuron`, of all steps. A task adds, by `sample`, when each
sample began, its index in the data set, its label and the class read out (-1: the run ended before).
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burstchip.files.unfailing_file import UnfailingFile
from burstchip.interruption import uninterrupted
from burstchip.machine import version_of
from burstchip.running.physical import in_units, require_scales, scale_of
from burstchip.running.recording import Recording, Samples, kept_rows
from burstchip.variables import PER_SYNAPSE, Selection, Variable, is_projection, synapse_ends
from compiler.ir.chip_program import ChipProgram
from compiler.whole_file import under_way, write_whole
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.program.widths import FLAG

if TYPE_CHECKING:
    import xarray

register_codes({"BC512": "a recording cannot be written"})

#: Bytes of a variable that are compressed as one.
CHUNK_BYTES = 1 << 18
#: Values and attributes.
_Labelled = tuple[NDArray[Any], dict[str, Any]]


def is_flag(code: ChipProgram, variable: Variable) -> bool:
    """Whether the variable is 0 or 1, as events are."""
    if is_projection(code, variable[0]):
        return False
    program, name = code.population(variable[0]).program, variable[1]
    width = program.states[name] if name in program.states else program.outputs[name]
    return width == FLAG


def _attributes(code: ChipProgram, variable: Variable) -> dict[str, Any]:
    place, name = variable
    units: dict[str, Any] = {"units": "1" if is_flag(code, variable) else "chip units"}
    if is_projection(code, place):
        kind, projection = "projection", code.projection(place)
        known = (projection.unit, projection.weight_unit) if name == "w" else None
    else:
        kind, known = "population", code.population(place).units.get(name)
    if known is not None:
        value, unit = known
        units["units"] = f"{value!r} {unit}".rstrip()
        if unit == "mV":
            units["mV_per_unit"] = value
    return {kind: place, "long_name": f"{name} of {kind} {place}", **units}


def _physical_attributes(code: ChipProgram, variable: Variable) -> dict[str, Any]:
    scale = scale_of(code, variable)
    assert scale is not None
    name = ".".join(variable)
    return {
        "population": variable[0],
        "long_name": f"{variable[1]} of population {variable[0]} in physical units",
        "units": scale.unit or "1",
        "integers": name,
    }


def _dimension(code: ChipProgram, selection: Selection, selections: Sequence[Selection]) -> str:
    place, variable = selection.variable
    alone = f"{place}.{variable}"
    synapses = is_projection(code, place)
    what = "synapse" if synapses and variable in PER_SYNAPSE else "neuron"
    if synapses and what == "neuron":
        # Traces of sources and of targets.
        return f"{alone}_neuron"
    of_place = [it for it in selections if it.variable[0] == place]
    alike = {str(it.neurons) for it in of_place if not synapses or it.variable[1] in PER_SYNAPSE}
    return f"{place if len(alike) == 1 else alone}_{what}"


def _coordinates(code: ChipProgram, selection: Selection, dimension: str) -> dict[str, _Labelled]:
    """What says along a dimension which neurons or synapses were recorded."""
    (place, variable), numbers = selection.variable, np.array(selection.indices(code), dtype=np.int32)
    if not is_projection(code, place):
        return {dimension: (numbers, {"long_name": f"neuron of population {place}"})}
    projection = code.projection(place)
    if variable not in PER_SYNAPSE:
        population = projection.source if variable[0] == "x" else projection.target
        return {dimension: (numbers, {"long_name": f"neuron of population {population}"})}
    base = dimension.removesuffix("_synapse")
    pre, post = synapse_ends(code, projection)
    return {
        dimension: (numbers, {"long_name": f"synapse of projection {place}"}),
        f"{base}_pre": (pre[numbers], {"long_name": f"source neuron, of population {projection.source}"}),
        f"{base}_post": (post[numbers], {"long_name": f"target neuron, of population {projection.target}"}),
    }


def _program_attributes(code: ChipProgram, backend: str, artifact_sha256: str | None) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "network": code.name,
        "seed": code.seed,
        "step_ms": code.step_ms,
        "target": code.target,
        "weight_form": code.weight_form,
        "backend": backend,
        "populations": [population.name for population in code.populations],
        "burstchip_version": version_of("burstchip"),
    }
    if artifact_sha256 is not None:
        attributes["artifact_sha256"] = artifact_sha256
    if code.task is not None:
        attributes |= {
            "task": code.task.data,
            "present_ms": code.task.present * code.step_ms,
            "teach_after_ms": code.task.teach_after * code.step_ms,
        }
    return attributes


def _sample_coordinates(code: ChipProgram, samples: Samples) -> dict[str, _Labelled]:
    assert code.task is not None
    starts = np.arange(len(samples.index)) * (code.task.present * code.step_ms)
    ended = "class read out, -1 where the run ended before"
    return {
        "sample_start": (starts, {"units": "ms", "long_name": "start of the sample"}),
        "sample_index": (samples.index, {"long_name": "index in the data"}),
        "sample_label": (samples.label, {"long_name": "class"}),
        "sample_readout": (samples.readout, {"long_name": ended}),
    }


def to_dataset(
    recording: Recording, artifact_sha256: str | None = None, *, physical: bool = False
) -> xarray.Dataset:
    """The recording with its labels, as the module says; with `physical` in the user's units too.

    Raises `BurstchipError` (BC636) where `physical` is asked for and no variable has a known unit.
    """
    import xarray

    code = recording.code
    selections = recording.selections or tuple(Selection(variable) for variable in recording.values)
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    rows = -(-recording.steps // recording.every)
    times = np.arange(rows) * recording.every * code.step_ms
    coordinates["time"] = ("time", times, {"units": "ms", "long_name": "time"})
    for it in selections:
        dimension, values = _dimension(code, it, selections), recording.values[it.variable]
        stored = values.astype(np.int8) if is_flag(code, it.variable) else values
        variables[".".join(it.variable)] = (("time", dimension), stored, _attributes(code, it.variable))
        for name, (array, label) in _coordinates(code, it, dimension).items():
            coordinates[name] = (dimension, array, label)
    for it in require_scales(code, selections) if physical else ():
        name, dimension = ".".join(it.variable), _dimension(code, it, selections)
        converted = in_units(code, it, recording.values[it.variable])
        labels = _physical_attributes(code, it.variable)
        variables[f"{name}.physical"] = (("time", dimension), converted, labels)
    if recording.samples is not None:
        for name, (array, label) in _sample_coordinates(code, recording.samples).items():
            coordinates[name] = ("sample", array, label)
    attributes = _program_attributes(code, recording.backend, artifact_sha256)
    return xarray.Dataset(variables, coords=coordinates, attrs=attributes)


def save_recording(dataset: xarray.Dataset, path: str | Path) -> None:
    """Write a data set as netCDF-4, whole or not at all. Raises `BurstchipError` (BC512)."""
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    path, packed = Path(path), {name: {"zlib": True, "complevel": 1} for name in (*dataset.data_vars, "time")}
    # In memory, where the data is too: HDF5 crashes where a disk is full.
    made = io.BytesIO()
    with h5netcdf.File(made, "w") as file:
        dataset.dump_to_store(H5NetCDFStore(file), encoding=packed)  # type: ignore[no-untyped-call]
    try:
        write_whole(path, made.getvalue())
    except OSError as reason:
        raise _unwritten(path, reason) from None


def _unwritten(path: Path, reason: OSError) -> BurstchipError:
    return BurstchipError(
        Diagnostic(
            "BC512",
            f"recording '{path}' cannot be written",
            required="a folder that can be written to, with room",
            given=reason.strerror or str(reason),
            hint="nothing was written",
        )
    )


class RecordingFile:
    """A netCDF file under construction: a sink of `record`, whose memory does not grow with the steps.

    `every` is the number of steps between two rows; flags in `listed` are kept as lists of all their events.
    With `physical`, variables whose unit is known are kept in it too; BC636 where there are none.
    Nothing is at `path` before `finish`; a file that was there stays until then. Use it as a context.
    """

    def __init__(
        self,
        path: str | Path,
        code: ChipProgram,
        selections: Sequence[Selection],
        *,
        every: int = 1,
        listed: Collection[Variable] = (),
        real: bool = False,
        physical: bool = False,
    ) -> None:
        import h5netcdf

        path = Path(path)
        self.path, self.code, self.every, self.real = path, code, every, real
        self.selections = tuple(selections)
        self.listed = frozenset(listed)
        self.physical = require_scales(code, self.selections) if physical else ()
        self._waiting: dict[str, list[NDArray[Any]]] = {}
        self._lengths: dict[str, int] = {}
        #: Coordinates that are no dimensions.
        self._beside: list[str] = []
        self._left = ExitStack()
        try:
            folder = self._left.enter_context(under_way(path))
            self._part = folder / "recording.nc"
            self._bytes = UnfailingFile(self._part)
        except OSError as reason:
            self._left.close()
            raise _unwritten(path, reason) from None
        self._left.callback(self._bytes.close)
        with uninterrupted():
            self._file = h5netcdf.File(self._bytes, "w")
            self._left.callback(self._file.close)
            self._declare()

    def __enter__(self) -> RecordingFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, first: int, values: Mapping[Variable, NDArray[Any]]) -> None:
        """Write the values of steps from `first` on, [step, chosen neuron]. Raises `BurstchipError` BC512."""
        begin, kept = kept_rows(first, self.every)
        count = len(next(iter(values.values()))[kept])
        times = np.arange(begin, begin + count) * self.every * self.code.step_ms
        with uninterrupted():
            self._put("time", times)
            for it in self.selections:
                name, found = ".".join(it.variable), values[it.variable]
                if it.variable in self.listed:
                    steps, places = np.nonzero(found)
                    self._put(f"{name}.time", (first + steps) * self.code.step_ms)
                    numbers = np.array(it.indices(self.code), dtype=np.int32)
                    self._put(f"{name}.neuron", numbers[places])
                else:
                    self._put(name, found[kept])
            for it in self.physical:
                converted = in_units(self.code, it, values[it.variable][kept])
                self._put(f"{'.'.join(it.variable)}.physical", converted)
        self._require_room()

    def finish(self, recording: Recording, artifact_sha256: str | None = None) -> None:
        """Label the file and put it in its place. Raises `BurstchipError` BC512."""
        with uninterrupted():
            for name in self._waiting:
                self._flush(name, everything=True)
            self._file.attrs.update(_program_attributes(self.code, recording.backend, artifact_sha256))
            if recording.samples is not None:
                self._file.dimensions["sample"] = len(recording.samples.index)
                coordinates = _sample_coordinates(self.code, recording.samples)
                for name, (array, label) in coordinates.items():
                    self._file.create_variable(name, ("sample",), array.dtype, data=array).attrs.update(label)
                self._beside += coordinates
            if self._beside:
                self._file.attrs["coordinates"] = " ".join(self._beside)
            self._file.close()
            self._bytes.close()
        self._require_room()
        try:
            self._part.replace(self.path)
        except OSError as reason:
            raise _unwritten(self.path, reason) from None
        self.close()

    def close(self) -> None:
        """Leave no trace of a file that is not finished."""
        with uninterrupted():
            self._left.close()

    def _require_room(self) -> None:
        if self._bytes.failure is not None:
            raise _unwritten(self.path, self._bytes.failure)

    def _declare(self) -> None:
        """Dimensions and variables, as long as nothing is written."""
        self._create("time", (), np.float64, {"units": "ms", "long_name": "time"}, "time")
        for it in self.selections:
            name, dimension = ".".join(it.variable), _dimension(self.code, it, self.selections)
            attributes = _attributes(self.code, it.variable)
            if it.variable in self.listed:
                along = f"{name}_event"
                label = {"units": "ms", "long_name": f"time of each event of {name}"}
                size = {"neurons": it.size(self.code)}
                self._create(f"{name}.time", (), np.float64, {**attributes, **label, **size}, along)
                label = {"units": "1", "long_name": f"neuron of each event of {name}"}
                self._create(f"{name}.neuron", (), np.int32, {**attributes, **label}, along)
                continue
            if dimension not in self._file.dimensions:
                coordinates = _coordinates(self.code, it, dimension)
                self._file.dimensions[dimension] = it.size(self.code)
                for coordinate, (array, described) in coordinates.items():
                    made = self._file.create_variable(coordinate, (dimension,), np.int32, data=array)
                    made.attrs.update(described)
                self._beside += [coordinate for coordinate in coordinates if coordinate != dimension]
            kind: type = np.float64 if self.real else np.int32
            if is_flag(self.code, it.variable):
                kind = np.int8
            self._create(name, (dimension,), kind, attributes, "time")
        for it in self.physical:
            labels = _physical_attributes(self.code, it.variable)
            across = (_dimension(self.code, it, self.selections),)
            self._create(f"{'.'.join(it.variable)}.physical", across, np.float64, labels, "time")

    def _create(
        self, name: str, across: tuple[str, ...], kind: type, labels: Mapping[str, Any], along: str
    ) -> None:
        if along not in self._file.dimensions:
            self._file.dimensions[along] = None
        width = [self._file.dimensions[dimension].size for dimension in across]
        rows = max(1, CHUNK_BYTES // (np.dtype(kind).itemsize * max(1, int(np.prod(width, dtype=np.int64)))))
        made = self._file.create_variable(
            name,
            (along, *across),
            kind,
            chunks=(min(rows, 1 << 16), *width),
            compression="gzip",
            compression_opts=1,
            # Neighbours differ in their lowest bytes alone; of times next to nothing is left.
            shuffle=True,
        )
        made.attrs.update(labels)
        self._waiting[name] = []

    def _put(self, name: str, rows: NDArray[Any]) -> None:
        """Write rows once they fill what is compressed as one."""
        self._waiting[name].append(rows)
        self._flush(name, everything=False)

    def _flush(self, name: str, *, everything: bool) -> None:
        variable, waiting = self._file.variables[name], self._waiting[name]
        count = sum(len(rows) for rows in waiting)
        whole = count if everything else count - count % variable.chunks[0]
        if whole == 0:
            return
        joined = np.concatenate(waiting)
        self._waiting[name] = [joined[whole:]]
        along = variable.dimensions[0]
        begin = self._lengths.get(name, 0)
        self._lengths[name] = begin + whole
        if self._file.dimensions[along].size < begin + whole:
            self._file.resize_dimension(along, begin + whole)
        variable[begin : begin + whole] = joined[:whole]
