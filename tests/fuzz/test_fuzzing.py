"""Altered files of every format, a fixed few: no traceback, hang, warning or half of a file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from fuzzing import guard, oracle, search
from fuzzing.altering import alter
from fuzzing.formats import BY_NAME, FORMATS
from fuzzing.search import Input
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burstchip.compilation import check_file

HERE = Path(__file__).parent
NETWORKS = sorted((HERE / "fuzzing" / "corpus").glob("*.yaml"))


@pytest.mark.once
def test_a_fixed_few_of_every_format(whole: Path) -> None:
    arguments = [
        str(HERE / "campaign.py"),
        "--inputs",
        "36",
        "--seed",
        "20",
        "--corpus",
        str(whole),
        "--quick",
    ]
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "36 inputs" in done.stdout and ", 0 kinds of findings" in done.stdout
    assert all(f"  {name} " in done.stdout for name in BY_NAME)


def content(folder: Path) -> str:
    digest = sha256()
    for path in sorted(it for it in folder.rglob("*") if it.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


@pytest.mark.parametrize("name", BY_NAME)
def test_an_input_is_a_function_of_seed_format_and_number(name: str, whole: Path, tmp_path: Path) -> None:
    found = []
    for number, where in ((0, "a"), (0, "b"), (1, "c"), (2, "d")):
        (tmp_path / where).mkdir()
        it = Input(BY_NAME[name], 3, number)
        file, said = it.lay_out(whole, tmp_path / where)
        found.append((content(tmp_path / where), file, said, it.lines(file)))
    assert found[0] == found[1]
    assert found[1:] != [found[0]] * 3


def test_shares_are_of_all() -> None:
    assert sum(it.share for it in FORMATS) == pytest.approx(1)


@pytest.mark.parametrize(
    ("work", "kind"),
    [
        ("raise KeyError('x')", "traceback: KeyError in unknown"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crash: SIGSEGV in unknown"),
        ("[None for _ in iter(int, 1)]", "hang: check in unknown"),
    ],
)
def test_what_ends_badly_is_seen(work: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "PROCESSOR_S", 0)

    def worked(trace: int) -> str:
        guard.begin_command(trace)
        os.write(trace, b'\nNOTE {"line": "check net.yaml"}\n')
        exec(work, {"os": os, "signal": signal})
        return "{}"

    ended = guard.guarded(worked)
    found, _ = search._judged(Input(BY_NAME["yaml"], 0, 0), ended, 1 << 40)
    assert [it.kind for it in found] == [kind]


def test_what_a_command_leaves_is_seen(tmp_path: Path) -> None:
    def problems(line: str, code: int, err: str = "error[BC001]: x", before: oracle.Files = {}) -> list[str]:  # noqa: B006
        return list(oracle.problems(line, code, "", err, tmp_path, before))

    assert problems("check net.yaml", 2) == []
    assert problems("check net.yaml", 2, "oh") == ["no message: check: oh"]
    assert problems("check net.yaml", 1) == ["exit code: 1 of check"]
    warned = "/lib/numpy/core.py:3: RuntimeWarning: overflow\n  x\n"
    assert problems("check net.yaml", 0, warned) == ["warning: RuntimeWarning in core.py: overflow"]
    (tmp_path / "page.html").write_text("<html>")
    assert problems("report x -o page.html", 2) == ["left: report was refused and changed .html"]
    before = oracle.files_of(tmp_path)
    assert problems("report x -o page.html", 2, before=before) == []
    (found,) = problems("report x -o page.html", 0)
    assert found.startswith("half: report wrote .html")
    (found,) = problems("run x -o out.nc", 0)
    assert found.startswith("half: run wrote .nc")


@pytest.mark.once
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(draw=st.randoms(use_true_random=False), path=st.sampled_from(NETWORKS), changes=st.integers(1, 3))
def test_a_network_of_any_text_is_checked(draw: Random, path: Path, changes: int, tmp_path: Path) -> None:
    """Led and made small by hypothesis: messages, and never an exception."""
    altered = tmp_path / "net.yaml"
    shutil.copy(path, altered)
    for _ in range(changes):
        alter(altered, draw, NETWORKS)
    check_file(altered)
