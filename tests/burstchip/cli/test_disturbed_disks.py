"""Disks that fill up: what a command writes to, and where compiled loops are kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from disturbed import (
    COMMANDS,
    DRAW,
    EVERY,
    NUMBER,
    contents,
    hidden,
    require_done_or_refused,
    require_whole,
    some,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("mounts")]

#: Copies `WHOLE` to a disk, leaves `ROOM` KiB free there, runs the command, with `AGAIN` once more with room.
ON_A_DISK = """
mkdir disk && mount -t tmpfs -o size=1g none disk && cp -r "$WHOLE/." disk || exit 99
used=$(df -k --output=used disk | tail -1)
mount -o remount,size=$((used + ROOM))k disk || exit 99
(cd disk && "$@"); code=$?
if test "$AGAIN"; then mount -o remount,size=1g disk && (cd disk && "$@") || exit 98; fi
cp -r disk after; exit $code
"""


@pytest.fixture(autouse=True)
def own_folders() -> None:
    """Unlike the tests of data sets, these keep the folder of compiled loops that all tests share."""


@pytest.fixture(scope="module")
def mounts() -> None:
    """The right to mount disks; they are gone with the process that mounts them."""
    tried = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    if shutil.which("unshare") is None or subprocess.run(tried, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a disk")


def on_a_disk(folder: Path, whole: Path, room: int, name: str, **more: str) -> tuple[int, str]:
    """(exit code, messages) of a command on a disk with so many KiB left, whose end is copied to `after`."""
    command = [sys.executable, "-m", "burstchip", *map(str, COMMANDS[name])]
    folder.mkdir()
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", ON_A_DISK, "sh", *command],
        cwd=folder,
        env={**os.environ, "WHOLE": str(whole), "ROOM": str(room), "AGAIN": "", **more},
        text=True,
        check=False,
        capture_output=True,
        timeout=300,
    )
    assert "Traceback" not in ended.stderr and "Exception ignored" not in ended.stderr, ended.stderr
    require_done_or_refused(ended.returncode, ended.stderr, room)
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("name", some("run"))
def test_a_disk_that_fills(name: str, whole: Path, tmp_path: Path) -> None:
    for number in range(NUMBER):
        folder = tmp_path / str(number)
        on_a_disk(folder, whole, int(2 ** DRAW.uniform(0, 9)), name)
        assert hidden(folder) == []
        require_whole(folder / "after", contents(whole), whole)


@pytest.mark.skipif(not EVERY, reason="compiles all loops anew: set DISTURBED")
def test_a_cache_that_fills(whole: Path, tmp_path: Path) -> None:
    for number in range(NUMBER):
        folder, room = tmp_path / str(number), int(2 ** DRAW.uniform(0, 11))
        # What is kept of the cache is whole, and serves the second run.
        code, err = on_a_disk(folder, whole, room, "run", BURSTCHIP_CACHE="cache", AGAIN="yes")
        # The cache may leave no room for the recording.
        assert code == 0 or any(f"error[{it}]" in err for it in ("BC512", "BC552", "BC608")), err
