from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from burstchip.backends.compiling import report_compiling
from burstchip.backends.sim import compiled
from burstchip.backends.sim.unit import Unit
from burstchip.cli.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_shown_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("working") as advance:
        advance(1, 2, "half")
    assert tuple(capsys.readouterr()) == ("", "")


def test_a_terminal_shows_share_time_left_and_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("working") as advance:
        advance(0, 0, "fetching")
        advance(0, 200, "0 steps")
        advance(100, 200, "running error 12.00 %")
    shown = terminal.getvalue()
    assert "working" in shown and " 50%" in shown and "running error 12.00 %" in shown


def test_quiet_shows_nothing_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("working", quiet=True) as advance:
        advance(1, 2, "half")
    assert terminal.getvalue() == ""


def test_a_closed_stderr_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with progress("working") as advance:
        advance(1, 2, "half")


def test_compiling_is_shown_where_it_happens_and_only_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("BURSTCHIP_CACHE", str(tmp_path))
    monkeypatch.setattr(compiled, "_address", compiled._address.__wrapped__)
    unit = Unit()
    unit.add("pass")
    for seen in (True, False):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress("working", "preparing"):
            compiled.load_text(unit.call("source", "").text)
        assert ("compiling (once)" in terminal.getvalue()) is seen
    report_compiling()  # nobody listens
