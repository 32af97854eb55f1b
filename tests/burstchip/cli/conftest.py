"""The command line, run within this process."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from disturbed import COMMANDS, EVERY, TRAIN, succeed

from burstchip.cli.main import main

#: A network that runs without a task or plasticity, so that its loop compiles in a few seconds.
PAIR = """burstchip: 1
name: pair
step: 1 ms
seed: 3
parameters:
  rate: 200 Hz
populations:
  source: {model: rate_source, size: 4, rate: "${rate}"}
  cell: {model: lif, size: 3, bias: 50 pA}
projections:
  - {name: drive, from: source, to: cell.soma, weight: {uniform: [1 mV, 4 mV]}}
probes: [cell.v, cell.events]
"""


@dataclass(frozen=True)
class Done:
    """What a command did: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The last line of stdout as the JSON object that it must be."""
        value = json.loads(self.out.splitlines()[-1])
        assert isinstance(value, dict)
        return value


Run = Callable[..., Done]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def interruptible(tmp_path: Path) -> Start:
    """`interruptible("run", "net.burst")` starts a process of its own, in the folder of the test.

    Ctrl-C reaches it even where the tests run in the background, whose processes inherit an ignored SIGINT.
    """

    def start(*arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "burstchip", *map(str, arguments)],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    return start


@pytest.fixture
def burstchip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`burstchip("check", "net.yaml")`, in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["burstchip", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code or 0
        assert isinstance(code, int)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """The file of a small network."""
    path = tmp_path / "pair.yaml"
    path.write_text(PAIR)
    return path


@pytest.fixture
def artifact(pair: Path) -> Path:
    """The small network, compiled."""
    from burstchip import compile_file, save_artifact

    code, _ = compile_file(pair)
    save_artifact(code, pair.with_name("net.burst"))
    return pair.with_name("net.burst")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network, its artifact, a recording, a deployment, a training, and a report if asked."""
    folder = tmp_path_factory.mktemp("whole")
    succeed(folder, "new", "digits", ".")
    succeed(folder, *TRAIN)
    for name in ("compile", "run", "deploy", *(["report"] if EVERY else [])):
        succeed(folder, *COMMANDS[name])
    return folder


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Callable[[], Path]:
    """`copied()` is a fresh copy of `whole`, always in one place."""

    def copy() -> Path:
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        return Path(shutil.copytree(whole, tmp_path / "copy"))

    return copy
