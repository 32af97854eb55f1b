"""What the command prints; how fast anything is, no test asserts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import throughput
from benchmarks.startup import start_up

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """So wide that a table wraps no text, whatever it measures."""
    monkeypatch.setenv("COLUMNS", "200")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, Any], str]:
    """(the JSON object, what is printed for people)."""
    throughput.main(["--quick", "--json", *arguments])
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1
    result: dict[str, Any] = json.loads(printed.out)
    return result, printed.err


def test_one_json_object_with_the_ratio_to_plain(capsys: pytest.CaptureFixture[str]) -> None:
    result, text = run(capsys, "--only", "lif")

    (line,) = result["results"]
    assert (line["name"], line["unit"]) == ("lif", "neuron updates/s")
    assert line["ratio"] == pytest.approx(line["burstchip"]["median"] / line["plain"]["median"])
    for rate in (line["burstchip"], line["plain"]):
        assert 0 < rate["lowest"] <= rate["median"] <= rate["highest"]
    assert result["machine"]["cores"] >= 1
    assert result["start_up"] is None
    assert " plain " in text
    assert "10,000 LIF neurons" in text


def test_data_that_are_not_there_are_told_without_a_path(
    capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = tmp_path_factory.mktemp("empty")

    result, text = run(capsys, "--only", "mnist-carry", "--data", str(empty))

    assert result["results"] == []
    assert list(result["not_measured"]) == ["mnist-carry"]
    assert "its data are not here (BC520)" in text
    assert str(empty) not in text + json.dumps(result)


@pytest.mark.slow
def test_start_up_is_timed_in_processes_of_their_own() -> None:
    times = start_up(repeats=1)

    assert times.help > 0
    assert 0 < times.first_step < times.whole_run
    assert times.compiling > 0
