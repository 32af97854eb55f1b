"""Streams that are closed, full, or not read, of commands that write: what is there is whole all the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from disturbed import COMMANDS, EVERY, contents, hidden, require_whole, some

FULL = Path("/dev/full")
STREAMS = (">&-", "2>&-", ">&- 2>&-", "> /dev/full", "2> /dev/full", "> /dev/full 2>&1", "| true")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full"),
]


@pytest.fixture(autouse=True)
def own_folders() -> None:
    """Unlike the tests of data sets, these keep the folder of compiled loops that all tests share."""


@pytest.mark.parametrize("streams", STREAMS if EVERY else STREAMS[-1:])
@pytest.mark.parametrize("name", some("compile"))
def test_streams_that_take_nothing(name: str, streams: str, whole: Path, copied: Callable[[], Path]) -> None:
    folder = copied()
    before = contents(folder)
    command = f"{sys.executable} -m burstchip {' '.join(map(str, COMMANDS[name]))} {streams}"
    ended = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"],
        cwd=folder,
        text=True,
        check=False,
        capture_output=True,
        timeout=200,
    )
    closed, full, unread = (mark in streams for mark in (">&-", "full", "|"))
    allowed = {0} if closed else {0, 2} if full else {0, 141}
    assert ended.returncode in allowed and closed + full + unread == 1, (ended.returncode, ended.stderr)
    assert "Traceback" not in ended.stderr and "Exception ignored" not in ended.stderr, ended.stderr
    if ended.returncode == 2 and not streams.endswith(("&1", "2> /dev/full")):
        assert ended.stderr.count("error[BC") == 1 and "error[BC640]" in ended.stderr, ended.stderr
    assert hidden(folder) == []
    require_whole(folder, before, whole)
