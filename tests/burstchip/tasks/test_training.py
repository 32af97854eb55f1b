"""Training: the same state whatever interrupts it, and a word for everything that cannot be trained."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

import burstchip
from burstchip.files.provenance import read_provenance
from burstchip.frontend import load_network
from burstchip.tasks import epochs, training
from burstchip.tasks.checkpoint import FILE
from burstchip.tasks.epochs import TrainProgress, annealing
from burstchip.tasks.run_folder import held_folder, recorded_samples
from burstchip.tasks.train_options import TrainOptions, command_of, options_of
from burstchip.tasks.training import train
from compiler.artifact import artifact_sha256, load_artifact
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError

TEMPLATE = Path(burstchip.__file__).parent / "templates" / "digits" / "network.yaml"
SAMPLES = 1437


@pytest.fixture(autouse=True)
def own_folders() -> None:
    """Unlike the tests of data sets, these keep the folder of compiled loops that all tests share."""


def options(out: Path, form: str = "carry", **more: Any) -> TrainOptions:
    overrides = {"weight_form": form}
    return TrainOptions(TEMPLATE, out, **{"epochs": 2, "workers": 1, "overrides": overrides, **more})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, dict[str, Any]]]:
    """The folder and the summary of an undisturbed training in this form."""
    runs: dict[str, tuple[Path, dict[str, Any]]] = {}

    def run(form: str = "carry") -> tuple[Path, dict[str, Any]]:
        if form not in runs:
            out = tmp_path_factory.mktemp(form) / "run"
            runs[form] = (out, train(options(out, form)))
        return runs[form]

    return run


def errors(out: Path, **more: Any) -> list[str]:
    with pytest.raises(BurstchipError) as caught:
        train(options(out, **more))
    return [str(diagnostic).replace(str(out), "OUT") for diagnostic in caught.value.diagnostics]


def test_what_a_training_leaves(finished: Any) -> None:
    out, summary = finished()
    assert {path.name for path in out.iterdir()} == {
        "answers.safetensors",
        "checkpoint.safetensors",
        "history.json",
        "net.burst",
        "network.yaml",
        "network_as_run.yaml",
        "provenance.json",
        "quantisation.json",
        "recording_after.nc",
        "recording_before.nc",
        "summary.json",
        "trained.burst",
        "weights_after.safetensors",
        "weights_before.safetensors",
    }
    assert json.loads((out / "summary.json").read_text()) == summary
    assert (out / "network.yaml").read_bytes() == TEMPLATE.read_bytes()
    assert load_artifact(out / "net.burst")[1] == summary["artifact_sha256"]
    assert (summary["task"], summary["seed"], summary["epochs"], summary["split"]) == ("digits", 0, 2, 0)
    assert (summary["weight_form"], summary["backend"], summary["frozen"]) == ("carry", "sim", [])
    assert len(summary["state_sha256"]) == 64
    assert summary["samples_per_second"] > 0 and summary["synaptic_events_per_second"] > 0
    assert np.sum(summary["confusion"]) == 360
    assert summary["test_error"] == pytest.approx(1 - np.trace(summary["confusion"]) / 360)
    assert any("BC330" in note for note in summary["diagnostics"])


def test_a_run_says_how_it_is_made_again(finished: Any) -> None:
    """The file as it ran, read without the options of the training, is the same program."""
    out, summary = finished()
    provenance = read_provenance(out / "provenance.json")
    asked = ["--epochs", "2", "--set", "weight_form=carry", "--out", str(out)]
    assert shlex.split(provenance.command) == ["burstchip", "train", str(TEMPLATE), *asked]
    network = load_network(out / "network_as_run.yaml")
    assert artifact_sha256(compile_network(network)) == summary["artifact_sha256"]
    everything = TrainOptions(
        Path("a b.yaml"), Path("r"), 3, 4, frozen=("f",), strict=True, start_from=Path("o")
    )
    assert command_of(everything) == (
        "burstchip train 'a b.yaml' --seed 3 --epochs 4 --from o --freeze f --strict --out r"
    )


def test_answers_and_activity_of_the_test_are_kept(finished: Any) -> None:
    out, summary = finished()
    answers = load_file(out / "answers.safetensors")
    label, answer = answers["label"], answers["answer"]
    assert [int(np.sum((label == k) & (answer == k))) for k in range(10)] == list(
        np.diag(summary["confusion"])
    )
    assert answers["wrong"].tolist() == np.flatnonzero(label != answer)[:60].tolist()
    assert answers["pictures"].shape == (len(answers["wrong"]), 64) and answers["pictures"].max() == 255
    activity = summary["test_activity"]
    assert activity["samples"] == 360 and activity["synaptic_operations"] > 0
    events = activity["events"]
    # Every synapse is counted: the feedback is silent in the test, where nothing is taught.
    assert activity["synaptic_operations"] == 100 * events["image"] + 10 * events["hidden"]


def test_samples_of_all_classes_are_recorded() -> None:
    labels = np.array([2, 2, 0, 1, 0, 2, 1])
    assert recorded_samples(labels).tolist() == [2, 3, 0, 4, 6, 1, 5]
    many = recorded_samples(np.arange(1000) % 10)
    assert many.tolist() == list(range(50))


def test_the_history_has_a_line_before_and_after_each_epoch(finished: Any) -> None:
    out, summary = finished()
    history = json.loads((out / "history.json").read_text())
    assert [line["epoch"] for line in history] == [0, 1, 2]
    assert history[0]["train_error"] is None and history[0]["event_rate"] == {}
    assert history[0]["test_error"] > 0.6 > 0.3 > history[2]["test_error"] == summary["test_error"]
    assert history[2]["train_error"] == summary["train_error"] < history[1]["train_error"]
    assert 60 < history[2]["event_rate"]["hidden"] < 200
    assert 0.2 < history[2]["burst_probability"]["hidden"] < 0.8


def test_progress_counts_every_sample(tmp_path: Path, finished: Any) -> None:
    seen: list[TrainProgress] = []
    summary = train(options(tmp_path / "run", workers=3), seen.append)
    assert seen[-1].samples_done == seen[-1].samples_total == 2 * SAMPLES
    assert [p.samples_done for p in seen] == sorted(p.samples_done for p in seen)
    assert {(p.epoch, p.epochs) for p in seen} == {(1, 2), (2, 2)}
    assert seen[-1].running_error == summary["train_error"]
    # Watched, and tested by more threads: the same end.
    undisturbed = finished()[1]
    for name in ("state_sha256", "test_error", "train_error", "confusion", "test_activity"):
        assert summary[name] == undisturbed[name]


class Stopped(Exception):
    pass


@pytest.mark.parametrize("form", ["carry", "chip"])
def test_a_training_goes_on_where_it_was_stopped(
    form: str, tmp_path: Path, finished: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped again and again, after any sample; what the last checkpoint does not hold is done anew."""
    monkeypatch.setattr(epochs, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(epochs, "CALL_SECONDS", 0.02)
    random = np.random.default_rng(1)
    stops = [0, *np.sort(random.integers(0, 2 * SAMPLES, 5)).tolist(), SAMPLES, 2 * SAMPLES - 1]

    def stop_at(sample: int) -> Callable[[TrainProgress], None]:
        def watch(progress: TrainProgress) -> None:
            if progress.samples_done > sample:
                raise Stopped

        return watch

    out = tmp_path / "run"
    for sample in sorted(stops):
        with pytest.raises(Stopped):
            train(options(out, form, resume=(out / FILE).exists()), stop_at(sample))
        assert (out / FILE).exists() and not (out / "summary.json").exists()
    summary = train(options(out, form, resume=True))
    undisturbed = finished(form)[1]
    for name in ("state_sha256", "test_error", "train_error", "confusion", "artifact_sha256", "diagnostics"):
        assert summary[name] == undisturbed[name], name
    for name in ("net.burst", "quantisation.json", "trained.burst"):
        assert (out / name).read_bytes() == (finished(form)[0] / name).read_bytes(), name
    weights = [load_file(folder / "weights_after.safetensors") for folder in (out, finished(form)[0])]
    for name, matrix in weights[0].items():
        assert np.array_equal(matrix, weights[1][name]), name
    histories = [json.loads((folder / "history.json").read_text()) for folder in (out, finished(form)[0])]
    for line in (*histories[0], *histories[1]):
        del line["seconds"]
    assert histories[0] == histories[1]


def test_a_finished_training_is_not_repeated(finished: Any) -> None:
    out, summary = finished()
    seen: list[TrainProgress] = []
    again = train(options(out, resume=True), seen.append)
    assert not seen
    assert again["state_sha256"] == summary["state_sha256"] and again["confusion"] == summary["confusion"]


def test_seeds_and_forms_differ(tmp_path: Path, finished: Any) -> None:
    other = train(options(tmp_path / "run", seed=1))
    assert other["seed"] == 1
    assert (
        len({other["state_sha256"], finished()[1]["state_sha256"], finished("chip")[1]["state_sha256"]}) == 3
    )


@pytest.mark.parametrize(
    ("names", "frozen"),
    [
        (("image_to_hidden",), ["image_to_hidden"]),
        # A plasticity, or a population at whose synapses it acts.
        (("hidden",), ["image_to_hidden"]),
        (("hidden", "readout", "image_to_hidden"), ["hidden_to_readout", "image_to_hidden"]),
    ],
)
def test_frozen_projections_keep_their_weights(names: Any, frozen: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    summary = train(options(out, frozen=names, epochs=1))
    assert summary["frozen"] == frozen
    before, after = (load_file(out / f"weights_{when}.safetensors") for when in ("before", "after"))
    assert set(before) == set(after) == {"image_to_hidden", "hidden_to_readout", "feedback"}
    for name in before:
        kept = name in frozen or name == "feedback"
        assert np.array_equal(before[name], after[name]) == kept, name


def test_weights_are_in_physical_units(finished: Any) -> None:
    before = load_file(finished()[0] / "weights_before.safetensors")
    assert before["image_to_hidden"].shape == (100, 64)
    assert 3.0 < np.abs(before["image_to_hidden"]).max() <= 3.33
    assert 0.4 < np.abs(before["feedback"]).max() <= 0.4376


@pytest.mark.parametrize(("epoch", "halvings"), [(0, 0), (21, 0), (22, 1), (31, 1), (32, 2), (39, 2)])
def test_annealing(epoch: int, halvings: int) -> None:
    assert annealing(epoch, 40, (0.55, 0.8)) == halvings


def test_a_folder_with_another_run_is_left_alone(finished: Any) -> None:
    out, summary = finished()
    assert errors(out) == [
        "error[BC562]: folder 'OUT' holds another run\n"
        "  required: an empty or new folder    given: one with checkpoint.safetensors and summary.json"
        "    hint: --resume continues it, --overwrite replaces it"
    ]
    assert json.loads((out / "summary.json").read_text()) == summary


def test_an_earlier_run_stays_until_the_first_checkpoint(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in copied.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training, "write_recording", full)
    for folder in (copied, tmp_path / "new"):
        with pytest.raises(OSError, match="No space left"):
            train(options(folder, seed=3, overwrite=True))
    assert {path.name: path.read_bytes() for path in copied.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_two_trainings_in_one_folder(tmp_path: Path) -> None:
    with held_folder(tmp_path):
        assert errors(tmp_path) == [
            "error[BC571]: another process trains in 'OUT'\n"
            "  required: a folder of its own for each training    given: OUT"
            "    hint: wait until it ends, or choose another folder"
        ]


def test_overwriting_starts_anew(tmp_path: Path, finished: Any) -> None:
    out = tmp_path / "run"
    train(options(out, seed=3, epochs=1))
    assert train(options(out, overwrite=True))["state_sha256"] == finished()[1]["state_sha256"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"epochs": 0},
            "error[BC563]: the number of epochs is below 1\n  required: at least 1 epoch    given: 0",
        ),
        (
            {"frozen": ("hiden",)},
            "error[BC561]: 'hiden' cannot be frozen: it is not plastic\n"
            "  required: a plastic projection, a plasticity or a population: hidden, hidden_to_readout,"
            " image_to_hidden, readout    given: hiden    hint: did you mean: hidden",
        ),
        (
            {"frozen": ("feedback",)},
            "error[BC561]: 'feedback' cannot be frozen: it is not plastic\n"
            "  required: a plastic projection, a plasticity or a population: hidden, hidden_to_readout,"
            " image_to_hidden, readout    given: feedback",
        ),
    ],
)
def test_options_that_cannot_be(more: dict[str, Any], message: str, tmp_path: Path) -> None:
    assert errors(tmp_path / "run", **more) == [message]
    assert not (tmp_path / "run").exists()


