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
    INK,
    LABEL_UNIT,
    SOFT,
    TEACHER,
    WIDTH,
    Picture,
    new_figure,
    picture,
)
from burstchip.report.wording import count, percent

#: More rows than these run into each other; of a larger population every second, third ... neuron is shown.
MOST_ROWS = 100

#: More samples than these leave no room for their labels. With up to so many classes each has one.
MOST_SAMPLES = 10


def draw_raster(run: RunFolder, recording: Recording, when: str) -> Picture:
    """Events and bursts of the first samples of `recording`; `when` is `before` or `after` learning."""
    recording = recording.first(MOST_SAMPLES)
    populations = sorted(recording.events, key=lambda name: (name == run.readout, name != run.input))
    strides = {name: math.ceil(recording.events[name].shape[1] / MOST_ROWS) for name in populations}
    heights = [0.3 + _row_height(recording.events[name].shape[1] // strides[name]) for name in populations]
    figure = new_figure(WIDTH, sum(heights) + 1.1)
    panels = figure.subplots(len(populations), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, name in zip(panels, populations, strict=True):
        _panel(axes, recording, name, strides[name], is_readout=name == run.readout)
    _name_samples(panels[0], run, recording)
    panels[-1].set_xlabel("time (ms)")
    end = max(recording.time_ms[-1], recording.sample_start_ms[-1] + recording.present_ms)
    panels[-1].set_xlim(recording.time_ms[0], end)
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
    figure.legend(
        handles=marks, loc="outside lower center", ncols=len(marks), handletextpad=0.4, columnspacing=1
    )
    thinned = [
        f"every {_ordinal(stride)} neuron of '{name}'" for name, stride in strides.items() if stride > 1
    ]
    above = (
        "; above each its label and the network's answer, a wrong one in colour" if recording.answers else ""
    )
    return picture(
        figure,
        f"raster_{when}",
        f"Activity {when} learning",
        f"Every event (dot) while {len(recording.labels)} test samples are shown one after the other {when} "
        f"learning, the teacher as in training and the weights held{above}. An event that the dendrite "
        "turned into a burst is a bar. Grey lines separate the samples. "
        + (f"Shown: {', '.join(thinned)}." if thinned else "Every neuron is shown."),
        _seen(run, recording, populations),
    )


def _name_samples(axes: Axes, run: RunFolder, recording: Recording) -> None:
    """Label and answer of each sample, above its part of the uppermost panel."""
    names = run.summary.class_names
    above = axes.get_xaxis_transform()
    rows: list[tuple[str, list[str], list[int]]] = [
        ("label", [names[label] for label in recording.labels], [])
    ]
    if recording.answers:
        given = [names[answer] if answer >= 0 else "–" for answer in recording.answers]
        pairs = zip(recording.labels, recording.answers, strict=True)
        wrong = [place for place, (label, answer) in enumerate(pairs) if label != answer]
        rows.append(("answer", given, wrong))
    height = 13.0
    for line, (what, texts, marked) in enumerate(reversed(rows)):
        points = 3 + line * height
        axes.annotate(
            what,
            (0, 1),
            xycoords="axes fraction",
            xytext=(-4, points),
            textcoords="offset points",
            ha="right",
            fontsize=9.5,
            color=SOFT,
        )
        for place, text in enumerate(texts):
            middle = recording.sample_start_ms[place] + recording.present_ms / 2
            axes.annotate(
                text,
                (middle, 1),
                xycoords=above,
                xytext=(0, points),
                textcoords="offset points",
                ha="center",
                fontsize=9.5,
                color=BURST if place in marked else INK,
                fontweight="bold" if place in marked else "normal",
            )


def _seen(run: RunFolder, recording: Recording, populations: list[str]) -> str:
    """Events and bursts of each population, and how many answers are right."""
    said = []
    for name in populations:
        events = int(recording.events[name].sum())
        text = f"'{name}' emits {count(events, 'event')}"
        if name in recording.bursts and events:
            text += f", {percent(int(recording.bursts[name].sum()) / events)} of them bursts"
        said.append(text)
    text = f"In {count(len(recording.labels), 'sample')} {'; '.join(said)}."
    if recording.answers:
        pairs = zip(recording.labels, recording.answers, strict=True)
        wrong = [
            f"{run.summary.class_names[label]} as {run.summary.class_names[answer]}"
            for label, answer in pairs
            if answer not in (label, -1)
        ]
        text += f" Wrong answers: {', '.join(wrong) or 'none'}."
    return text


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
        (events & ~bursts, EVENT, "o", min(0.8 * row_points, 2.4), 0.0),
        (bursts, BURST, "|", min(1.6 * row_points, 8.5), 0.7 if rows > 12 else 1.0),
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
            # Ten thousands of marks, each an element of its own, would make a page of megabytes.
            rasterized=True,
        )
    axes.set_ylim(-0.7 * stride, (rows - 0.3) * stride)
    axes.set_ylabel(f"{name}\nneuron")
    if rows * stride <= 12:
        axes.set_yticks(range(rows * stride))
        axes.tick_params(axis="y", labelsize=7.5)


def _row_height(rows: int) -> float:
    """Height in inches of a panel of this many rows."""
    return min(max(0.024 * rows, 0.4), 2.2) if rows > 12 else 0.135 * rows


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
