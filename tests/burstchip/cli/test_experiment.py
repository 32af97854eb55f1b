"""`burstchip experiment`: what it writes, and options that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from burstchip.error_shares import with_rounded_parameters
from burstchip.experiments.experiment import experiment, names
from burstchip.experiments.page import write_outcome
from burstchip.experiments.running import run_experiment
from hw_models.diagnostics import BurstchipError

pytestmark = pytest.mark.once

SMALL = {"size": "40", "interneurons": "10"}


@pytest.mark.slow
def test_a_run_and_what_it_writes(tmp_path: Path, burstchip) -> None:
    """Too few neurons for anything to pass: the exit code is 1, and the folder whole."""
    options = ("--step", "1ms", "--seeds", 2, "--set", "size=40", "--set", "interneurons=10")
    done = burstchip("experiment", "fig3_multiplexing", *options, "--out", "results", "--json")
    assert done.code == 1 and not done.json["ok"]
    folder = Path("results")
    files = {"report.html", "results.json", "rates.nc", "figures", "fig3_multiplexing.png"}
    assert {it.name for it in folder.iterdir()} == files
    written = json.loads((folder / "results.json").read_text())
    assert written["seeds"] == [1, 2] and written["checks"] == done.json["checks"]
    one = experiment("fig3_multiplexing")
    outcome = run_experiment(one, seeds=(1, 2), step_ms=1.0, overrides=SMALL)
    # The same seeds are the same run.
    assert [dict(it) for it in outcome.measured] == written["measured"]
    rates = xr.load_dataset(folder / "rates.nc", engine="h5netcdf")
    assert rates["lower.event_rate"].shape == (2, 1, 60)
    assert np.array_equal(rates["higher.burst_rate"][1, 0], outcome.runs[1]["published"].bursts["higher"])
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Two messages on one axon" in page and page.count("<tr") > len(one.description.checks)
    assert (folder / "fig3_multiplexing.png").read_bytes().startswith(b"\x89PNG")
    done = burstchip("experiment", "fig3_multiplexing", *options, "--out", "results")
    assert done.code == 2 and "BC712" in done.err and "--overwrite replaces it" in done.err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    with pytest.raises(BurstchipError, match=r"BC712.*something else"):
        write_outcome(outcome, tmp_path / "mine", "", overwrite=True)


@pytest.mark.slow
def test_where_differences_come_from(burstchip) -> None:
    """The shares of a run in integers add up to what it is off the real numbers at the experiment's step."""
    options = ("--backend", "sim", "--step", "1ms", "--set", "size=40", "--set", "interneurons=10")
    command = ("experiment", "fig3_multiplexing", "--seeds", 2, "--errors", *options, "--threads", 2)
    done = burstchip(*command, "--out", "shares", "--json")
    assert done.code == 1
    exact = run_experiment(experiment("fig3_multiplexing"), seeds=(1, 2), overrides=SMALL)
    same = [
        run_experiment(exact.experiment, seeds=(1, 2), step_ms=1.0, overrides=SMALL, rounded=it).checks
        for it in (None, with_rounded_parameters)
    ]
    shares = done.json["errors"]
    assert [it["quantity"] for it in shares] == [it["quantity"] for it in done.json["checks"]]
    for one, check, real, at_step, rounded in zip(
        shares, done.json["checks"], exact.checks, *same, strict=True
    ):
        assert one["exact"] == real.mean
        assert one["step"] == at_step.mean - real.mean
        assert one["parameter"] == rounded.mean - at_step.mean
        assert one["state"] == check["mean"] - rounded.mean
        assert one["chance"] >= 0
    assert any(it["chance"] for it in shares)
    # Rounded parameters are others than exact ones.
    assert any(it["parameter"] for it in shares)
    assert done.json["errors_backend"] == "reference"
    page = (Path("shares") / "report.html").read_text(encoding="utf-8")
    assert "Where the differences come from" in page
    assert json.loads((Path("shares") / "results.json").read_text())["errors"] == shares


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "BC611"),
        (("fig3_multiplexing", "--list"), "BC611"),
        (("fig3",), "BC710"),
        (("fig3_multiplexing", "--step", "1"), "BC699"),
        (("fig3_multiplexing", "--step", "0.3ms"), "BC711"),
        (("fig3_multiplexing", "--backend", "brain"), "BC550"),
        (("fig3_multiplexing", "--errors"), "BC611"),
        (("fig3_multiplexing", "--backend", "plain", "--threads", "2"), "BC567"),
        (("fig3_multiplexing", "--data", "."), "BC714"),
        (("ed4_rate_mnist", "--backend", "sim"), "BC714"),
        (("ed4_rate_mnist", "--threads", "2"), "BC714"),
        (("ed4_rate_mnist", "--step", "1ms"), "BC714"),
        (("ed4_rate_mnist", "--errors"), "BC714"),
        (("ed4_rate_mnist", "--data", "nowhere"), "BC527"),
        (("ed4_rate_mnist", "--set", "size=40"), "BC715"),
        (("ed4_rate_mnist", "--set", "epochs=0"), "BC716"),
    ],
)
def test_options_that_cannot_be(arguments: tuple[str, ...], expected: str, burstchip) -> None:
    done = burstchip("experiment", *arguments)
    assert done.code == 2 and f"[{expected}]" in done.err and "Traceback" not in done.err
    assert not any(Path().iterdir())


