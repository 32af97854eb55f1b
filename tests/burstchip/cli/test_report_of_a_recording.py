"""The page of a recording: what it reads, what it draws, and files that it cannot show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from burstchip.report.style import figure_style
from burstchip.report.watched_file import Spikes, read_watched
from burstchip.report.watched_page import write_watched_page
from burstchip.report.watched_pictures import (
    _told_apart,
    draw_compartments,
    draw_raster,
    draw_rates,
    draw_weights,
)
from hw_models.diagnostics import BurstchipError

NETWORK = """burstchip: 1
name: <b>shown</b>
step: 0.5 ms
seed: 2
populations:
  noise: {model: poisson_source, size: 12, rate: 100 Hz}
  cells: {model: pyramidal, size: 12, bias: 500 pA, dendrite_bias: 250 pA, tau_average: 1 s}
plasticity:
  rule: {every: 0.5 ms, trace: {name: x1, tau: 50 ms, increment: 16}, dw: u0*2^-2*x1*y1}
projections:
  - {name: learned, from: noise, to: cells.soma_exc, weight: 0.3 leak, limit: 1 leak, learn: rule}
"""
SPIKES = "cells.events,cells.bursts,noise.events,cells.v,cells.d"
#: Weights are looked at step by step.
EVERYTHING = f"{SPIKES},cells.E,learned.w"


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from burstchip import compile_file
    from compiler.artifact import save_artifact

    folder = tmp_path_factory.mktemp("watched")
    (folder / "net.yaml").write_text(NETWORK.replace("<b>shown</b>", "shown"), encoding="utf-8")
    save_artifact(compile_file(folder / "net.yaml")[0], folder / "net.burst")
    return folder / "net.burst"


@pytest.fixture
def recorded(artifact: Path, tmp_path: Path, burstchip):
    def make(*options: str, record: str = SPIKES, steps: int = 600) -> Path:
        name = f"run{len(list(tmp_path.glob('*.nc')))}.nc"
        done = burstchip(
            "run", artifact, "--steps", steps, "--record", record, "-o", tmp_path / name, *options
        )
        assert done.code == 0, done.err
        return tmp_path / name

    return make


def test_what_is_read_is_what_was_recorded(recorded) -> None:
    path = recorded(record=EVERYTHING, steps=120)
    watched, dataset = read_watched(path), xr.load_dataset(path, engine="h5netcdf")
    assert (watched.network, watched.backend, watched.step_ms) == ("shown", "sim", 0.5)
    assert (watched.share, watched.lasts_ms) == (1.0, 60.0)
    assert watched.events["cells"].times.size == int(dataset["cells.events"].sum()) > 0
    assert watched.bursts["cells"].times.size == int(dataset["cells.bursts"].sum()) > 0
    assert set(watched.states) == {"cells.v", "cells.d", "cells.E"}
    v = watched.states["cells.v"]
    assert v.unit == "mV from rest"
    np.testing.assert_allclose(v.values, dataset["cells.v"] * float(dataset["cells.v"].attrs["mV_per_unit"]))
    assert watched.states["cells.E"].unit == "Hz"
    assert watched.weights["learned.w"].unit == "leak"
    np.testing.assert_allclose(watched.weights["learned.w"].values[0], 0.3, rtol=0.02)


def test_a_list_of_events_and_every_third_step(recorded) -> None:
    whole, listed = read_watched(recorded()), read_watched(recorded("--events", "list"))
    for kind in ("events", "bursts"):
        one, other = getattr(whole, kind)["cells"], getattr(listed, kind)["cells"]
        assert np.array_equal(one.times, other.times) and np.array_equal(one.neurons, other.neurons)
    kept = read_watched(recorded("--every", "3"))
    assert kept.share == pytest.approx(1 / 3)
    assert kept.lasts_ms == pytest.approx(300.0)
    with figure_style():
        texts = [draw_rates(it) for it in (whole, kept)]
    # Of every third step a third of the events is left, and stands for three times as many.
    means = [float(it.alt.split("noise: ")[1].split(" Hz")[0]) for it in texts if it is not None]
    assert means[1] == pytest.approx(means[0], rel=0.15)


def test_a_list_holds_every_step_and_tells_of_silent_neurons(recorded) -> None:
    """Rates of a list are those of the whole recording: steps left out and neurons without a spike count."""
    found = []
    for options in ((), ("--events", "list", "--every", "3")):
        watched = read_watched(recorded(*options, record="noise.events", steps=40))
        assert watched.events["noise"].size == 12
        with figure_style():
            drawn = draw_rates(watched)
        assert drawn is not None
        found.append(float(drawn.alt.split("noise: ")[1].split(" Hz")[0]))
    assert found[1] == pytest.approx(found[0], rel=0.06)


def test_physical_values_are_shown_where_there_are_some(recorded) -> None:
    watched = read_watched(recorded("--units"))
    assert watched.states["cells.v"].unit == "mV"
    assert -90 < float(np.min(watched.states["cells.v"].values)) < -60


def test_bursts_stand_where_they_began() -> None:
    """Told at their second spike, or in the step of the event; one without an event is left out."""
    events = Spikes(np.array([1.0, 5.0, 5.0, 30.0]), np.array([0, 0, 1, 0]), np.arange(3), 3)
    bursts = Spikes(np.array([7.0, 5.0, 2.0]), np.array([0, 1, 2]), np.arange(3), 3)
    single, began = _told_apart(events, bursts)
    assert list(zip(*map(np.ndarray.tolist, single), strict=True)) == [(1.0, 0), (30.0, 0)]
    assert list(zip(*map(np.ndarray.tolist, began), strict=True)) == [(5.0, 0), (5.0, 1)]
    single, began = _told_apart(events, None)
    assert single[0].size == 4 and not began[0].size


def test_the_page(recorded, burstchip, tmp_path: Path) -> None:
    path = recorded(record=EVERYTHING, steps=120)
    done = burstchip("report", path, "--json")
    assert done.code == 0 and Path(done.json["page"]) == path.with_suffix(".html")
    page = path.with_suffix(".html").read_text(encoding="utf-8")
    for part in (
        "Spikes and bursts",
        "Rates of populations",
        "Neuron 0 of &#39;cells&#39;",
        "Weights over time",
    ):
        assert part in page, part
    done = burstchip("report", path, "-o", tmp_path / "other.html", "--neuron", "cells[7]")
    assert done.code == 0
    assert "Neuron 7 of &#39;cells&#39;" in (tmp_path / "other.html").read_text(encoding="utf-8")
    first = path.with_suffix(".html").read_bytes()
    assert burstchip("report", path).code == 0 and path.with_suffix(".html").read_bytes() == first


def test_what_was_not_recorded_is_not_drawn(recorded) -> None:
    watched = read_watched(recorded(record="cells.v"))
    with figure_style():
        assert draw_raster(watched) is None and draw_rates(watched) is None and draw_weights(watched) is None
        found = draw_compartments(watched, "cells", 3)
    assert found is not None and "soma from" in found.alt and "dendrite" not in found.alt


@pytest.mark.parametrize(
    ("asked", "said"),
    [("cells[12]", "a neuron such as cells\\[0\\]"), ("cells", "BC548"), ("noise[0]", "BC548")],
)
def test_a_neuron_that_was_not_recorded(asked: str, said: str, recorded, tmp_path: Path) -> None:
    path = recorded()
    with pytest.raises(BurstchipError, match=said):
        write_watched_page(path, tmp_path / "page.html", asked)
    assert not (tmp_path / "page.html").exists()


def test_files_that_are_no_recordings(recorded, burstchip, tmp_path: Path) -> None:
    (tmp_path / "text.nc").write_text("no recording")
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    whole = recorded().read_bytes()
    (tmp_path / "half.nc").write_bytes(whole[: len(whole) // 2])
    for name in ("text.nc", "other.nc", "half.nc"):
        done = burstchip("report", tmp_path / name)
        assert done.code == 2 and "BC547" in done.err and "Traceback" not in done.err, name
        assert not (tmp_path / name).with_suffix(".html").exists()
    done = burstchip("report", recorded(record="cells.E"))
    assert done.code == 2 and "holds nothing that can be drawn" in done.err
    done = burstchip("report", tmp_path, "--neuron", "cells[0]")
    assert done.code == 2 and "BC611" in done.err
