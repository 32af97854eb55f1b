"""The labels of a recording, and that its file is whole or not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from burstchip.compilation import compile_file
from burstchip.files.recording import RecordingFile, save_recording, to_dataset
from burstchip.files.unfailing_file import UnfailingFile
from burstchip.running.recording import Recording, Samples, record
from burstchip.templates import write_template
from burstchip.variables import Selection, parse_selections
from compiler import whole_file
from hw_models.diagnostics import BurstchipError

STEPS = 200


@pytest.fixture
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Made-up values of the digits network: nothing is simulated here."""
    code, _ = compile_file(write_template("digits", tmp_path_factory.mktemp("digits")))
    generator = np.random.default_rng(0)
    return Recording(
        code=code,
        backend="sim",
        steps=STEPS,
        values={
            ("hidden", "v"): generator.integers(-8192, 8192, (STEPS, 100)).astype(np.int32),
            ("hidden", "R"): generator.integers(0, 1 << 20, (STEPS, 100)).astype(np.int32),
            ("hidden", "count"): generator.integers(0, 30, (STEPS, 100)).astype(np.int32),
            ("readout", "events"): generator.integers(0, 2, (STEPS, 10)).astype(np.int32),
        },
        samples=Samples(np.array([5, 3, 9]), np.array([1, 2, 1]), np.array([1, 7, -1])),
        events={"image": 3, "hidden": 4, "readout": 5},
        bursts={"hidden": 2, "readout": 1},
        diagnostics=(),
    )


def test_every_value_has_its_labels(recording: Recording) -> None:
    dataset = to_dataset(recording, "ab" * 32)
    assert set(dataset.data_vars) == {"hidden.v", "hidden.R", "hidden.count", "readout.events"}
    assert dataset["hidden.v"].dims == ("time", "hidden_neuron")
    assert dataset["readout.events"].dims == ("time", "readout_neuron")
    assert dataset["time"].attrs["units"] == "ms" and list(dataset["time"].values[:3]) == [0.0, 1.0, 2.0]
    assert list(dataset["readout_neuron"].values) == list(range(10))
    assert dataset["readout.events"].attrs["population"] == "readout"
    assert dataset.attrs["populations"] == ["image", "hidden", "readout"]
    assert dataset.attrs["artifact_sha256"] == "ab" * 32
    assert (dataset.attrs["weight_form"], dataset.attrs["backend"]) == ("chip", "sim")


def test_units_say_what_1_stands_for(recording: Recording) -> None:
    dataset = to_dataset(recording)
    # From rest at -70 mV to the threshold at -50 mV there are 8192 units.
    assert dataset["hidden.v"].attrs["units"] == f"{20 / 8192!r} mV"
    assert dataset["hidden.v"].attrs["mV_per_unit"] == 20 / 8192
    assert dataset["hidden.R"].attrs["units"] == f"{1000 / 2**20!r} Hz"
    assert dataset["readout.events"].attrs["units"] == "1"
    assert dataset["hidden.count"].attrs["units"] == "chip units"


def test_units_are_such_that_pint_reads_them(recording: Recording) -> None:
    import pint

    unit = pint.UnitRegistry().parse_expression(to_dataset(recording)["hidden.v"].attrs["units"])
    assert unit.to("mV").magnitude == 20 / 8192


def test_physical_values_stand_beside_the_integers(recording: Recording) -> None:
    """A voltage counts from rest, which is at -70 mV here; what has no known unit is not doubled."""
    dataset = to_dataset(recording, physical=True)
    physical = {name for name in dataset.data_vars if str(name).endswith(".physical")}
    assert physical == {"hidden.v.physical", "hidden.R.physical"}
    volts = dataset["hidden.v.physical"]
    assert np.array_equal(volts.values, -70 + recording.values["hidden", "v"] * (20 / 8192))
    assert (volts.attrs["units"], volts.attrs["integers"]) == ("mV", "hidden.v")
    assert dataset["hidden.R.physical"].attrs["units"] == "Hz"
    xarray.testing.assert_identical(dataset.drop_vars(sorted(physical)), to_dataset(recording))


def test_events_are_stored_in_a_byte_and_values_unchanged(recording: Recording) -> None:
    dataset = to_dataset(recording)
    assert dataset["readout.events"].dtype == np.int8 and dataset["hidden.v"].dtype == np.int32
    for (population, variable), values in recording.values.items():
        assert np.array_equal(dataset[f"{population}.{variable}"].values, values)


def test_samples_are_labelled(recording: Recording) -> None:
    dataset = to_dataset(recording)
    assert list(dataset["sample_start"].values) == [0.0, 96.0, 192.0]
    assert list(dataset["sample_label"].values) == [1, 2, 1]
    assert list(dataset["sample_readout"].values) == [1, 7, -1]
    assert (dataset.attrs["task"], dataset.attrs["present_ms"]) == ("digits", 96.0)


