"""Disks that fill, signals at random moments, two writers of one output: each command in its own process.

Each ends with an exit code and at most one message, without a traceback; what was there before is whole;
nothing hidden is left once the next command has written there; a training that is resumed ends as if
nothing had happened. `DISTURBED` in the environment is how many of each are tried, and `SEED` what they are
drawn with.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NUMBER = int(os.environ.get("DISTURBED", "1"))
DRAW = random.Random(int(os.environ.get("SEED", "0")))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)

Copy = Callable[[Path, Path], None]

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_folders() -> None:
    """Unlike the tests of data sets, these keep the folder of compiled loops that all tests share."""


def start(folder: Path, *arguments: object, room: int | None = None) -> subprocess.Popen[str]:
    """A command in `folder`; with `room` files of more bytes are refused, as on a disk that is full."""

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    return subprocess.Popen(
        [sys.executable, "-m", "burstchip", *map(str, arguments)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=prepare,
    )


def done(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=200)
    assert "Traceback" not in err and "Exception ignored" not in err, err
    return process.returncode, out, err


def succeed(folder: Path, *arguments: object) -> str:
    code, out, err = done(start(folder, *arguments))
    assert code == 0, err
    return out


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob(".*.part"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


TRAIN = ("train", "network.yaml", "--out", "run", "--set", "hidden_size=8", "--epochs", 3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network, its artifact, a recording, a deployment and a training with its report."""
    folder = tmp_path_factory.mktemp("whole")
    succeed(folder, "new", "digits", ".")
    succeed(folder, *TRAIN)
    succeed(folder, "compile", "network.yaml", "-o", "net.burst")
    succeed(folder, "run", "net.burst", "--steps", 2000, "-o", "out.nc")
    succeed(folder, "deploy", "net.burst", "--dry-run", "--out", "sent")
    succeed(folder, "report", "run")
    return folder


def summary(folder: Path) -> Any:
    found = json.loads((folder / "run" / "summary.json").read_text())
    return {name: found[name] for name in ("state_sha256", "test_error", "train_error", "confusion")}


COMMANDS: dict[str, tuple[object, ...]] = {
    "new": ("new", "digits", "other"),
    "compile": ("compile", "network.yaml", "-o", "net.burst"),
    "run": ("run", "net.burst", "--steps", 2000, "-o", "out.nc"),
    "train": (*TRAIN, "--overwrite"),
    "report": ("report", "run"),
    "deploy": ("deploy", "net.burst", "--dry-run", "--out", "sent", "--overwrite"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_files_that_do_not_fit(name: str, whole: Path, tmp_path: Path, copy: Copy) -> None:
    command = COMMANDS[name]
    for _ in range(NUMBER):
        folder = tmp_path / "copy"
        copy(whole, folder)
        before = contents(folder)
        room = int(2 ** DRAW.uniform(0, 18))
        code, _, err = done(start(folder, *command, room=room))
        assert code in (0, 2), (room, err)
        assert hidden(folder) == []
        if code == 2:
            assert err.count("error[BC") == 1, err
            after = contents(folder)
            if name == "train":
                # The earlier run is whole, or the new one has a first checkpoint, and goes on.
                if "run/summary.json" in after:
                    assert after == before, room
                else:
                    succeed(folder, "train", "run", "--resume")
                assert summary(folder) == summary(whole)
            else:
                assert after == before, room


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


def disturb(process: subprocess.Popen[str], longest: float = 5.0) -> None:
    """Send a signal at a random moment; what the process then says."""
    # Python itself says what interrupts it before any line of the program runs.
    time.sleep(DRAW.uniform(0.5, longest))
    number = DRAW.choice(SIGNALS)
    process.send_signal(number)
    code, _, err = done(process)
    assert code in (0, -number if number == signal.SIGKILL else 128 + number), (number, code, err)
    if code > 0:
        (line,) = err.splitlines()
        assert line.startswith(("interrupted", f"ended by {number.name}")), line


def test_signals_in_a_run(whole: Path, tmp_path: Path, copy: Copy) -> None:
    folder = tmp_path / "copy"
    copy(whole, folder)
    before = (folder / "out.nc").read_bytes()
    long = ("run", "net.burst", "--steps", 400_000, "--record", "hidden.v", "-o", "out.nc")
    for _ in range(NUMBER):
        disturb(start(folder, *long), 3.0)
        assert (folder / "out.nc").read_bytes() == before
    succeed(folder, *COMMANDS["run"])
    assert hidden(folder) == []


@pytest.mark.parametrize("name", ["run", "train", "deploy", "compile", "report"])
def test_two_writers(name: str, whole: Path, tmp_path: Path, copy: Copy) -> None:
    folder = tmp_path / "copy"
    copy(whole, folder)
    processes = [start(folder, *COMMANDS[name]) for _ in range(2)]
    codes = [done(process) for process in processes]
    assert sorted(code for code, _, _ in codes)[0] == 0
    for code, _, err in codes:
        assert code == 0 or (code == 2 and err.count("error[BC") == 1), err
    assert hidden(folder) == []
    assert summary(folder) == summary(whole)
    again = contents(folder)
    for file in ("out.nc", "net.burst", "sent/manifest.json"):
        assert len(again[file]) == len((whole / file).read_bytes()), file


@pytest.fixture
def copy() -> Callable[[Path, Path], None]:
    """`copy(FROM, TO)` replaces a folder by a copy of another one."""

    def copied(source: Path, target: Path) -> None:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)

    return copied
