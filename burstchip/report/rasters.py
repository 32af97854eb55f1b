"""Spike rasters with bursts marked, a row for each neuron, a panel for each population."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from burstchip.report.recording_file import Recording
from burstchip.report.run_folder import RunFolder
from burstchip.report.style import (
    BURST,
    EVENT,
    GUIDE,
    LABEL_UNIT,
    TEACHER,
    WIDTH,
    Picture,
    new_figure,
    picture,
    set_heading,
)
from burstchip.report.wording import setting

#: More rows than these run into each other; of a larger population every second, third ... neuron is shown.
MOST_ROWS = 100


def draw_raster(run: RunFolder, recording: Recording, when: str) -> Picture:
    """Events and bursts of `recording`; `when` is `before` or `after` learning."""
    populations = sorted(recording.events, key=lambda name: (name == run.readout, name != run.input))
    strides = {name: math.ceil(recording.events[name].shape[1] / MOST_ROWS) for name in populations}
    heights = [0.55 + _row_height(recording.events[name].shape[1] // strides[name]) for name in populations]
    figure = new_figure(WIDTH, sum(heights) + 1.0)
    panels = figure.subplots(len(populations), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, name in zip(panels, populations, strict=True):
        _panel(axes, recording, name, strides[name], is_readout=name == run.readout)
    for start, label in zip(recording.sample_start_ms, recording.labels, strict=True):
        panels[0].text(
            start + recording.present_ms / 2,
            1.02,
            f"label {run.summary.class_names[label]}",
            transform=panels[0].get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=9,
        )
    panels[-1].set_xlabel("time (ms)")
    end = max(recording.time_ms[-1], recording.sample_start_ms[-1] + recording.present_ms)
    panels[-1].set_xlim(recording.time_ms[0], end)
    set_heading(figure, setting(run.summary))
    marks: list[Line2D | Patch] = [
        Line2D([], [], linestyle="none", marker="o", markersize=3, color=EVENT, label="event"),
        Line2D(
            [],
            [],
            linestyle="none",
            marker="|",
            markersize=8,
            markeredgewidth=1.6,
            color=BURST,
            label="burst",
        ),
        Patch(facecolor=TEACHER, edgecolor=GUIDE, linewidth=0.6, label="teacher on"),
    ]
    if run.readout in populations:
        marks.append(Patch(facecolor=LABEL_UNIT, edgecolor=GUIDE, linewidth=0.6, label="unit of the label"))
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks))
    thinned = [
        f"every {_ordinal(stride)} neuron of '{name}'" for name, stride in strides.items() if stride > 1
    ]
    return picture(
        figure,
        f"raster_{when}",
        f"Activity {when} learning",
        f"Every event (dot) while {len(recording.labels)} samples are shown one after the other {when} "
        "learning, the teacher as in training and the weights held; an event that the dendrite turned into a "
        "burst is a bar. Grey lines separate the samples. "
        + (f"Shown: {', '.join(thinned)}." if thinned else "Every neuron is shown."),
    )


def _panel(axes: Axes, recording: Recording, name: str, stride: int, *, is_readout: bool) -> None:
    events = recording.events[name][:, ::stride]
    bursts = recording.bursts[name][:, ::stride] if name in recording.bursts else np.zeros_like(events)
    rows = events.shape[1]
    row_points = 72 * _row_height(rows) / rows
    for index, start in enumerate(recording.sample_start_ms):
        axes.axvspan(
            start + recording.teach_after_ms,
            start + recording.present_ms,
            color=TEACHER,
            linewidth=0,
            zorder=0,
        )
        if is_readout and recording.labels[index] < rows and stride == 1:
            axes.fill_between(
                [start, start + recording.present_ms],
                recording.labels[index] - 0.5,
                recording.labels[index] + 0.5,
                color=LABEL_UNIT,
                linewidth=0,
                zorder=1,
            )
        if index:
            axes.axvline(start, color=GUIDE, linewidth=1, zorder=1)
    for spikes, colour, marker, size, width in (
        (events & ~bursts, EVENT, "o", min(0.8 * row_points, 3.0), 0.0),
        (bursts, BURST, "|", min(1.6 * row_points, 8.5), 0.9 if rows > 12 else 1.3),
    ):
        step, neuron = np.nonzero(spikes)
        axes.plot(
            recording.time_ms[step],
            neuron * stride,
            linestyle="none",
            marker=marker,
            markersize=size,
            markeredgewidth=width,
            color=colour,
            zorder=3,
        )
    axes.set_ylim(-0.7 * stride, (rows - 0.3) * stride)
    axes.set_ylabel(f"{name}\nneuron")
    if rows * stride <= 12:
        axes.set_yticks(range(rows * stride))
        axes.tick_params(axis="y", labelsize=7.5)


def _row_height(rows: int) -> float:
    """Height in inches of a panel of this many rows."""
    return min(max(0.028 * rows, 0.4), 2.8) if rows > 12 else 0.135 * rows


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