def test_the_file_holds_the_same(recording: Recording, tmp_path: Path) -> None:
    dataset = to_dataset(recording, "ab" * 32)
    path = tmp_path / "new" / "out.nc"
    save_recording(dataset, path)
    assert [entry.name for entry in path.parent.iterdir()] == ["out.nc"]
    with xarray.open_dataset(path, engine="h5netcdf") as read:
        xarray.testing.assert_identical(read.load().assign_attrs({}), dataset.assign_attrs({}))
        assert list(read.attrs["populations"]) == dataset.attrs["populations"]


LEARNS = """burstchip: 1
name: learns
step: 1 ms
populations:
  source: {model: rate_source, size: 3, rate: 150 Hz}
  cell: {model: lif, size: 2}
plasticity:
  grow: {every: 2 ms, trace: {name: x1, tau: 20 ms, increment: 16}, dw: x0*2^-2*x1}
projections:
  - {from: source, to: cell, weight: 2 mV, limit: 8 mV, learn: grow}
"""


def test_weights_have_the_ends_of_their_synapses(tmp_path: Path) -> None:
    (tmp_path / "learns.yaml").write_text(LEARNS)
    code, _ = compile_file(tmp_path / "learns.yaml")
    selections = parse_selections(code, ["source->cell.w[1:4]", "source->cell.x1", "cell.v"])
    found = record(code, 20, [it.text for it in selections], backend="plain", every=5)
    with RecordingFile(tmp_path / "out.nc", code, selections, every=5) as file:
        again = record(code, 20, [it.text for it in selections], backend="plain", every=5, sink=file)
        file.finish(again)
    with xarray.open_dataset(tmp_path / "out.nc", engine="h5netcdf") as read:
        made = to_dataset(found)
        xarray.testing.assert_identical(read.load().assign_attrs({}), made.assign_attrs({}))
        weights = read["source->cell.w"]
        assert weights.dims == ("time", "source->cell_synapse") and weights.shape == (4, 3)
        assert read["source->cell_pre"].values.tolist() == [0, 1, 1]
        assert read["source->cell_post"].values.tolist() == [1, 0, 1]
        assert weights.attrs["mV_per_unit"] == code.projections[0].unit
        assert weights.attrs["projection"] == "source->cell"
        assert read["source->cell.x1"].dims == ("time", "source->cell.x1_neuron")


def test_a_write_that_fails_leaves_the_older_file(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.nc"
    path.write_text("older")

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_file, "_write", full)
    with pytest.raises(BurstchipError, match=r"BC512(?s:.*)given: No space left on device"):
        save_recording(to_dataset(recording), path)
    assert path.read_text() == "older" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("room", [0, 100, 3000, 9000])
def test_a_disk_that_fills_while_a_recording_is_written(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    path = tmp_path / "out.nc"
    path.write_text("older")
    made = UnfailingFile.__init__

    def small(self: UnfailingFile, place: Path) -> None:
        made(self, place)
        self._file = Small(self._file, room)  # type: ignore[assignment]

    monkeypatch.setattr(UnfailingFile, "__init__", small)
    selections = tuple(Selection(variable) for variable in recording.values)

    def write() -> None:
        with RecordingFile(path, recording.code, selections) as file:
            for first in range(0, recording.steps, 7):
                file.add(first, {name: it[first : first + 7] for name, it in recording.values.items()})
            file.finish(recording)

    with pytest.raises(BurstchipError, match=r"BC512(?s:.*)given: No space left on device"):
        write()
    assert path.read_text() == "older" and len(list(tmp_path.iterdir())) == 1


class Small:
    """A file on a disk with room for so many bytes: what does not fit any more is written in part."""

    def __init__(self, file: Any, room: int) -> None:
        self.file, self.room = file, room

    def write(self, data: memoryview) -> int:
        fits = min(len(data), self.room - self.file.tell())
        if fits <= 0:
            raise OSError(28, "No space left on device")
        return int(self.file.write(data[:fits]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def test_a_folder_that_cannot_be(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BurstchipError, match=r"BC512"):
        save_recording(to_dataset(recording), tmp_path / "file" / "out.nc")


def test_the_times_of_a_recording_cost_next_to_nothing(recording: Recording, tmp_path: Path) -> None:
    steps, path, code = 200_000, tmp_path / "long.nc", recording.code
    with RecordingFile(path, code, parse_selections(code, ["readout.events[0:1]"])) as file:
        for first in range(0, steps, 50_000):
            file.add(first, {("readout", "events"): np.zeros((50_000, 1), dtype=np.int8)})
        file.finish(replace(recording, steps=steps, samples=None, values={}))
    with xarray.open_dataset(path, engine="h5netcdf") as dataset:
        assert np.array_equal(dataset["time"].values, np.arange(steps) * code.step_ms)
    # Flags and labels are in this too; the times alone would be 8 bytes a step.
    assert path.stat().st_size < 0.3 * steps
