"""Workload and devices files: what they say, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.runner.devices import read_devices
from benchmarks.runner.programs import program_of
from benchmarks.runner.workload import all_workloads, cases
from hw_models.diagnostics import BurstchipError

WHOLE = "title: mine\nkind: run\nnetwork: {file: net.yaml}\nsame: 10\n"


def test_all_that_come_with_burstchip_can_be_read() -> None:
    assert {name: len(list(cases(name))) for name in all_workloads()} == {
        "braille": 1,
        "digits_adapted": 1,
        "digits_frozen": 1,
        "digits_learned": 1,
        "mnist_learned": 1,
        "neurons": 1,
        "recurrent": 3,
        "synapses": 1,
        "xor": 1,
    }


@pytest.mark.parametrize("name", ["neurons", "recurrent"])
def test_their_networks_compile_with_their_parameters(name: str) -> None:
    for case in cases(name):
        size = case.parameters.get("size", 10_000)
        assert program_of(case, 0).population("cells").size == size


def test_every_combination_is_a_case(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WHOLE + "set: {rate: 5 Hz}\nover: {size: [1, 2], delay: [3]}\n")
    found = list(cases(str(path)))
    assert [it.name for it in found] == ["mine[size=1,delay=3]", "mine[size=2,delay=3]"]
    assert found[1].parameters == {"rate": "5 Hz", "size": 2, "delay": 3}
    assert found[1].file_name == "mine_size=2_delay=3_"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (WHOLE.replace("kind: run", "kind: walk"), "2:7", "'kind' does not fit"),
        (WHOLE + "seds: 3\n", "5:1", "unknown key 'seds'"),
        (WHOLE + "seeds: 0\n", "5:8", "'seeds' does not fit"),
        (WHOLE + "over: {size: [1, [2]]}\n", "5:7", "'over' does not fit"),
        (WHOLE.replace("same: 10\n", ""), "1:1", "'the file' does not fit"),
        ("title: [\n", "2:1", ""),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, text: str, place: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(BurstchipError) as caught:
        list(cases(str(path)))
    found = caught.value.diagnostics[0]
    assert found.place is not None and said in found.message
    assert f"{found.place.line}:{found.place.column}" == place


def test_a_network_needs_one_source(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WHOLE.replace("file: net.yaml", "file: net.yaml, template: digits"))
    with pytest.raises(BurstchipError, match="template and file"):
        list(cases(str(path)))


def test_an_unknown_one_is_named_with_the_nearest() -> None:
    with pytest.raises(BurstchipError, match="did you mean: recurrent"):
        list(cases("recurent"))


def test_missing_files_of_nir_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BURSTCHIP_NIR", raising=False)
    with pytest.raises(BurstchipError, match="BC853"):
        program_of(next(cases("braille")), 0)


def test_devices(tmp_path: Path) -> None:
    path = tmp_path / "devices.yaml"
    path.write_text("devices:\n  board: {connect: 'serial:///dev/ttyACM0', slow: yes, power: [meter]}\n")
    (board,) = read_devices(path).values()
    assert (board.connect, board.slow, board.power) == ("serial:///dev/ttyACM0", True, ["meter"])
    path.write_text("devices:\n  board: {connect: x, slw: yes}\n")
    with pytest.raises(BurstchipError) as caught:
        read_devices(path)
    place = caught.value.diagnostics[0].place
    assert place is not None and (place.line, place.column) == (2, 23)
    path.write_text("devices:\n  board: {slow: yes}\n")
    with pytest.raises(BurstchipError, match="missing required field `connect`"):
        read_devices(path)
