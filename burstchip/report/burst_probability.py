"""The share of events that are bursts: within a sample, and over the training."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from burstchip.report.recording_file import Recording
from burstchip.report.run_folder import RunFolder
from burstchip.report.style import (
    AFTER,
    BEFORE,
    GRID,
    GUIDE,
    POPULATIONS,
    SOFT,
    WIDTH,
    Picture,
    new_figure,
    picture,
)
from burstchip.report.wording import number, percent
from burstchip.tasks.proportion import pooled_interval

#: Time bins over one presentation, about.
BINS = 8

#: Panels side by side.
COLUMNS = 2

#: A share of fewer events than these says nothing and is not drawn.
FEWEST_EVENTS = 5


def draw_within_sample(run: RunFolder) -> Picture | None:
    """Burst probability over the time since a sample appeared; None when no recording holds bursts."""
    recordings = [
        (when, colour, recording)
        for when, colour, recording in (
            ("before learning", BEFORE, run.recording_before),
            ("after learning", AFTER, run.recording_after),
        )
        if recording is not None and recording.bursts
    ]
    if not recordings:
        return None
    groups = list(dict.fromkeys(group for _, _, recording in recordings for group in _groups(run, recording)))
    columns = min(len(groups), COLUMNS)
    rows = math.ceil(len(groups) / columns)
    figure = new_figure(WIDTH, 2.3 * rows + 0.4)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes in panels.ravel()[len(groups) :]:
        axes.remove()
    seen = []
    for place, (population, units) in enumerate(groups):
        axes = panels.ravel()[place]
        name = population if units == "all" else f"{population}: {units}"
        for when, colour, recording in recordings:
            if (population, units) not in _groups(run, recording):
                continue
            edges, bursts, events = binned(recording, population, units)
            enough = events.sum(axis=0) >= FEWEST_EVENTS
            pooled = bursts.sum(axis=0) / np.maximum(events.sum(axis=0), 1)
            share = np.where(enough, pooled, np.nan)
            low, high = (np.where(enough, end, np.nan) for end in pooled_interval(bursts, events))
            # The two curves are shifted a little, so that their bars do not hide each other.
            aside = 0.008 * recording.present_ms * (-1 if colour == BEFORE else 1)
            centres = (edges[:-1] + edges[1:]) / 2 + aside
            axes.vlines(centres, low, high, color=colour, alpha=0.4, linewidth=3.5)
            axes.plot(centres, share, color=colour, marker="o", markersize=3, label=when)
            seen.append(_seen(name, when, recording.teach_after_ms, edges, bursts, events))
        axes.axvline(recordings[0][2].teach_after_ms, color=GUIDE, linewidth=1, linestyle="--")
        axes.set_title(name)
        if place + columns >= len(groups):
            axes.set_xlabel("time in the sample (ms)")
            axes.tick_params(labelbottom=True)
        if place % columns == 0:
            axes.set_ylabel("bursts / events")
    present_ms, teach_after_ms = recordings[0][2].present_ms, recordings[0][2].teach_after_ms
    first = panels[0, 0]
    first.annotate(
        "teacher on →",
        (teach_after_ms, 0.02),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=9,
        color=SOFT,
    )
    first.set_ylim(0, 1.02)
    first.set_xlim(0, present_ms)
    handles, names = first.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names))
    shown = " and ".join(dict.fromkeys(str(len(recording.labels)) for _, _, recording in recordings))
    return picture(
        figure,
        "burst_probability_in_sample",
        "Burst probability within a sample",
        f"Share of a population's events that are bursts, over its neurons and the {shown} recorded samples, "
        f"in {BINS} bins. Bars are 95 % intervals from the spread between samples; a bin with fewer than "
        f"{FEWEST_EVENTS} events is left out. From the dashed line on the teacher drives the dendrites "
        "of the readout.",
        " ".join(seen),
    )


def _seen(
    name: str,
    when: str,
    teach_after_ms: float,
    edges: NDArray[np.float64],
    bursts: NDArray[np.int64],
    events: NDArray[np.int64],
) -> str:
    """The share before and with the teacher."""
    taught = edges[:-1] >= teach_after_ms
    parts = []
    for what, bins in (("before the teacher is on", ~taught), ("with it", taught)):
        if total := int(events[:, bins].sum()):
            parts.append(f"{percent(int(bursts[:, bins].sum()) / total)} {what}")
    return f"{name}, {when}: {', '.join(parts) or 'no events'}."


def _groups(run: RunFolder, recording: Recording) -> list[tuple[str, str]]:
    """The groups of neurons with a curve each.

    The readout is split, since the teacher drives the unit of the label and the others differently.
    """
    groups = []
    for name in recording.bursts:
        if name == run.readout and recording.events[name].shape[1] == len(run.summary.class_names):
            groups += [(name, "unit of the label"), (name, "other units")]
        else:
            groups.append((name, "all"))
    return groups


def binned(
    recording: Recording, population: str, units: str
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Bin edges in ms since the start of a sample; bursts and events as [sample, bin]."""
    edges = bin_edges(recording.present_ms, recording.teach_after_ms)
    neurons = np.arange(recording.events[population].shape[1])
    bursts = np.zeros((len(recording.labels), len(edges) - 1), dtype=np.int64)
    events = np.zeros_like(bursts)
    for sample, (start, label) in enumerate(zip(recording.sample_start_ms, recording.labels, strict=True)):
        chosen = {
            "all": neurons >= 0,
            "unit of the label": neurons == label,
            "other units": neurons != label,
        }[units]
        since = recording.time_ms - start
        inside = (since >= 0) & (since < recording.present_ms)
        bins = np.digitize(since[inside], edges) - 1
        for counts, spikes in ((bursts, recording.bursts), (events, recording.events)):
            per_step = spikes[population][inside][:, chosen].sum(axis=1)
            counts[sample] = np.bincount(bins, per_step, minlength=len(edges) - 1)
    return edges, bursts, events


