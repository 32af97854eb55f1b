"""Commands in processes of their own, and what must be true of their folder after one was disturbed.

`DISTURBED` in the environment is how many disturbances of each kind are tried, of every command rather than
of a few, and `SEED` what they are drawn with.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

EVERY = "DISTURBED" in os.environ
NUMBER = int(os.environ.get("DISTURBED", "1"))
DRAW = random.Random(int(os.environ.get("SEED", "0")))

TRAIN = ("train", "network.yaml", "--out", "run", "--set", "hidden_size=8", "--epochs", 2)

COMMANDS: dict[str, tuple[object, ...]] = {
    "new": ("new", "digits", "other"),
    "compile": ("compile", "network.yaml", "-o", "net.burst"),
    "run": ("run", "net.burst", "--steps", 2000, "-o", "out.nc"),
    "train": (*TRAIN, "--overwrite"),
    "report": ("report", "run"),
    "deploy": ("deploy", "net.burst", "--dry-run", "--out", "sent", "--overwrite"),
}


def some(*names: str) -> list[str]:
    """These commands; all with `DISTURBED`."""
    return [*COMMANDS] if EVERY else [*names]


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
    """(exit code, stdout, stderr) of a process that ended without a traceback."""
    out, err = process.communicate(timeout=200)
    assert "Traceback" not in err and "Exception ignored" not in err, err
    return process.returncode, out, err


def succeed(folder: Path, *arguments: object) -> str:
    """What a command says that must succeed."""
    code, out, err = done(start(folder, *arguments))
    assert code == 0, err
    return out


def require_done_or_refused(code: int, err: str, what: object = None) -> None:
    """Exit code 0, or 2 with one message."""
    assert code in (0, 2), (what, code, err)
    assert code == 0 or err.count("error[BC") == 1, (what, err)


def hidden(folder: Path) -> list[str]:
    """What writers have under way, or left."""
    return sorted(path.name for path in folder.rglob(".*.part"))


def contents(folder: Path) -> dict[str, bytes]:
    """All files, but for what is hidden."""
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {str(name): path.read_bytes() for name, path in files.items() if ".part/" not in str(name)}


def summary(folder: Path) -> Any:
    """What a training found."""
    found = json.loads((folder / "run" / "summary.json").read_text())
    return {name: found[name] for name in ("state_sha256", "test_error", "train_error", "confusion")}


def require_whole(folder: Path, before: dict[str, bytes], whole: Path) -> None:
    """Each result is the earlier one or the new one, and nothing else is there; a training goes on."""
    after = contents(folder)
    made = {name for name in after.keys() - before.keys() if name.startswith("other/")}
    assert made in (set(), {"other/network.yaml"})
    if "run/summary.json" not in after:
        # Of the new training there is at least a first checkpoint.
        succeed(folder, "train", "run", "--resume")
        assert summary(folder) == summary(whole)
        return
    assert after.keys() - made == before.keys()
    for name, data in before.items():
        if not name.startswith("run/"):
            # What is made again differs in dates and seconds alone.
            assert len(after[name]) == len(data), name
    assert summary(folder) == summary(whole)
    assert after.get("run/report.html", b"</html>").endswith(b"</html>")
