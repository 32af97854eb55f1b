"""What altered inputs found, one of each kind, as small as it gets."""

from __future__ import annotations

import gc
import json
import re
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from safetensors.numpy import load, save

from burstchip.files.hdf5_heap import can_hold
from burstchip.files.rows import LARGEST, Unusable, load_rows
from burstchip.frontend import units
from burstchip.tasks.checkpoint import read_checkpoint, save_checkpoint
from compiler.artifact import KEY, _content_sha256
from compiler.passes.elaborate import GREATEST_WEIGHT

#: `refused("check net.yaml")` is what a command says that has to be refused.
Refused = Callable[[str], str]
FOLLOWED = Path("followed/seed_3/checkpoint.safetensors")
#: Every command that reads a recording, and the message where it cannot.
READERS = {
    "report whole.nc -o page.html": "BC547",
    "cost whole.burst --rates whole.nc": "BC822",
    "deploy whole.burst --dry-run -o new --rates whole.nc": "BC390",
}


@pytest.mark.parametrize(
    "change",
    [
        {"arrays": {"run.out.state.v": None}},
        {"arrays": {"run.drive.counts": np.zeros(5, dtype=np.int64)}},
        {"arrays": {"run.drive.counts": np.zeros((3, 2), dtype=np.int64)}},
        {"progress": {"clock": 40.0}},
        {"progress": {"seconds": float("inf")}},
    ],
    ids=str,
)
def test_a_checkpoint_of_a_protocol_that_is_not_its_state(
    change: dict[str, Any], folder: Path, refused: Refused
) -> None:
    arrays, progress = read_checkpoint(FOLLOWED)
    changed = {**arrays, **change.get("arrays", {})}
    kept = {name: array for name, array in changed.items() if array is not None}
    save_checkpoint(FOLLOWED, kept, {**progress, **change.get("progress", {})})
    assert "error[BC565]" in refused("follow protocol.yaml --backend plain --resume --out followed")


def replace_array(file: h5py.File, name: str, *arguments: Any, **options: Any) -> None:
    del file[name]
    file.create_dataset(name, *arguments, **options)


@pytest.mark.parametrize("line", READERS)
def test_a_recording_without_names_of_its_axes(line: str, folder: Path, did: Any) -> None:
    """xarray printed a warning of names that it made up."""
    with h5py.File("whole.nc", "a") as file:
        replace_array(file, "units.events", data=file["units.events"][()])
    code, _, problems = did(line)
    assert code in (0, 2) and problems == []


@pytest.mark.parametrize("line", READERS)
def test_a_recording_of_which_the_library_warns(line: str, folder: Path, did: Any) -> None:
    """Nothing of it is printed: what the library guesses is not taken for what was recorded."""
    with h5py.File("whole.nc", "a") as file:
        file["units.events"].attrs["_FillValue"] = np.array([0, 1], dtype=np.int8)
    code, err, problems = did(line)
    assert problems == [] and (code == 0 or f"error[{READERS[line]}]" in err)


@pytest.mark.parametrize("shape", [(1 << 40, 3), (1 << 28, 3)])
@pytest.mark.parametrize("line", READERS)
def test_a_recording_with_an_array_that_is_not_in_the_file(
    shape: tuple[int, int], line: str, folder: Path, refused: Refused
) -> None:
    with h5py.File("whole.nc", "a") as file:
        file.create_dataset("more.events", shape, dtype="i1", chunks=(1024, 3))
    said = refused(line)
    assert f"error[{READERS[line]}]" in said and "in a file of" in said


@pytest.mark.parametrize("line", READERS)
def test_a_recording_with_a_heap_without_an_end(line: str, folder: Path, refused: Refused) -> None:
    """The library does not return from it."""
    data = bytearray(Path("whole.nc").read_bytes())
    at = data.index(b"GCOL\x01\x00\x00\x00")
    data[at + 16 : at + 32] = bytes(16)
    Path("whole.nc").write_bytes(data)
    assert "a heap whose free space has no length" in refused(line)


