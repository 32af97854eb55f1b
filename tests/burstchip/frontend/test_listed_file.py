"""Events and pairs from files are those of a list in YAML, and each mistake names its row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from burstchip.files.rows import Unusable, load_rows
from burstchip.frontend import load
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram
from compiler.pipeline import compile_network

NETWORK = """burstchip: 1
name: listed
step: 1 ms
populations:
  clock: {{model: spike_list, size: 3, events: {events}}}
  cells: {{model: lif, size: 4}}
projections:
  - {{from: clock, to: cells.soma, connectivity: {{pairs: {pairs}}}, limit: 5 mV{weight}}}
"""
EVENTS, PAIRS = "{file: events.csv, unit: s}", "{file: pairs.csv, unit: mV}"


def messages(
    folder: Path, events: str = EVENTS, pairs: str = PAIRS, weight: str = ""
) -> tuple[ChipProgram | None, list[str]]:
    (folder / "net.yaml").write_text(NETWORK.format(events=events, pairs=pairs, weight=weight))
    found = load(folder / "net.yaml")
    code = None if found.network is None else compile_network(found.network)
    return code, [str(it).replace(str(folder), "DIR") for it in found.diagnostics]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "events.csv").write_text("2,0.005\n0,0.001\n1,0.001\n")
    (tmp_path / "pairs.csv").write_text("2,3,1.5\n0,1,-2\n")
    return tmp_path


def test_a_file_is_the_list_that_it_holds(files: Path) -> None:
    listed, none = messages(files, "[[2, 5 ms], [0, 1 ms], [1, 1 ms]]", "[[2, 3, 1.5 mV], [0, 1, -2 mV]]")
    code, found = messages(files)
    assert code is not None and listed is not None and found == none == []
    assert artifact_sha256(code) == artifact_sha256(listed)
    assert code.populations[0].spikes is not None
    assert code.populations[0].spikes.tolist() == [[1, 0], [1, 1], [5, 2]]
    np.save(files / "pairs.npy", np.array([[2, 3], [0, 1]], dtype=np.int32))
    plain, found = messages(files, pairs="{file: pairs.npy}", weight=", weight: 1 mV")
    assert plain is not None and found == []
    assert plain.projections[0].pre.tolist() == [0, 2] and plain.projections[0].post.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("events", "0,0.001\n3,0.002\n", "5:54: error[BC175]: row 2 names a neuron that does not exist"),
        ("events", "0.5,0.001\n", "5:54: error[BC175]: row 1 names a neuron that does not exist"),
        ("events", "0,0.001\n1,0\n0,0.0012\n", "5:54: error[BC175]: row 3 falls into the step of row 1"),
        ("events", "0,0.001\n1,-1\n", "5:54: error[BC175]: row 2 has a time out of range"),
        ("events", "0,0.001\n1,1e14\n", "5:54: error[BC175]: row 2 has a time out of range"),
        ("events", "0,0.001\n1,1e300\n", "5:54: error[BC175]: a number is too large"),
        ("events", "0,0.001\n1,nan\n", "5:54: error[BC175]: a number is not finite"),
        ("events", "0,0.001,1\n", "5:54: error[BC175]: the rows have the wrong shape"),
        ("events", "neuron,time\n0,0.001\n", "5:54: error[BC175]: the file cannot be read"),
        (
            "events",
            "0,0.0014\n",
            "5:54: warning[BC113]: events between two steps are rounded",
        ),
        ("pairs", "0,1,1\n0,4,1\n", "8:64: error[BC176]: row 2 names a target neuron that does not exist"),
        ("pairs", "3,1,1\n", "8:64: error[BC176]: row 1 names a source neuron that does not exist"),
        ("pairs", "0,1,1\n2,2,1\n0,1,2\n", "8:64: error[BC176]: row 3 repeats row 1"),
        ("pairs", "0,1\n", "8:64: error[BC176]: the rows have the wrong shape"),
    ],
)
def test_a_mistake_names_its_row(files: Path, file: str, text: str, expected: str) -> None:
    (files / f"{file}.csv").write_text(text)
    _, found = messages(files)
    assert len(found) == 1, found
    place, _, message = expected.partition(": ")
    first = found[0].splitlines()[0]
    assert first.startswith(f"DIR/net.yaml:{place}: {message.partition(': ')[0]}: ")
    assert message.partition(": ")[2] in first


def test_a_file_that_is_missing(files: Path) -> None:
    (files / "pairs.csv").unlink()
    _, found = messages(files)
    assert len(found) == 1 and "error[BC176]" in found[0] and "the file is missing" in found[0]


def test_a_file_with_too_many_rows_is_not_cut(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("burstchip.files.rows.MOST_NUMBERS", 2)
    (files / "long.csv").write_text("1\n2\n3\n")
    assert isinstance(load_rows(files / "long.csv"), Unusable)


def test_a_row_as_wide_as_a_page_takes_no_more_memory_than_it_is_long(files: Path) -> None:
    """numpy's limit of rows allocated 2^24 rows as wide as the first."""
    (files / "wide.csv").write_text(",".join(["1"] * 4000) + "\n1\n")
    found = load_rows(files / "wide.csv")
    assert isinstance(found, Unusable) and "number of columns changed from 4000 to 1" in found.given
    (files / "wide.csv").write_text(",".join(["1"] * 4000) + "\n")
    assert np.array_equal(load_rows(files / "wide.csv"), np.ones((1, 4000)))
