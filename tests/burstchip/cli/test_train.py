"""The command only: what training does is tested beside it. A stand-in takes the options."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from burstchip.tasks import training
from burstchip.tasks.epochs import TrainProgress
from burstchip.tasks.train_options import TrainOptions
from hw_models.diagnostics import BurstchipError, Diagnostic

SUMMARY: dict[str, Any] = {
    "task": "digits",
    "seed": 3,
    "epochs": 2,
    "weight_form": "carry",
    "train_error": 0.0123,
    "test_error": 0.0456,
    "samples_per_second": 2812.4,
    "synaptic_events_per_second": 4.1e8,
    "artifact_sha256": "ab" * 32,
    "backend": "sim",
    "state_sha256": "cd" * 32,
    "diagnostics": [],
}


class Stand:
    """A stand-in for `train`: keeps the options and does `act`."""

    def __init__(self) -> None:
        self.options: TrainOptions | None = None
        self.act: Any = lambda: None

    def __call__(self, options: TrainOptions, watch: Any = None) -> dict[str, Any]:
        self.options = options
        if watch is not None:
            watch(TrainProgress(1, 2, 10, 20, 0.5))
        self.act()
        return SUMMARY


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand()
    monkeypatch.setattr(training, "train", stand)
    return stand


def test_every_option_reaches_the_training(stand: Stand, burstchip) -> None:
    done = burstchip(
        "train", "net.yaml", "--seed", 3, "--epochs", 2, "--out", "run", "--resume", "--backend", "reference",
        "--freeze", "a", "--freeze", "b", "--data", "d", "--set", "x=1", "--set", "y= 2 mV", "--strict",
        "--from", "old",
    )  # fmt: skip
    assert done.code == 0
    assert stand.options == TrainOptions(
        network_path=Path("net.yaml"),
        out=Path("run"),
        seed=3,
        epochs=2,
        resume=True,
        overwrite=False,
        backend="reference",
        frozen=("a", "b"),
        data_dir=Path("d"),
        overrides={"x": "1", "y": " 2 mV"},
        strict=True,
        start_from=Path("old"),
    )


def test_the_result_is_told(stand: Stand, burstchip) -> None:
    done = burstchip("train", "net.yaml", "--out", "run")
    assert done.code == 0 and done.err == ""
    lines = done.out.splitlines()
    assert "run with        weight form carry (emulation only), backend sim" in lines
    assert "test error      4.56 %" in lines
    assert lines[-1] == "results in 'run'; now: burstchip report run"


def test_json_is_the_last_line_and_alone_on_stdout(stand: Stand, burstchip) -> None:
    done = burstchip("train", "net.yaml", "--out", "run", "--json")
    assert done.out.count("\n") == 1 and json.loads(done.out) == SUMMARY
    assert "4.56 %" in done.err


def test_warnings_go_to_stderr(stand: Stand, burstchip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUMMARY, "diagnostics", ["warning[BC330]: emulation only"])
    for options in ((), ("--quiet",), ("--json",)):
        done = burstchip("train", "net.yaml", "--out", "run", *options)
        assert done.code == 0 and "warning[BC330]: emulation only\n" in done.err


def test_quiet(stand: Stand, burstchip) -> None:
    done = burstchip("train", "net.yaml", "--out", "run", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    done = burstchip("train", "net.yaml", "--out", "run", "--quiet", "--json")
    assert done.json == SUMMARY and done.err == ""


def test_errors_of_the_training_are_exit_code_2(stand: Stand, burstchip) -> None:
    def fail() -> None:
        raise BurstchipError(Diagnostic("BC561", "'x' cannot be frozen: it is not plastic"))

    stand.act = fail
    done = burstchip("train", "net.yaml", "--out", "run", "--json")
    assert done.code == 2 and done.err == "error[BC561]: 'x' cannot be frozen: it is not plastic\n"
    assert done.json["diagnostics"][0]["id"] == "BC561" and done.json["ok"] is False


def test_a_full_disk_is_said(stand: Stand, burstchip) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    stand.act = full
    done = burstchip("train", "net.yaml", "--out", "run")
    assert done.code == 2
    assert done.err.startswith("error[BC608]: 'run' cannot be written\n")


def test_ctrl_c_says_how_to_go_on(stand: Stand, burstchip) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    def interrupt_later() -> None:
        Path("run").mkdir(exist_ok=True)
        Path("run/checkpoint.safetensors").write_text("")
        raise KeyboardInterrupt

    stand.act = interrupt
    done = burstchip("train", "net.yaml", "--out", "run")
    assert (done.code, done.err) == (130, "interrupted; nothing was written\n")
    stand.act = interrupt_later
    done = burstchip("train", "net.yaml", "--out", "run")
    assert done.code == 130
    assert done.err == "interrupted; the checkpoint is in 'run', --resume continues from it\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "--overwrite"], "error[BC611]: --resume and --overwrite exclude each other"),
        (["--backend", "loihi2"], "error[BC551]: backend 'loihi2' cannot run here"),
        (["--backend", "refrence"], "did you mean: reference"),
        (["--set", "x"], "error[BC601]: 'x' is not of the form KEY=VALUE"),
        (["--out", "file"], "error[BC610]: 'file' is not a folder"),
        (["--out", "file/run"], "error[BC608]: 'file/run' cannot be written"),
        (["--out", "x" * 300], "given: File name too long"),
    ],
)
def test_wrong_options(arguments: list[str], message: str, stand: Stand, tmp_path: Path, burstchip) -> None:
    (tmp_path / "file").write_text("")
    done = burstchip("train", "net.yaml", "--out", "run", *arguments)
    assert done.code == 2 and message in done.err and stand.options is None
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "BC563"),
        (["--epochs", "-1"], "BC563"),
        (["--seed", "-1"], "BC103"),
        (["--freeze", "hiden"], "did you mean: hidden"),
        (["--set", "hidden_siz=3"], "did you mean: hidden_size"),
        (["--data", "."], "BC529"),
    ],
)
def test_options_that_the_training_refuses(
    arguments: list[str], message: str, tmp_path: Path, burstchip
) -> None:
    burstchip("new", "digits", ".")
    done = burstchip("train", "network.yaml", "--out", "run", *arguments)
    assert done.code == 2 and message in done.err and "Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["network.yaml"]


def test_a_network_without_a_task(pair: Path, burstchip) -> None:
    done = burstchip("train", pair, "--out", "run")
    assert done.code == 2 and "BC560" in done.err and not Path("run").exists()


def test_what_is_trained_is_a_file_or_a_folder_to_go_on_with(tmp_path: Path, burstchip) -> None:
    burstchip("new", "digits", ".")
    options = ["--set", "hidden_size=4", "--seed", 3, "--freeze", "hidden", "--backend", "plain"]
    for command, said in (
        (["train", "network.yaml"], "error[BC611]: an output is missing"),
        (["train", tmp_path], f"error[BC611]: '{tmp_path}' is a folder"),
        (
            ["train", tmp_path, "--resume"],
            f"error[BC565]: checkpoint '{tmp_path}/checkpoint.safetensors' cannot",
        ),
    ):
        done = burstchip(*command, *options)
        assert done.code == 2 and done.err.startswith(said)


@pytest.mark.slow
def test_ctrl_c_and_resume_with_the_training_itself(tmp_path: Path, burstchip, interruptible) -> None:
    burstchip("new", "digits", ".")
    options = ["network.yaml", "--seed", 1, "--epochs", 6, "--set", "weight_form=carry"]
    whole = burstchip("train", *options, "--out", "whole", "--json")
    assert whole.code == 0
    running = interruptible("train", *options, "--out", "run")
    for _ in range(600):
        if (tmp_path / "run" / "checkpoint.safetensors").exists():
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130 and err.startswith("interrupted; ")
    assert burstchip("train", *options, "--out", "run").code == 2
    resumed = burstchip("train", "run", "--resume", "--json")
    assert resumed.json["state_sha256"] == whole.json["state_sha256"]