@pytest.mark.parametrize("line", READERS)
def test_a_recording_with_an_object_that_does_not_open(
    line: str, folder: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library printed a traceback of its own while it gave up."""
    data = bytearray(Path("whole.nc").read_bytes())
    data[data.index(b"OHDR") + 12] ^= 0xFF
    Path("whole.nc").write_bytes(data)
    ignored: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    refused(line)
    gc.collect()
    assert ignored == []


@pytest.mark.parametrize("unit", ["inf mV", "nan mV", "1e300 mV"])
def test_a_recording_in_a_unit_that_none_is(unit: str, folder: Path, refused: Refused) -> None:
    """The page drew it, with a warning of numpy's."""
    with h5py.File("whole.nc", "a") as file:
        name = next(it for it in file if it.endswith(".v"))
        file[name].attrs["units"] = unit
    assert "error[BC547]" in refused("report whole.nc -o page.html")


def test_a_table_without_numbers(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("\n\n# nothing\n")
    assert isinstance(load_rows(path), Unusable) and not recwarn.list


@pytest.mark.parametrize("line", READERS)
def test_a_recording_of_complex_numbers(line: str, folder: Path, refused: Refused) -> None:
    with h5py.File("whole.nc", "a") as file:
        file["more.v"] = np.zeros((20, 3), dtype=np.complex128)
    assert "'more.v' does not hold real numbers" in refused(line)


def test_a_list_of_events_of_neurons_that_cannot_exist(folder: Path, refused: Refused) -> None:
    for neuron in (1 << 40, -5):
        with h5py.File("listed.nc", "a") as file:
            name = next(it for it in file if it.endswith("events.neuron") and len(file[it]))
            values = file[name][()].astype(np.int64)
            values[0] = neuron
            kept = dict(file[name].attrs)
            replace_array(file, name, data=values)
            file[name].attrs.update({key: it for key, it in kept.items() if key in ("long_name",)})
        assert "error[BC547]" in refused("report listed.nc -o page.html")


def test_a_nir_array_that_is_not_in_the_file(folder: Path, refused: Refused) -> None:
    with h5py.File("nested.nir", "a") as file:
        replace_array(file, "node/nodes/linear/weight", (1 << 28,), dtype="i1", chunks=(1024,))
    assert "error[BC801]: nested.nir: node 'linear': 'weight' is not in the file" in refused(
        "import nested.nir -o net.yaml --step 1ms"
    )


@pytest.mark.parametrize("how", ["euler", "exponential"])
def test_a_nir_time_constant_that_nothing_can_be_divided_by(how: str, folder: Path, refused: Refused) -> None:
    with h5py.File("nested.nir", "a") as file:
        tau = file["node/nodes/inside/nodes/lif/tau"]
        tau[...] = np.full(tau.shape, 5e-324)
    said = refused(f"import nested.nir -o net.yaml --step 1ms --integration {how}")
    assert "'tau' is too short" in said


def test_a_nir_number_whose_products_are_infinite(folder: Path, refused: Refused) -> None:
    """numpy printed warnings of what overflowed."""
    with h5py.File("pictures.nir", "a") as file:
        file["node/nodes/cells/tau_mem"][0] = 1e308
    said = refused("import pictures.nir -o net.yaml --step 0.1ms --reset subtract")
    assert "error[BC803]: pictures.nir: node 'cells': 'tau_mem' is too large" in said


def test_a_target_that_is_the_name_of_a_file(folder: Path, refused: Refused) -> None:
    """It was opened."""
    path = Path("whole.burst")
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    manifest = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
    manifest["target"] = "../../small_chip"
    manifest["sha256"] = _content_sha256(manifest, load(data))
    path.write_bytes(save(load(data), metadata={KEY: json.dumps(manifest)}))
    said = refused("cost whole.burst --steps 4 --backend plain")
    assert "error[BC403]" in said and "the target is '../../small_chip'" in said


def test_a_bad_number_is_found_behind_the_first_samples(
    folder: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Millions of samples of one number each were looked at one by one."""
    monkeypatch.setattr("burstchip.tasks.own_data._LOOKED_AT", 9)
    x = np.zeros((8, 2, 2))
    x[5, 1, 0] = np.nan
    np.savez("tiny.npz", x=x, y=np.arange(8) % 2)
    assert "nan in sample 5" in refused("check tiny.yaml")


def test_what_a_file_can_hold() -> None:
    assert can_hold(0, 1 << 20) and can_hold(10_000, 20_000_000)
    assert not can_hold(0, (1 << 20) + 1) and not can_hold(10_000, 1 << 28)


@pytest.mark.parametrize(
    ("header", "given"),
    [
        ("{'descr': '<f8', 'fortran_order': False, 'shape': ((((((((((((3,), }", "EOF in multi-line"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 3), }", ""),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 3), }", ""),
        ("{'descr': '<f16', 'fortran_order': False, 'shape': (1, 2), }", "float128 [1, 2]"),
    ],
)
def test_a_header_of_numpy_that_is_not_one(header: str, given: str, tmp_path: Path) -> None:
    text = header.ljust(117).encode() + b"\n"
    path = tmp_path / "rows.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(64))
    found = load_rows(path)
    assert isinstance(found, Unusable) and given in found.given


def test_an_archive_under_the_name_of_an_array(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rows.npy", "w") as archive:
        archive.writestr("x.npy", b"")
    found = load_rows(tmp_path / "rows.npy")
    assert isinstance(found, Unusable) and "an archive of several arrays" in found.given


def test_a_number_of_a_table_that_the_language_does_not_know(folder: Path, refused: Refused) -> None:
    """It became infinite in the compiler, which printed numpy's warnings."""
    assert LARGEST == units.LARGEST
    Path("points.csv").write_text("0,0\n1e308,1\n")
    said = refused("check protocol.yaml")
    assert "error[BC183]" in said and re.search(r"at most 1e\+15\s+given: 1e\+308 in row 2", said)


def test_a_stream_for_populations_of_different_sizes(folder: Path, refused: Refused) -> None:
    """Compiled code reads a stream's row at the number of each neuron."""
    path = Path("files.burst")
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    manifest = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
    features, cells = (manifest["populations"][k] for k in (3, 4))
    assert (features["size"], cells["size"]) == (32, 3)
    for first, second in ((features, cells), (cells, features)):
        first["signals"], second["signals"] = second["signals"], first["signals"]
        if first is features:
            cells["signals"]["bias_mant"] = {"kind": "streamed", "stream": "given", "hold": 1}
            features["signals"] = {}
        else:
            features["signals"]["bias_mant"] = {"kind": "streamed", "stream": "given", "hold": 1}
            cells["signals"]["bias_mant"] = {"kind": "streamed", "stream": "given", "hold": 1}
        manifest["sha256"] = _content_sha256(manifest, load(data))
        path.write_bytes(save(load(data), metadata={KEY: json.dumps(manifest)}))
        said = refused("run files.burst --steps 4 --stream given=given.npy --backend plain -o out.nc")
        assert "error[BC403]" in said and "has another size than the stream 'given'" in said


@pytest.mark.parametrize("key", ["shown: {for: 5 ms}", "bin: 5 ms", "every: 5 ms"])
def test_a_time_much_shorter_than_a_step(key: str, folder: Path, refused: Refused) -> None:
    """It passed as 0 steps, which no phase of a protocol can last."""
    text = Path("protocol.yaml").read_text()
    assert key in text
    Path("protocol.yaml").write_text(text.replace(key, key.replace("5 ms", "1e-9 ms")))
    assert "error[BC113]" in refused("check protocol.yaml")


@pytest.mark.parametrize(("greatest", "beyond"), [(1e308, "large"), (5e-324, "small")])
def test_weights_that_the_language_does_not_know(
    greatest: float, beyond: str, folder: Path, refused: Refused
) -> None:
    """The logarithm of what became infinite, or 0, raised an error."""
    tensors = {**load(Path("weights.safetensors").read_bytes()), "w": np.full((3, 4), greatest)}
    Path("weights.safetensors").write_bytes(save(tensors))
    said = refused("check files.yaml")
    assert f"error[BC301]: the greatest weight of tensor 'w' is too {beyond}" in said
    assert GREATEST_WEIGHT == (units.SMALLEST, units.LARGEST)