def test_a_network_without_a_task(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("burstchip: 1\nname: alone\nstep: 1 ms\npopulations:\n  a: {model: lif, size: 1}\n")
    with pytest.raises(BurstchipError) as caught:
        train(TrainOptions(path, tmp_path / "run"))
    assert "error[BC560]: network 'alone' has no task" in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_strict_makes_an_error_of_every_warning(tmp_path: Path) -> None:
    told = errors(tmp_path / "run", strict=True)
    assert told and all("error[BC" in message.splitlines()[0] for message in told)
    assert not (tmp_path / "run").exists()


@pytest.fixture
def copied(tmp_path: Path, finished: Any) -> Path:
    """The folder of a finished run, to be spoiled."""
    out = tmp_path / "run"
    out.mkdir()
    for path in finished()[0].iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    return out


@pytest.mark.parametrize(
    ("more", "required", "given"),
    [
        ({"frozen": ("hidden",)}, "no --freeze", "--freeze image_to_hidden"),
        ({"seed": 5}, "--seed 0", "--seed 5"),
        ({"backend": "plain"}, "--backend sim", "--backend plain"),
        (
            {"overrides": {"hidden_size": "7"}},
            "no --set hidden_size, --set weight_form=carry",
            "--set hidden_size=7, no --set weight_form",
        ),
    ],
)
def test_a_checkpoint_of_another_training(
    copied: Path, more: dict[str, Any], required: str, given: str
) -> None:
    artifact = (copied / "net.burst").read_bytes()
    (message,) = errors(copied, resume=True, **more)
    assert message == (
        "error[BC566]: checkpoint 'OUT/checkpoint.safetensors' belongs to another training\n"
        f"  required: {required}    given: {given}    "
        "hint: resume with the network and options of the first start, or choose another folder"
    )
    assert (copied / "net.burst").read_bytes() == artifact


def test_a_checkpoint_of_another_text(copied: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(TEMPLATE.read_text().replace("hidden_size: ", "hidden_size: 1"))
    with pytest.raises(BurstchipError) as caught:
        train(replace(options(copied, resume=True), network_path=other))
    assert f"required: the network's file as it was, '{TEMPLATE}'    given: another text in '{other}'" in str(
        caught.value
    )


def test_a_training_is_extended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was not over ends as if it had begun with so many epochs, where these learn alike so far."""

    def stop(progress: TrainProgress) -> None:
        if progress.samples_done > 700:
            raise KeyboardInterrupt

    monkeypatch.setattr(epochs, "CHECKPOINT_SECONDS", 0.0)
    whole = train(options(tmp_path / "whole", epochs=3))
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(options(out, epochs=2), stop)
    extended = train(replace(options_of(out), epochs=3, workers=1))
    for name in ("state_sha256", "artifact_sha256", "confusion", "test_error", "epochs", "diagnostics"):
        assert extended[name] == whole[name], name
    command = read_provenance(out / "provenance.json").command
    assert command.endswith(f" && burstchip train {out} --resume --epochs 3")
    (message,) = errors(out, resume=True, epochs=2)
    assert message == (
        "error[BC572]: the training in 'OUT' has begun epoch 3\n  required: --epochs 3 or more"
        "    given: --epochs 2    hint: train in another folder for fewer epochs"
    )
    # A finished one goes on too, and without a number of epochs it keeps its own.
    finished = train(replace(options_of(out), epochs=4, workers=1))
    assert finished["epochs"] == 4 and len(json.loads((out / "history.json").read_text())) == 5
    assert finished["diagnostics"][-1] == (
        "warning[BC573]: epoch 3: learned at the rates of a training of 3 epochs\n"
        "  required: those of 4 epochs, to learn as a training that was started with so many"
        "    given: learning rates that halve at 0.4, 0.6, 0.8 of the epochs"
    )
    assert train(replace(options_of(out), workers=1))["state_sha256"] == finished["state_sha256"]


QUIET = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def test_a_damaged_checkpoint_is_told(copied: Path) -> None:
    """Torn or changed at any place, in the state or in the count of samples shown."""
    whole = (copied / FILE).read_bytes()
    header = int.from_bytes(whole[:8], "little") + 8

    def told(content: bytes) -> str:
        (copied / FILE).write_bytes(content)
        (message,) = errors(copied, resume=True)
        assert message.startswith(
            "error[BC565]: checkpoint 'OUT/checkpoint.safetensors' cannot be used\n"
            "  required: a file that `burstchip train` wrote, whole    given: "
        )
        return message

    assert "JSONDecodeError" in told(b"")
    told(b"\0" * 100)
    told(whole[:-1])
    assert "SHA-256" in told(whole.replace(b'\\"wrong\\": 0', b'\\"wrong\\": 7'))

    @QUIET
    @given(share=st.floats(0.0, 1.0), place=st.integers(8, header - 60) | st.integers(header, len(whole) - 1))
    def anywhere(share: float, place: int) -> None:
        told(whole[: int(share * (len(whole) - 1))])
        flipped = bytearray(whole)
        # All bits at once: one bit alone can turn white space into other white space.
        flipped[place] ^= 0xFF
        told(bytes(flipped))

    anywhere()


def test_a_checkpoint_of_another_version(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, but not the state that this version keeps."""
    from burstchip.tasks.checkpoint import read_checkpoint, save_checkpoint

    arrays = load_file(copied / FILE)
    _, progress = read_checkpoint(copied / FILE)
    del arrays["s_1_v"]
    save_checkpoint(copied / FILE, arrays, progress)
    (message,) = errors(copied, resume=True)
    assert "given: the state of another version of burstchip" in message


@pytest.mark.slow
def test_the_reference_learns_too(tmp_path: Path) -> None:
    summary = train(options(tmp_path / "run", backend="reference"))
    assert summary["backend"] == "reference"
    assert summary["test_error"] < 0.3


def test_a_backend_that_does_not_train(tmp_path: Path) -> None:
    with pytest.raises(BurstchipError) as caught:
        train(TrainOptions(tmp_path / "network.yaml", tmp_path / "run", backend="lava"))
    assert str(caught.value) == (
        "error[BC564]: backend 'lava' cannot train\n  required: sim, plain or reference    given: lava    "
        "hint: `burstchip verify --train SAMPLES` shows that lava learns the same integers as sim"
    )
    assert not (tmp_path / "run").exists()