def test_all_options_that_a_model_does_not_read_are_named(burstchip) -> None:
    done = burstchip("experiment", "ed4_rate_mnist", "--backend", "sim", "--step", "1ms", "--errors")
    assert done.err.count("[BC714]") == 3 and "required: no --step    given: --step 1ms" in done.err
    assert "'ed4_rate_mnist' does not read --backend: it simulates a model of its own" in done.err


def test_a_model_that_simulates_itself(mnist_folder: Path, burstchip) -> None:
    """Too few images for the errors, which are no numbers then: the exit code is 1, and the folder whole."""
    options = ("--seeds", 2, "--set", "images=200", "--set", "hidden=120", "--set", "test_every=100")
    done = burstchip(
        "experiment", "ed4_rate_mnist", *options, "--data", mnist_folder, "--out", "it", "--json"
    )
    assert done.code == 1 and not done.json["ok"]
    folder = Path("it")
    files = {"report.html", "results.json", "rates.nc", "figures", "ed4_rate_mnist.png"}
    assert {it.name for it in folder.iterdir()} == files
    assert {it.name for it in (folder / "figures").iterdir()} == {"events.svg", "bursts.svg", "errors.svg"}
    written = json.loads((folder / "results.json").read_text())
    assert written["backend"] is None and written["step_ms"] is None and written["seeds"] == [1, 2]
    assert written["parameters"]["images"] == 200 and written["parameters"]["prediction_steps"] == 50
    checks = {it["quantity"]: it for it in written["checks"]}
    assert checks["error_10000"]["mean"] is None and not checks["error_10000"]["passes"]
    assert all(it["passes"] for name, it in checks.items() if name not in ("error_10000", "error_40000"))
    series = xr.load_dataset(folder / "rates.nc", engine="h5netcdf")
    assert series["test_error"].shape == (2, 3) and series["images"].values.tolist() == [0, 100, 200]
    assert series["p1"].shape == (2, 110) and series["seed"].values.tolist() == [1, 2]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "A rate model learns MNIST by bursts: 11 of 13 checks pass" in page
    done = burstchip("experiment", "ed4_rate_mnist", *options, "--out", "it")
    assert done.code == 2 and "BC712" in done.err


def test_the_list(burstchip) -> None:
    done = burstchip("experiment", "--list", "--json")
    assert tuple(done.json["experiments"]) == names()
