"""Standard streams that are full, closed, or not read: an exit code, at most one message, no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")


def shell(command: str) -> tuple[int, str, str]:
    """A command line after `burstchip` stands for `python -m burstchip`."""
    line = command.replace("burstchip", f"'{sys.executable}' -m burstchip")
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["--version", "new --list", "schema"])
def test_full_stdout(command: str) -> None:
    assert shell(f"burstchip {command} > /dev/full") == (
        2,
        "",
        "error[BC640]: what the command says cannot be written to stdout\n"
        "  required: a terminal, a pipe that is read, or a file with room"
        "    given: No space left on device\n",
    )


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_full_stderr() -> None:
    assert shell("burstchip new nothing folder 2> /dev/full") == (2, "", "")


def test_closed_streams() -> None:
    assert shell("burstchip --version >&-") == (0, "", "")
    code, out, _ = shell("burstchip new nothing folder 2>&-")
    assert (code, out) == (2, "")


def test_a_pipe_that_nobody_reads() -> None:
    assert shell("burstchip schema | true; echo ${PIPESTATUS[0]}") == (0, "141\n", "")
