"""What is right, made once, and a command line that says what is wrong with what a command did."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzzing import oracle
from fuzzing.corpus import command, make

#: `refused("check net.yaml")` is what a command says that has to be refused; it fails where it is not.
Refused = Callable[[str], str]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with files of every format, to be looked at only."""
    return make(tmp_path_factory.mktemp("fuzz") / "whole")


@pytest.fixture
def folder(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the current folder."""
    copied = shutil.copytree(whole, tmp_path / "copy")
    monkeypatch.chdir(copied)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    return Path(copied)


@pytest.fixture
def did(folder: Path, capfd: pytest.CaptureFixture[str]) -> Callable[[str], tuple[int, str, list[str]]]:
    """(exit code, stderr, what is wrong) of a command in the folder."""

    def run(line: str) -> tuple[int, str, list[str]]:
        capfd.readouterr()
        before = oracle.files_of(folder)
        code = command(line.split())
        out, err = capfd.readouterr()
        return code, err, list(oracle.problems(line, code, out, err, folder, before))

    return run


@pytest.fixture
def refused(did: Callable[[str], tuple[int, str, list[str]]]) -> Refused:
    """What a command says that is refused, and leaves nothing."""

    def run(line: str) -> str:
        code, err, problems = did(line)
        assert (code, problems) == (2, []), (line, err[-2000:])
        return err

    return run
