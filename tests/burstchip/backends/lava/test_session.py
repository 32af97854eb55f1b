"""Lava in a child process: what goes wrong there ends in time, with an error that says what it was."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from burstchip.backends.lava.recorder import Track
from burstchip.backends.lava.session import LavaRun, LavaWorker
from burstchip.frontend import load_network
from burstchip.variables import variables_of
from compiler.ir.chip_program import ChipProgram
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError

pytestmark = pytest.mark.usefixtures("needs_lava")

TEXT = """burstchip: 1
name: pair
step: 1 ms
seed: 3
populations:
  source: {model: rate_source, size: 4, rate: 200 Hz}
  cell: {model: lif, size: 3, bias: 50 pA}
projections:
  - {name: drive, from: source, to: cell.soma, weight: {uniform: [1 mV, 4 mV]}}
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    path = tmp_path_factory.mktemp("pair") / "pair.yaml"
    path.write_text(TEXT)
    return compile_network(load_network(path))


def everything(code: ChipProgram) -> tuple[tuple[str, str], ...]:
    return tuple((p.name, v) for p in code.populations for v in variables_of(code, p.name))


def test_parts_of_a_run_join(pair: ChipProgram) -> None:
    with LavaWorker() as worker:
        whole = LavaRun(worker, pair, None, everything(pair))
        expected = whole.advance(30)
        whole.close()
        # Fewer rows than steps: the files are written over.
        cut = LavaRun(worker, pair, None, everything(pair), rows=7)
        parts = [cut.advance(steps) for steps in (7, 1, 5, 7, 7, 3)]
        cut.close()
    assert expected["cell", "v"].any() and expected["source", "events"].any()
    for place, values in expected.items():
        np.testing.assert_array_equal(np.concatenate([part[place] for part in parts]), values)


def test_stock_processes_are_named(pair: ChipProgram) -> None:
    with LavaWorker() as worker:
        assert LavaRun(worker, pair).stock == ("cell", "drive")


def test_a_model_that_fails_ends_lava_at_once_and_the_worker_starts_anew(pair: ChipProgram) -> None:
    with LavaWorker() as worker:
        run = LavaRun(worker, pair, None, everything(pair))
        # The models open their files in their first step, which is in processes of Lava's own.
        for path in Path(run._folder.name).glob("*.track"):
            path.unlink()
        started = time.monotonic()
        with pytest.raises(BurstchipError) as caught:
            run.advance(10)
        assert time.monotonic() - started < 20
        assert caught.value.diagnostics[0].id == "BC553"
        assert "FileNotFoundError" in str(caught.value) and ".track" in str(caught.value)
        again = LavaRun(worker, pair, None, everything(pair))
        assert again.advance(5)["cell", "v"].shape == (5, 3)


def test_no_answer_in_time(pair: ChipProgram) -> None:
    with LavaWorker() as worker:
        run = LavaRun(worker, pair, rows=1_000_000)
        worker.answer_seconds = 0.3
        with pytest.raises(BurstchipError) as caught:
            run.advance(1_000_000)
    assert "Lava did not answer within 0.3 s" in str(caught.value)


def test_nothing_stays_behind(pair: ChipProgram) -> None:
    def shared_memory() -> set[str]:
        return {name for name in os.listdir("/dev/shm") if name.startswith("psm_")}

    before = shared_memory()
    with LavaWorker() as worker:
        run = LavaRun(worker, pair, None, everything(pair))
        folder = Path(run._folder.name)
        run.advance(5)
        assert worker._child is not None
        group = worker._child.pid
        # The network is left open, as an error elsewhere would leave it.
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and shared_memory() - before:
        time.sleep(0.1)
    assert not shared_memory() - before
    assert not _members(group)
    run._folder.cleanup()
    assert not folder.exists()


PARENT = """
import sys, time
from burstchip.backends.lava.recorder import Track
from burstchip.backends.lava.session import LavaRun, LavaWorker
from burstchip.frontend import load_network
from compiler.pipeline import compile_network

worker = LavaWorker()
run = LavaRun(worker, compile_network(load_network(sys.argv[1])), None, {})
run.advance(5)
print(worker._child.pid, flush=True)
time.sleep(600)
"""


def test_lava_ends_with_us_even_if_we_are_killed(tmp_path: Path) -> None:
    (tmp_path / "pair.yaml").write_text(TEXT)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path / "pair.yaml"], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    group = int(parent.stdout.readline())
    assert _members(group)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and _members(group):
        time.sleep(0.1)
    assert not _members(group)


def _members(group: int) -> list[str]:
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and _group_of(pid) == group]


def _group_of(pid: str) -> int | None:
    """The process group, None for a process that has ended and only waits to be counted."""
    try:
        state, _, group = Path("/proc", pid, "stat").read_text().rsplit(")", 1)[1].split()[:3]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(group)


def test_a_temporary_folder_without_room(
    pair: ChipProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(BurstchipError) as caught:
        LavaRun(None, pair, None, everything(pair))
    assert str(caught.value) == (
        "error[BC574]: the temporary folder cannot hold what Lava and burstchip exchange\n"
        "  required: a folder that can be written to, with room    given: No space left on device    "
        "hint: name another one by the environment variable TMPDIR, or record less"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_track_takes_its_room_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in (False, True):
        if missing:
            monkeypatch.delattr(os, "posix_fallocate")
        track = Track(tmp_path / f"{missing}.track", 300, 1000)
        assert not track.make().any() and track.open("r").shape == (1000, 300)
        assert track.path.stat().st_blocks * 512 >= 4 * 300 * 1000
