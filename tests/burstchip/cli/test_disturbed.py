"""Files that do not fit, signals at random moments, two writers of one output: each in its own process.

Each command ends with an exit code and at most one message, without a traceback; what was there before is
whole; nothing hidden is left once the next command has written there; a training that is resumed ends as if
nothing had happened. `tests/shared/disturbed` says how many are tried.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from disturbed import (
    COMMANDS,
    DRAW,
    NUMBER,
    TRAIN,
    contents,
    done,
    hidden,
    require_done_or_refused,
    require_whole,
    some,
    start,
    succeed,
    summary,
)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
#: Takes longer than the signal lets it.
LONG_RUN = ("run", "net.burst", "--steps", 400_000, "--record", "hidden.v", "-o", "out.nc")

pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture(autouse=True)
def own_folders() -> None:
    """Unlike the tests of data sets, these keep the folder of compiled loops that all tests share."""


@pytest.mark.parametrize("name", some("train"))
def test_files_that_do_not_fit(name: str, whole: Path, copied: Callable[[], Path]) -> None:
    for _ in range(NUMBER):
        folder = copied()
        before = contents(folder)
        room = int(2 ** DRAW.uniform(0, 18))
        code, _, err = done(start(folder, *COMMANDS[name], room=room))
        require_done_or_refused(code, err, room)
        assert hidden(folder) == []
        require_whole(folder, before, whole)


def test_signals_in_a_training(whole: Path, tmp_path: Path) -> None:
    succeed(tmp_path, "new", "digits", ".")
    for _ in range(NUMBER):
        begun = (tmp_path / "run" / "checkpoint.safetensors").exists()
        process = start(tmp_path, *(("train", "run", "--resume") if begun else TRAIN))
        disturb(process)
    begun = (tmp_path / "run" / "checkpoint.safetensors").exists()
    succeed(tmp_path, *(("train", "run", "--resume") if begun else TRAIN))
    assert summary(tmp_path) == summary(whole)
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("name", some("deploy"))
def test_signals(name: str, whole: Path, copied: Callable[[], Path]) -> None:
    for _ in range(NUMBER):
        folder = copied()
        before = contents(folder)
        disturb(start(folder, *(LONG_RUN if name == "run" else COMMANDS[name])), 3.0)
        require_whole(folder, before, whole)
        if name == "new":
            shutil.rmtree(folder / "other", ignore_errors=True)
        # The next command there removes what a killed one left.
        succeed(folder, *COMMANDS[name])
        assert hidden(folder) == []


def disturb(process: subprocess.Popen[str], longest: float = 5.0) -> None:
    """Send a signal at a random moment; what the process then says."""
    # Python itself says what interrupts it before any line of the program runs.
    time.sleep(DRAW.uniform(0.5, longest))
    number = DRAW.choice(SIGNALS)
    process.send_signal(number)
    code, _, err = done(process)
    # A shell has one number for both. Python ends itself by the signal if its handlers are not set yet, or
    # where Ctrl-C met a text that a library executes, whoever caught it.
    assert code in (0, -number, 128 + number), (number, code, err)
    said = [] if code == 0 else err.splitlines()
    assert len(said) == 1 or (not said and code <= 0), (number, code, err)
    assert all(line.startswith(("interrupted", f"ended by {number.name}")) for line in said), said


@pytest.mark.parametrize("name", some("compile"))
def test_two_writers(name: str, whole: Path, copied: Callable[[], Path]) -> None:
    for _ in range(NUMBER):
        folder = copied()
        before = contents(folder)
        found = [done(process) for process in [start(folder, *COMMANDS[name]) for _ in range(2)]]
        assert 0 in [code for code, _, _ in found]
        for code, _, err in found:
            require_done_or_refused(code, err)
        assert hidden(folder) == []
        require_whole(folder, before, whole)
