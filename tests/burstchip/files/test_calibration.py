"""Files of calibrations: read as they were written, and refused where anything is not as it should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from burstchip.files.calibration import read_calibration, write_calibration
from compiler.ir.calibration import Calibration, Reach, Sent
from hw_models.diagnostics import BurstchipError

REACHES = (
    Reach("n", "port", "soma", "mV", -1.5, 1 / 3, 0.1),
    Reach("n", "state", "v", "mV", -20.0, 20.0, None),
)
FOUND = Calibration(
    "run",
    "net",
    "0" * 64,
    0.1,
    100,
    {"a": 2, "n": 1},
    REACHES,
    (Sent("a", "events", (0.1, 0.0), (0.1, 0.0)),),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_calibration(tmp_path / "c.json", FOUND)
    return tmp_path / "c.json"


def test_a_file_is_read_as_it_was_written(path: Path) -> None:
    assert read_calibration(path) == FOUND
    before = path.read_bytes()
    write_calibration(path, read_calibration(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("at", "value", "given"),
    [
        (("format",), "another", "Invalid enum value 'another'"),
        (("version",), 2, "Invalid enum value 2"),
        (("origin",), "guess", "Invalid enum value 'guess'"),
        (("sha256",), "0", "Expected `str` matching regex"),
        (("step_ms",), 0, "Expected `float` > 0.0"),
        (("steps",), -1, "Expected `int` >= 0"),
        (("steps",), 1 << 31, "Expected `int` <"),
        (("sizes",), {"a": 0}, "Expected `int` >= 1"),
        (("more",), 1, "Object contains unknown field `more`"),
        (("reaches", 0, "kind"), "output", "Invalid enum value 'output'"),
        (("reaches", 0, "low"), 1.0, "n.soma reaches from 1.0 to 0.3"),
        (("reaches", 0, "high"), None, "Expected `float`, got `null`"),
        (("reaches", 0, "rms"), -1.0, "Expected `float` >= 0.0"),
        (("reaches", 1), {**vars(REACHES[0])}, "a port or a state is there twice"),
        (("sent", 0, "mean"), [0.1], "what a.events sends has no mean and mean square for each neuron"),
        (("sent", 0, "square"), [0.1, -0.1], "a mean square of a.events is below 0"),
        (("sent", 0, "mean"), [], "Expected `array` of length >= 1"),
    ],
)
def test_a_wrong_entry(path: Path, at: tuple[Any, ...], value: Any, given: str) -> None:
    content = json.loads(path.read_text())
    inner = content
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    path.write_text(json.dumps(content))
    with pytest.raises(BurstchipError) as caught:
        read_calibration(path)
    (found,) = caught.value.diagnostics
    assert found.id == "BC921" and found.given is not None and found.given.startswith(given)


@pytest.mark.parametrize(
    "content",
    [b"", b"[", b"\xff", b"[" * 100_000, b'{"format": 1e999}', b"NaN", b"null"],
)
def test_a_file_that_is_none(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(BurstchipError, match="BC921"):
        read_calibration(path)


def test_numbers_that_are_not_finite(path: Path) -> None:
    path.write_text(path.read_text().replace("-1.5", "-1e999"))
    with pytest.raises(BurstchipError, match="BC921"):
        read_calibration(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for it in (tmp_path / "x.json", tmp_path):
        with pytest.raises(BurstchipError, match="BC921"):
            read_calibration(it)
