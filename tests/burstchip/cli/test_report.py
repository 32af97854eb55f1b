from __future__ import annotations

from pathlib import Path

import pytest


def test_report_says_where_the_page_is(burstchip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("burstchip.report.write_report", lambda folder: folder / "report.html")
    done = burstchip("report", "run")
    assert (done.code, done.out) == (0, f"{Path('run') / 'report.html'}\n")


def test_a_folder_that_is_no_run(tmp_path: Path, burstchip) -> None:
    done = burstchip("report", "run")
    assert done.code == 2 and "error[BC540]" in done.err and "Traceback" not in done.err
