"""An experiment that follows a protocol, in real numbers beside integers: runs, folders, what is left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from burstchip.error_shares import with_rounded_parameters
from burstchip.experiments.experiment import Check, Drawing, ProtocolDescription, ProtocolExperiment
from burstchip.experiments.page import write_outcome
from burstchip.experiments.protocols import BESIDE, checkpoints_of, run_protocol_experiment
from burstchip.experiments.running import Outcome, compiled
from burstchip.experiments.stages import INTEGERS, LEARNING_STAGES
from burstchip.report.protocol_pictures import draw_costs_beside
from burstchip.report.style import figure_style, new_figure
from burstchip.tasks.protocol.followed import Followed
from burstchip.tasks.protocol.following import follow
from hw_models.diagnostics import BurstchipError

pytestmark = pytest.mark.once

EXAMPLE = Path(__file__).parents[3] / "examples" / "and_gate.yaml"
SMALL = {"size": "6", "rounds": "2"}
SEEDS = (1, 2)


def measure(it: Followed) -> Mapping[str, float]:
    return {"cost": float(it.costs("training")[-1]), "events": float(it.events.sum())}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> ProtocolExperiment:
    """The example with times a tenth as long, as an experiment with steps of its own."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for long, brief in {
        "step: ${step}\nseed": "step: ${step}\ntarget: ${target}\nseed",
        "  step: 1 ms\n": "  step: 1 ms\n  target: loihi2\n",
        "for: 0.8 s": "for: 0.2 s",
        "for: 8 s": "for: 0.8 s",
        "for: 7.2 s": "for: 0.6 s",
        "bin: 0.4 s": "bin: 0.1 s",
        "for: 6 s": "for: 0.5 s",
    }.items():
        assert long in text
        text = text.replace(long, brief)
    network = tmp_path_factory.mktemp("gate") / "network.yaml"
    network.write_text(text, encoding="utf-8")
    checks = (Check("cost", "cost of the last round", unit="Hz", at_most=100), Check("events", "events"))
    description = ProtocolDescription("AND", "A gate.", "None.", 2, checks, 0.5, 1.0, {})

    def draw(all_followed: Sequence[Followed]) -> Drawing:
        return Drawing((), b"")

    return ProtocolExperiment("gate", description, network, lambda step_ms, rate: {}, measure, draw)


