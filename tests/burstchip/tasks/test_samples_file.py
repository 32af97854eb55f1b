"""Samples of a user's own: what is read, and a word for everything that is not one."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burstchip.tasks.samples_file import MOST_NUMBERS, read_samples, samples_of
from hw_models.diagnostics import BurstchipError

PICTURES = np.arange(24).reshape(4, 2, 3)


def told(path: Path) -> str:
    with pytest.raises(BurstchipError) as caught:
        read_samples(path)
    return str(caught.value).replace(str(path), "FILE")


@pytest.mark.parametrize("kind", ["f4", "f8", "u1", "i8", "?", ">i2"])
def test_pictures_and_labels(kind: str, tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.asfortranarray(PICTURES.astype(kind)), y=[0, 1, 2, 1])
    found = read_samples(tmp_path / "a.npz")
    np.testing.assert_array_equal(found.values, PICTURES.astype(kind).reshape(4, 6))
    assert found.shape == (2, 3)
    assert found.labels is not None and found.labels.tolist() == [0, 1, 2, 1]


def test_an_array_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", PICTURES.reshape(4, 6))
    found = read_samples(tmp_path / "a.npy")
    assert (found.values.shape, found.shape, found.labels) == ((4, 6), (6,), None)


def _header(shape: str, descr: str = "<f8") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("content", "given"),
    [
        (b"", ""),
        (b"PK\x03\x04 and more", ""),
        (_header("(2, 2)"), "'a.npy' is shorter or longer than its header says"),
        (_header("(2, 2)") + bytes(33), "'a.npy' is shorter or longer than its header says"),
        (_header("(1 << 40, 2)"), ""),
        (_header("(1099511627776, 2)"), f"above the limit of {MOST_NUMBERS:,} numbers"),
        (_header("(-2, -2)") + bytes(32), ""),
        (_header("(2, 2)", "|O"), "'a.npy' holds Python objects, which are not read"),
    ],
)
def test_what_is_no_array(content: bytes, given: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    message = told(tmp_path / "a.npy")
    assert message.startswith(
        "error[BC655]: the samples in 'FILE' cannot be read\n"
        "  required: a .npz file with 'x' and 'y', or a .npy file, as numpy writes them    given: "
    )
    assert given in message


def test_a_file_that_is_missing_or_of_another_kind(tmp_path: Path) -> None:
    assert "given: No such file or directory" in told(tmp_path / "a.npz")
    assert "given: a file called 'a.csv'" in told(tmp_path / "a.csv")


def test_a_small_file_that_unpacks_to_much_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", _header("(2, 2)") + bytes(1 << 24))
        archive.writestr("y.npy", _header("(100000000,)"))
    assert "'x.npy' is shorter or longer than its header says" in told(tmp_path / "a.npz")


def test_the_names_of_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=PICTURES, z=PICTURES)
    assert told(tmp_path / "a.npz") == (
        "error[BC656]: 'FILE' does not hold samples\n"
        "  required: an array 'x' and, where there are labels, 'y'; no other    given: 'x', 'z'    "
        "hint: numpy.savez(FILE, x=values, y=labels)"
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [1.0, 2.0],
            "error[BC656]: the samples: the values are not those of samples\n"
            "  required: 1 to 67,108,864 real numbers, [sample, feature] or [sample, row, column]    "
            "given: float64 [2]    "
            "hint: values[numpy.newaxis] makes one sample of a row",
        ),
        ([["a"]], "given: <U1 [1, 1]"),
        ([[1j]], "given: complex128 [1, 1]"),
        (np.zeros((0, 4)), "given: float64 [0, 4]"),
        (
            [[0.0, 1.0], [0.0, np.nan]],
            "error[BC656]: the samples: a value is not finite\n"
            "  required: finite numbers    given: nan in sample 1",
        ),
    ],
)
def test_values_that_are_none(values: Any, message: str) -> None:
    with pytest.raises(BurstchipError) as caught:
        samples_of(values)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "given"),
    [([0, 1, 2], "int64 [3]"), ([0.0, 1, 2, 3], "float64 [4]"), ([0, -1, 2, 3], "from -1 to 3")],
)
def test_labels_that_are_none(labels: Any, given: str) -> None:
    with pytest.raises(BurstchipError) as caught:
        samples_of(PICTURES, labels)
    assert str(caught.value) == (
        "error[BC657]: the samples: the labels do not belong to the samples\n"
        f"  required: a whole number from 0 for each of 4 samples    given: {given}"
    )


def test_every_damaged_file_is_told_or_read(tmp_path: Path) -> None:
    """No byte of a file brings anything but samples or a message."""
    written = io.BytesIO()
    np.savez(written, x=PICTURES.astype("f4"), y=[0, 1, 2, 1])
    whole, path = written.getvalue(), tmp_path / "a.npz"

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(place=st.integers(0, len(whole) - 1), value=st.integers(0, 255), length=st.floats(0, 1))
    def anywhere(place: int, value: int, length: float) -> None:
        changed = bytearray(whole)
        changed[place] = value
        for content in (bytes(changed), whole[: int(length * len(whole))]):
            path.write_bytes(content)
            with contextlib.suppress(BurstchipError):
                read_samples(path)

    anywhere()
