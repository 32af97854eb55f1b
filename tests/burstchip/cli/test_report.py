from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_report_says_where_the_page_is(burstchip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("burstchip.report.write_report", lambda folder: folder / "report.html")
    done = burstchip("report", "run")
    assert (done.code, done.out) == (0, f"{Path('run') / 'report.html'}\n")


def test_a_folder_that_is_no_run(tmp_path: Path, burstchip) -> None:
    done = burstchip("report", "run")
    assert done.code == 2 and "error[BC540]" in done.err and "Traceback" not in done.err


def test_the_page_of_a_training(tmp_path: Path, burstchip) -> None:
    """What `train` writes is what `report` reads, a time constant that integers hold for infinite too."""

    def strict(name: str) -> None:
        pytest.fail(f"{name} is no JSON")

    burstchip("new", "digits", "net")
    network = Path("net/network.yaml")
    text, line = network.read_text(), "    tau_dendrite: 7.49 ms\n"
    assert line in text
    network.write_text(text.replace(line, f"{line}    tau_soma: 1e6 ms\n", 1))
    done = burstchip("train", network, "--epochs", "1", "--set", "weight_form=carry", "--out", "run")
    assert done.code == 0, done.err
    for written in Path("run").glob("*.json"):
        json.loads(written.read_text(), parse_constant=strict)
    done = burstchip("report", "run")
    assert (done.code, done.out) == (0, f"{Path('run') / 'report.html'}\n")
    page = (Path("run") / "report.html").read_text()
    assert page.count("<svg") + page.count("data:image") >= 6 and "infinite" in page
    compiled = burstchip("compile", network, "-o", "net.burst", "--json")
    json.loads(compiled.out, parse_constant=strict)