def run(it: ProtocolExperiment, folder: Path, **options: object) -> Outcome:
    wanted: dict[str, object] = {"backend": "sim", "seeds": SEEDS, "overrides": SMALL, "errors": True}
    return run_protocol_experiment(it, folder, **{**wanted, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def ran(gate: ProtocolExperiment, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    folder = tmp_path_factory.mktemp("ran") / "out"
    return folder, run(gate, folder)


def events_of(recorded: bytes, folder: Path) -> list[int]:
    """All events of each seed of a recording."""
    (folder / "it.nc").write_bytes(recorded)
    with xr.open_dataset(folder / "it.nc", engine="h5netcdf") as found:
        return [int(it) for it in found["events"].sum(("bin", "population"))]


def test_shares_add_up_from_real_numbers_to_integers(ran: tuple[Path, Outcome], tmp_path: Path) -> None:
    outcome = ran[1]
    assert outcome.errors is not None and outcome.errors.backend == BESIDE
    for shares, check in zip(outcome.errors.shares, outcome.checks, strict=True):
        assert shares.exact + sum(shares.parts) == pytest.approx(check.mean) and shares.chance >= 0
    runs = [*(outcome.errors.recorded[stage.name] for stage in LEARNING_STAGES), outcome.recorded]
    means = [float(np.mean(events_of(recorded, tmp_path))) for recorded in runs]
    events = outcome.errors.shares[1]
    assert events.exact == means[0] and events.parts == tuple(np.diff(means))
    # Each run is another one; of weights too little is learned here to move an event.
    added = zip((*LEARNING_STAGES[1:], INTEGERS), events.parts, strict=True)
    assert all(part for stage, part in added if stage.name != "weight")


def test_a_stage_is_the_run_that_it_says(
    gate: ProtocolExperiment, ran: tuple[Path, Outcome], tmp_path: Path
) -> None:
    code, _ = compiled(gate.network, 1.0, 2, SMALL, "sim")
    alone = follow(with_rounded_parameters(code), BESIDE).followed
    assert ran[1].errors is not None
    recorded = ran[1].errors.recorded["parameter"]
    assert events_of(recorded, tmp_path)[1] == alone.events.sum()


def test_every_run_has_a_folder_of_its_own(ran: tuple[Path, Outcome]) -> None:
    kept = checkpoints_of(ran[0])
    found = {str(it.parent.relative_to(kept)) for it in kept.rglob("checkpoint.safetensors")}
    of_stages = {f"{stage.name}/seed_{seed}" for stage in LEARNING_STAGES for seed in SEEDS}
    assert found == of_stages | {f"seed_{seed}" for seed in SEEDS}


def test_what_is_missing_is_run_again(
    gate: ProtocolExperiment, ran: tuple[Path, Outcome], tmp_path: Path
) -> None:
    """From the checkpoints of a run without some, as one that was killed, or had no errors, leaves them."""
    folder = tmp_path / "out"
    shutil.copytree(checkpoints_of(ran[0]), checkpoints_of(folder))
    shutil.rmtree(checkpoints_of(folder) / "step")
    (checkpoints_of(folder) / "parameter" / "seed_2" / "checkpoint.safetensors").unlink()
    stamp = (checkpoints_of(folder) / "exact" / "seed_1" / "network.burst").stat().st_mtime_ns
    told: list[tuple[str, int, int]] = []
    again = run(gate, folder, resume=True, watch=lambda *it: told.append(it))
    assert (checkpoints_of(folder) / "exact" / "seed_1" / "network.burst").stat().st_mtime_ns == stamp
    assert again.errors is not None and ran[1].errors is not None
    assert again.errors.shares == ran[1].errors.shares
    assert again.errors.recorded == ran[1].errors.recorded and again.recorded == ran[1].recorded
    # Progress goes through all of them, a finer step having more.
    assert told[-1][1] == told[-1][2] and "whole weights, 1 ms, seed 2" in told[-1][0]
    assert [it[1] for it in told] == sorted(it[1] for it in told)


def test_resuming_refuses_another_program_in_any_run(
    gate: ProtocolExperiment, ran: tuple[Path, Outcome], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    there = checkpoints_of(folder)
    (there / "parameter" / "seed_1").mkdir(parents=True)
    shutil.copy(checkpoints_of(ran[0]) / "step/seed_1/network.burst", there / "parameter/seed_1")
    with pytest.raises(BurstchipError, match=r"BC722.*parameter/seed_1"):
        run(gate, folder, resume=True)


def test_one_run_serves_two_stages_of_one_step(gate: ProtocolExperiment, tmp_path: Path) -> None:
    outcome = run(gate, tmp_path / "out", step_ms=0.5, seeds=(1,))
    assert outcome.errors is not None and not any(it.parts[0] for it in outcome.errors.shares)
    assert not (checkpoints_of(tmp_path / "out") / "step").exists()
    assert all(np.isnan(it.chance) for it in outcome.errors.shares)


def test_what_is_written(ran: tuple[Path, Outcome]) -> None:
    folder, outcome = ran
    write_outcome(outcome, folder, "burstchip experiment gate --errors")
    written = json.loads((folder / "results.json").read_text())
    assert written["errors_backend"] == "reference32"
    assert [it["quantity"] for it in written["errors"]] == ["cost", "events"]
    assert set(written["errors"][0]) == {
        "quantity",
        "exact",
        "step",
        "parameter",
        "weight",
        "state",
        "chance",
    }
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Real numbers are those of the backend reference32" in page
    assert all(it.heading in page for it in (LEARNING_STAGES[0], *(*LEARNING_STAGES[1:], INTEGERS)))
    assert "real numbers, 0.5 ms" in page and "integers, 1 ms" in page
    assert {f"rates.{it.name}.nc" for it in LEARNING_STAGES} < {it.name for it in folder.iterdir()}
    assert (folder / "gate_errors.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "figures" / "costs.svg").is_file()


def test_one_picture_has_all_costs(gate: ProtocolExperiment) -> None:
    """Each run has its line for every seed and one for the mean, and none is cut off."""
    code, _ = compiled(gate.network, 1.0, 1, SMALL, "sim")
    found = follow(code, "sim").followed
    names = [it.name for it in (*LEARNING_STAGES, INTEGERS)]
    runs = {
        name: [replace(found, reached=found.reached * (number + seed)) for seed in SEEDS]
        for number, name in enumerate(names)
    }
    with figure_style():
        axes = new_figure(4, 3).subplots()
        draw_costs_beside(axes, runs, "training")
    legend = axes.get_legend()
    assert legend is not None and [it.get_text() for it in legend.get_texts()] == list(runs)
    assert len(axes.lines) == len(runs) * (len(SEEDS) + 1)
    thick = [it for it in axes.lines if it.get_linewidth() > 1]
    assert len({it.get_color() for it in thick}) == len(runs) == len(thick)
    top = max(float(np.max(it.get_ydata())) for it in axes.lines)
    assert axes.get_ylim()[0] == 0 and axes.get_ylim()[1] >= top
