"""The figures show what the run folder says: what is drawn is read back from the axes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from numpy.typing import NDArray

from burstchip.report import (
    burst_probability,
    confusion,
    learning_curve,
    rasters,
    receptive_fields,
    weight_histograms,
)
from burstchip.report.json_files import Epoch
from burstchip.report.run_folder import RunFolder, read_run_folder
from burstchip.report.style import BURST, EVENT, LABEL_UNIT, TEST, TRAIN, Picture, figure_style

MODULES = (burst_probability, confusion, learning_curve, rasters, receptive_fields, weight_histograms)


@pytest.fixture
def run(run_folder: Path) -> RunFolder:
    return read_run_folder(run_folder)


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Figure]]:
    """Figures by name, kept before they are turned into pixels."""
    kept: dict[str, Figure] = {}

    def keep(figure: Figure, name: str, title: str, caption: str, alt: str) -> Picture:
        kept[name] = figure
        return Picture(name, title, caption, alt, b"")

    for module in MODULES:
        monkeypatch.setattr(module, "picture", keep)
    with figure_style():
        yield kept


def draw_all(run: RunFolder) -> None:
    assert run.recording_before is not None
    assert run.recording_after is not None
    assert run.weights_before is not None
    assert run.weights_after is not None
    learning_curve.draw_learning_curve(run)
    confusion.draw_confusion(run)
    rasters.draw_raster(run, run.recording_before, "before")
    rasters.draw_raster(run, run.recording_after, "after")
    burst_probability.draw_within_sample(run)
    burst_probability.draw_over_training(run)
    weight_histograms.draw_weight_histograms(run, run.weights_before, run.weights_after)
    receptive_fields.draw_receptive_fields(run, run.weights_before, run.weights_after)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def points(axes: Axes, colour: str, marker: str) -> list[tuple[float, float]]:
    return [
        (float(x), float(y))
        for line in axes.lines
        if line.get_color() == colour and line.get_marker() == marker
        for x, y in np.asarray(line.get_xydata())
    ]


def test_every_axis_is_labelled(run: RunFolder, figures: dict[str, Figure]) -> None:
    draw_all(run)
    assert len(figures) == 8
    for name, figure in figures.items():
        assert not figure.get_suptitle(), "the page has one subtitle"
        shown = [axes for axes in figure.axes if axes.axison]
        for axes in shown:
            # Of panels with a common axis one bears the label; the colour bar has only one axis.
            beside = axes.get_shared_y_axes().get_siblings(axes)
            below = axes.get_shared_x_axes().get_siblings(axes)
            assert any(other.get_ylabel() for other in beside) or name == "receptive_fields", name
            assert any(other.get_xlabel() for other in below), name


def test_the_learning_curve_is_the_history(run: RunFolder, figures: dict[str, Figure]) -> None:
    learning_curve.draw_learning_curve(run)
    (axes,) = figures["learning_curve"].axes
    test = [(entry.epoch, 100 * entry.test_error) for entry in run.history if entry.test_error is not None]
    train = [(entry.epoch, 100 * entry.train_error) for entry in run.history if entry.train_error is not None]
    assert points(axes, TEST, "o") == test
    assert points(axes, TRAIN, "s") == train
    assert len(train) == len(test) - 1
    assert "2.50\N{NO-BREAK SPACE}%" in texts(figures["learning_curve"])
    low, high = axes.get_ylim()
    assert low < min(error for _, error in (*test, *train))
    assert high > 90


@pytest.mark.parametrize("last", [0.0, 1e-6, 0.9])
def test_the_learning_curve_has_a_place_for_every_error(
    run: RunFolder, figures: dict[str, Figure], last: float
) -> None:
    history = [*run.history[:-1], replace_error(run, last)]
    learning_curve.draw_learning_curve(replace(run, history=history))
    (axes,) = figures["learning_curve"].axes
    low, high = axes.get_ylim()
    pixels = axes.transData.transform([(20, 100 * last), (20, low), (20, high)])
    assert np.isfinite(pixels).all()
    assert pixels[1][1] < pixels[0][1] < pixels[2][1]
    ticks = [tick for tick in axes.get_yticks() if low <= tick <= high]
    assert len(ticks) >= 5


def replace_error(run: RunFolder, error: float) -> Epoch:
    return msgspec.structs.replace(run.history[-1], test_error=error)


def test_a_history_without_test_errors_has_a_curve_all_the_same(
    run: RunFolder, figures: dict[str, Figure]
) -> None:
    history = [msgspec.structs.replace(entry, test_error=None) for entry in run.history]
    learning_curve.draw_learning_curve(replace(run, history=history))
    (axes,) = figures["learning_curve"].axes
    assert points(axes, TEST, "o") == []
    assert len(points(axes, TRAIN, "s")) == 20


def test_the_raster_has_each_event_once(run: RunFolder, figures: dict[str, Figure]) -> None:
    recording = run.recording_after
    assert recording is not None
    rasters.draw_raster(run, recording, "after")
    panels = figures["raster_after"].axes
    assert [axes.get_ylabel() for axes in panels] == ["image\nneuron", "hidden\nneuron", "readout\nneuron"]
    for axes, name in zip(panels, ("image", "hidden", "readout"), strict=True):
        dots, bars = points(axes, EVENT, "o"), points(axes, BURST, "|")
        events, bursts = recording.events[name], recording.bursts.get(name)
        assert sorted(dots + bars) == sorted(spikes(recording.time_ms, events))
        assert sorted(bars) == ([] if bursts is None else sorted(spikes(recording.time_ms, bursts)))
        assert axes.get_xlim() == (0, 480)
    assert texts(figures["raster_after"]) == ["answer", *"31051", "label", *"38051"]
    (wrong,) = [text for text in panels[0].texts if text.get_color() == BURST]
    assert wrong.get_text() == "1"


def spikes(time_ms: NDArray[np.float64], fired: NDArray[np.bool_]) -> list[tuple[float, float]]:
    step, neuron = np.nonzero(fired)
    return [(float(time_ms[s]), float(n)) for s, n in zip(step, neuron, strict=True)]


def test_the_band_of_the_label_is_at_the_labels_unit(run: RunFolder, figures: dict[str, Figure]) -> None:
    assert run.recording_after is not None
    rasters.draw_raster(run, run.recording_after, "after")
    readout = figures["raster_after"].axes[2]
    bands = [
        np.asarray(collection.get_paths()[0].vertices)
        for collection in readout.collections
        if np.allclose(collection.get_facecolor(), to_rgba(LABEL_UNIT))
    ]
    middles = [(band[:, 0].min(), (band[:, 1].min() + band[:, 1].max()) / 2) for band in bands]
    assert middles == [(0, 3), (96, 8), (192, 0), (288, 5), (384, 1)]


def test_a_large_population_is_thinned_and_the_caption_says_so(
    run: RunFolder, figures: dict[str, Figure]
) -> None:
    assert run.recording_after is not None
    events = np.ones((480, 784), dtype=np.bool_)
    recording = replace(run.recording_after, events={"image": events}, bursts={})
    picture = rasters.draw_raster(run, recording, "after")
    assert picture.caption.endswith("Shown: every 8th neuron of 'image'.")
    drawn = points(figures["raster_after"].axes[0], EVENT, "o")
    assert {neuron for _, neuron in drawn} == set(range(0, 784, 8))


def test_the_burst_probability_is_bursts_over_events(run: RunFolder, figures: dict[str, Figure]) -> None:
    recording = run.recording_after
    assert recording is not None
    burst_probability.draw_within_sample(replace(run, recording_before=None))
    hidden, label_unit, other_units = figures["burst_probability_in_sample"].axes
    assert label_unit.get_title(loc="left") == "readout: unit of the label"
    since = recording.time_ms % 96
    for index, edge in enumerate((0, 12, 24, 36, 48, 60, 72, 84)):
        inside = (since >= edge) & (since < edge + 12)
        expected = recording.bursts["hidden"][inside].sum() / recording.events["hidden"][inside].sum()
        assert np.asarray(hidden.lines[0].get_ydata())[index] == pytest.approx(expected)
        label = np.repeat(recording.labels, 96)
        of_label = label[:, None] == np.arange(10)
        for axes, chosen in ((label_unit, of_label), (other_units, ~of_label)):
            bursts = (recording.bursts["readout"] & chosen)[inside].sum()
            events = (recording.events["readout"] & chosen)[inside].sum()
            drawn = np.asarray(axes.lines[0].get_ydata())[index]
            if events >= 5:
                assert drawn == pytest.approx(bursts / events)
            else:
                assert math.isnan(drawn)


@pytest.mark.parametrize(("present", "teach"), [(96, 24), (128, 24), (64, 16), (50, 49), (50, 0), (50, 60)])
def test_no_bin_mixes_time_without_and_with_the_teacher(present: float, teach: float) -> None:
    edges = burst_probability.bin_edges(present, teach)
    assert len(edges) == burst_probability.BINS + 1
    assert edges[0] == 0
    assert edges[-1] == present
    assert (np.diff(edges) > 0).all()
    assert not 0 < teach < present or teach in edges


def test_no_bursts_no_picture(run: RunFolder) -> None:
    assert run.recording_after is not None
    silent = replace(run.recording_after, bursts={})
    assert (
        burst_probability.draw_within_sample(replace(run, recording_before=None, recording_after=silent))
        is None
    )


def test_the_confusion_matrix_shows_the_counts(run: RunFolder, figures: dict[str, Figure]) -> None:
    confusion.draw_confusion(run)
    (axes,) = figures["confusion"].axes
    cells = {
        (round(text.get_position()[1]), round(text.get_position()[0])): int(text.get_text())
        for text in axes.texts
        if text.get_text().isdigit()
    }
    counts = run.summary.confusion
    assert cells == {(r, c): counts[r][c] for r in range(10) for c in range(10) if counts[r][c]}
    shares = [
        text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in axes.texts if "%" in text.get_text()
    ]
    assert shares[1] == "2.78 %"
    assert shares[0] == "0 %"
    assert axes.get_ylabel() == "label"


def test_the_histograms_count_every_synapse(run: RunFolder, figures: dict[str, Figure]) -> None:
    assert run.weights_before is not None
    assert run.weights_after is not None
    weight_histograms.draw_weight_histograms(run, run.weights_before, run.weights_after)
    panels = figures["weight_histograms"].axes
    names = [axes.get_title(loc="left").replace("\n", "") for axes in panels]
    assert names == [
        "image->hidden.soma",
        "hidden.events->readout.soma",
        "readout.burst_error->hidden.dendrite",
    ]
    for axes, name in zip(panels, names, strict=True):
        bars = [patch for patch in axes.patches if hasattr(patch, "get_height")]
        assert sum(bar.get_height() for bar in bars) == run.weights_before.by_projection[name].size
    legends = [axes.get_legend() for axes in panels]
    labels = [legend.get_texts()[0].get_text() for legend in legends if legend is not None]
    assert labels == ["before learning", "before learning", "fixed"]
    assert [axes.get_xlabel() for axes in panels] == ["weight (mV)", "weight (mV)", "weight"]


def test_a_receptive_field_is_the_row_of_its_unit(run: RunFolder, figures: dict[str, Figure]) -> None:
    assert run.weights_before is not None
    assert run.weights_after is not None
    receptive_fields.draw_receptive_fields(run, run.weights_before, run.weights_after)
    before, after, _ = figures["receptive_fields"].axes
    image = np.asarray(after.images[0].get_array())
    assert image.shape == (5 * 9 - 1, 5 * 9 - 1)
    unit = run.weights_after.by_projection["image->hidden.soma"][7]
    assert np.array_equal(image[9:17, 18:26], unit.reshape(8, 8))
    assert before.images[0].get_clim() == after.images[0].get_clim()
    low, high = after.images[0].get_clim()
    assert high == np.abs(run.weights_after.by_projection["image->hidden.soma"][:25]).max()
    assert low is not None
    assert high == -low


def test_a_task_with_other_pixels_has_no_receptive_fields(run_folder: Path) -> None:
    run = read_run_folder(run_folder)
    assert run.answers is not None
    run = replace(run, answers=replace(run.answers, shape=(28, 28)))
    assert run.weights_before is not None
    assert run.weights_after is not None
    assert receptive_fields.draw_receptive_fields(run, run.weights_before, run.weights_after) == []
