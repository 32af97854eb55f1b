"""The share of events that are bursts: within a sample, and over the training."""

from __future__ import annotations

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from burstchip.report.proportion import wilson_interval
from burstchip.report.recording_file import Recording
from burstchip.report.run_folder import RunFolder
from burstchip.report.style import (
    AFTER,
    BEFORE,
    GUIDE,
    POPULATIONS,
    WIDTH,
    Picture,
    new_figure,
    picture,
    set_heading,
)
from burstchip.report.wording import setting

#: Time bins over one presentation, about.
BINS = 8

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
    figure = new_figure(WIDTH, 3.7)
    panels = figure.subplots(1, len(groups), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (population, units) in zip(panels, groups, strict=True):
        for when, colour, recording in recordings:
            if (population, units) not in _groups(run, recording):
                continue
            edges, bursts, events = _binned(recording, population, units)
            enough = events >= FEWEST_EVENTS
            share = np.where(enough, bursts / np.maximum(events, 1), np.nan)
            low, high = (np.where(enough, end, np.nan) for end in wilson_interval(bursts, events))
            # The two curves are shifted a little, so that their bars do not hide each other.
            aside = 0.008 * recording.present_ms * (-1 if colour == BEFORE else 1)
            centres = (edges[:-1] + edges[1:]) / 2 + aside
            axes.vlines(centres, low, high, color=colour, alpha=0.35, linewidth=3.5)
            axes.plot(centres, share, color=colour, marker="o", markersize=3, label=when)
            axes.axvline(recording.teach_after_ms, color=GUIDE, linewidth=1, linestyle="--")
        axes.set_title(population if units == "all" else f"{population}: {units}")
        axes.set_xlabel("time in the sample (ms)")
    present_ms, teach_after_ms = recordings[0][2].present_ms, recordings[0][2].teach_after_ms
    panels[0].annotate(
        "teacher on →",
        (teach_after_ms, 0.02),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=8.5,
        color="#666666",
    )
    panels[0].set_ylabel("bursts / events")
    panels[0].set_ylim(0, 1.02)
    panels[0].set_xlim(0, present_ms)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names))
    set_heading(figure, setting(run.summary))
    return picture(
        figure,
        "burst_probability_in_sample",
        "Burst probability within a sample",
        "Share of a population's events that are bursts, pooled over its neurons and the recorded samples in "
        f"{BINS} bins; bars are 95 % intervals that take events as independent, and a bin with fewer than "
        f"{FEWEST_EVENTS} events is left out. From the dashed line on the teacher drives the dendrites "
        "of the readout.",
    )


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


def _binned(
    recording: Recording, population: str, units: str
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Bin edges in ms since the start of a sample, bursts and events in each bin, over all samples."""
    edges = bin_edges(recording.present_ms, recording.teach_after_ms)
    count = len(edges) - 1
    neurons = np.arange(recording.events[population].shape[1])
    bursts = np.zeros(count, dtype=np.int64)
    events = np.zeros(count, dtype=np.int64)
    for start, label in zip(recording.sample_start_ms, recording.labels, strict=True):
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
            counts += np.bincount(bins, per_step, minlength=count).astype(np.int64)
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
    figure = new_figure(WIDTH, 3.7)
    left, right = figure.subplots(1, 2)
    for axes, series in ((left, probability), (right, rate)):
        for name, points in series.items():
            epochs, values = zip(*points, strict=True)
            axes.plot(epochs, values, color=colours[name], marker="o", markersize=3)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    left.set(ylabel="bursts / events", ylim=(0, 1))
    right.set_ylabel("events per neuron (Hz)")
    right.set_ylim(bottom=0)
    marks = [Line2D([], [], color=colours[name], marker="o", markersize=3, label=name) for name in names]
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks))
    set_heading(figure, setting(run.summary))
    return picture(
        figure,
        "burst_probability_over_training",
        "Burst probability and activity over the training",
        "Left: share of the events of each population that were bursts, over the whole epoch. Right: mean "
        "rate of events per neuron.",
    )


def _series(run: RunFolder, quantity: str) -> dict[str, list[tuple[int, float]]]:
    """(epoch, value) by population; an epoch without a value is left out."""
    series: dict[str, list[tuple[int, float]]] = {}
    for epoch in run.history:
        for name, value in getattr(epoch, quantity).items():
            if value is not None:
                series.setdefault(name, []).append((epoch.epoch, value))
    return series