def bin_edges(present_ms: float, teach_after_ms: float) -> NDArray[np.float64]:
    """Edges of about `BINS` bins, none of which mixes time without the teacher and time with it."""
    if not 0 < teach_after_ms < present_ms:
        return np.linspace(0.0, present_ms, BINS + 1)
    before = min(max(round(BINS * teach_after_ms / present_ms), 1), BINS - 1)
    return np.concatenate(
        [
            np.linspace(0.0, teach_after_ms, before + 1)[:-1],
            np.linspace(teach_after_ms, present_ms, BINS - before + 1),
        ]
    )


def draw_over_training(run: RunFolder) -> Picture | None:
    """Burst probability and event rate of each population over the epochs; None when neither was noted."""
    probability = _series(run, "burst_probability")
    rate = _series(run, "event_rate")
    if not probability and not rate:
        return None
    names = list(dict.fromkeys([*probability, *rate]))
    colours = {name: POPULATIONS[index % len(POPULATIONS)] for index, name in enumerate(names)}
    figure = new_figure(WIDTH, 3.2)
    left, right = figure.subplots(1, 2)
    for axes, series in ((left, probability), (right, rate)):
        for name, points in series.items():
            epochs, values = zip(*points, strict=True)
            axes.plot(epochs, values, color=colours[name], marker="o", markersize=3)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.grid(axis="y", color=GRID, linewidth=0.8)
    left.set(ylabel="bursts / events", ylim=(0, 1))
    right.set_ylabel("events per neuron (Hz)")
    right.set_ylim(bottom=0)
    marks = [Line2D([], [], color=colours[name], marker="o", markersize=3, label=name) for name in names]
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks))
    return picture(
        figure,
        "burst_probability_over_training",
        "Burst probability and activity over the training",
        "Left: share of the events of each population that were bursts, over the whole epoch. Right: mean "
        "rate of events per neuron.",
        " ".join(
            [
                *(_course(name, points, "share of bursts", "") for name, points in probability.items()),
                *(_course(name, points, "events per neuron", " Hz") for name, points in rate.items()),
            ]
        ),
    )


def _course(name: str, points: list[tuple[int, float]], what: str, unit: str) -> str:
    """Where a curve begins and ends."""
    (first, begun), (last, ended) = points[0], points[-1]
    text = f"{name}, {what}: {number(begun, 3)}{unit} in epoch {first}"
    return f"{text}, {number(ended, 3)}{unit} in epoch {last}." if last != first else f"{text}."


def _series(run: RunFolder, quantity: str) -> dict[str, list[tuple[int, float]]]:
    """(epoch, value) by population; an epoch without a value is left out."""
    series: dict[str, list[tuple[int, float]]] = {}
    for epoch in run.history:
        for name, value in getattr(epoch, quantity).items():
            if value is not None:
                series.setdefault(name, []).append((epoch.epoch, value))
    return series
