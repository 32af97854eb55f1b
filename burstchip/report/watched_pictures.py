"""The pictures of a recording: spikes and bursts, rates, both compartments of a neuron, weights over time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from burstchip.report.style import (
    AFTER,
    BURST,
    EVENT,
    GUIDE,
    INK,
    POPULATIONS,
    WIDTH,
    Picture,
    new_figure,
    picture,
)
from burstchip.report.watched_file import Reals, Spikes, Values, Watched
from burstchip.report.wording import count, number

#: Rows of a raster; of a larger population every second, third ... neuron is shown.
MOST_ROWS = 60
#: What a raster shows, at most: later spikes would run into each other.
MOST_MS = 2000.0
#: Bins of rates, about, and over how many of them an average moves.
BINS, AVERAGED = 120, 10
#: Synapses drawn one by one.
SINGLE = 12
#: The potentials of a neuron's two compartments.
COMPARTMENTS = {"v": "soma", "d": "dendrite"}


def draw_raster(watched: Watched) -> Picture | None:
    """Every spike of some neurons of each population; None where none was recorded."""
    populations = [name for name, spikes in watched.events.items() if spikes.recorded.size]
    if not populations:
        return None
    end = min(watched.times[0] + watched.lasts_ms, watched.times[0] + MOST_MS)
    shown = {name: _thinned(watched.events[name].recorded) for name in populations}
    heights = [0.3 + 0.02 * max(12, shown[name].size) for name in populations]
    figure = new_figure(WIDTH, sum(heights) + 0.9)
    panels = figure.subplots(len(populations), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    counted = []
    for axes, name in zip(panels, populations, strict=True):
        single, bursts = _told_apart(watched.events[name], watched.bursts.get(name))
        for kind, colour, size in ((single, EVENT, 3.0), (bursts, BURST, 7.0)):
            row = np.searchsorted(shown[name], kind[1])
            inside = (kind[0] < end) & (shown[name][np.minimum(row, shown[name].size - 1)] == kind[1])
            axes.scatter(
                kind[0][inside],
                row[inside],
                s=size,
                marker="|" if colour == BURST else ".",
                color=colour,
                linewidths=1.2 if colour == BURST else 0,
                rasterized=True,
            )
        counted.append(f"{name}: {single[0].size:,} single spikes, {bursts[0].size:,} bursts")
        axes.set_ylabel(name)
        axes.set_yticks([])
        axes.set_ylim(-1, shown[name].size)
    panels[-1].set_xlim(watched.times[0], end)
    panels[-1].set_xlabel("time (ms)")
    figure.legend(
        handles=[
            Line2D([], [], linestyle="none", marker=".", color=EVENT, label="single spike"),
            Line2D([], [], linestyle="none", marker="|", markersize=8, color=BURST, label="burst"),
        ],
        loc="outside lower center",
        ncols=2,
    )
    thinned = [
        f"{it.size} of {watched.events[name].size} neurons of '{name}'"
        for name, it in shown.items()
        if it.size < watched.events[name].size
    ]
    caption = "A burst stands where it began, in place of its first spike. "
    caption += f"Shown: {', '.join(thinned)}." if thinned else "Every recorded neuron is shown."
    if end < watched.times[0] + watched.lasts_ms:
        caption += f" The first {MOST_MS:g} ms of {watched.lasts_ms:g}."
    return picture(figure, "raster", "Spikes and bursts", caption, "; ".join(counted) + ".")


def _thinned(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return numbers[:: max(1, math.ceil(numbers.size / MOST_ROWS))]


_Times = tuple[Reals, NDArray[np.int64]]


def _told_apart(events: Spikes, bursts: Spikes | None) -> tuple[_Times, _Times]:
    """(single spikes, bursts by the event that each began with), as times and neurons.

    A burst may be noted at its event or at a later spike: it began with the last event of the neuron.
    """
    order = np.lexsort((events.times, events.neurons))
    times, neurons = events.times[order], events.neurons[order]
    begins = np.zeros(times.size, dtype=bool)
    if bursts is not None and times.size:
        # Neurons one after another on one line of time.
        far = max(float(times.max()), float(bursts.times.max(initial=0.0))) + 1.0
        place = np.searchsorted(neurons * far + times, bursts.neurons * far + bursts.times, side="right") - 1
        ours = (place >= 0) & (neurons[np.maximum(place, 0)] == bursts.neurons)
        begins[place[ours]] = True
    return (times[~begins], neurons[~begins]), (times[begins], neurons[begins])


def draw_rates(watched: Watched) -> Picture | None:
    """Event rate, burst rate and burst probability of each population; None where no events were recorded."""
    populations = [name for name, spikes in watched.events.items() if spikes.recorded.size]
    if not populations:
        return None
    bursting = [name for name in populations if name in watched.bursts]
    edges = np.linspace(watched.times[0], watched.times[0] + watched.lasts_ms, _bins(watched) + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    rows = 3 if bursting else 1
    figure = new_figure(WIDTH, 1.9 * rows + 0.5)
    panels = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    seen = []
    for name, colour in zip(populations, _colours(populations), strict=True):
        events = _rate(watched.events[name], edges)
        _line(panels[0], middles, events, colour, name)
        text = f"{name}: {number(float(np.mean(events)), 3)} Hz"
        if name in bursting:
            bursts = _rate(watched.bursts[name], edges)
            _line(panels[1], middles, bursts, colour, name)
            with np.errstate(invalid="ignore", divide="ignore"):
                share = _moving(bursts) / _moving(events)
            panels[2].plot(middles, 100 * share, color=colour)
            if np.sum(events) > 0:
                text += f", {100 * np.sum(bursts) / np.sum(events):.1f} % bursts"
        seen.append(text)
    panels[0].set_ylabel("events (Hz)")
    if bursting:
        panels[1].set_ylabel("bursts (Hz)")
        panels[2].set_ylabel("bursts an event (%)")
    for axes in panels:
        axes.set_ylim(bottom=0)
    panels[-1].set_xlabel("time (ms)")
    panels[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(4, len(populations)))
    caption = (
        f"Rates a neuron: thin in bins of {number(float(edges[1] - edges[0]), 3)} ms, thick the average over "
        f"{AVERAGED} of them; the burst probability is that of both averages."
    )
    return picture(figure, "rates", "Rates of populations", caption, "Means: " + "; ".join(seen) + ".")


def _bins(watched: Watched) -> int:
    return int(min(BINS, max(1, watched.times.size)))


def _colours(names: Sequence[str]) -> list[str]:
    return [POPULATIONS[i % len(POPULATIONS)] for i in range(len(names))]


def _rate(spikes: Spikes, edges: Reals) -> Reals:
    """Spikes a neuron and second (Hz) in each bin."""
    counts, _ = np.histogram(spikes.times, edges)
    seconds = (edges[1] - edges[0]) / 1000 * spikes.share
    return np.asarray(counts / spikes.size / seconds, dtype=np.float64)


def _moving(values: Reals) -> Reals:
    """The average over bins around each, over fewer at the ends."""
    window = np.ones(min(AVERAGED, values.size))
    return np.asarray(np.convolve(values, window, "same") / np.convolve(np.ones(values.size), window, "same"))


def _line(axes: Axes, times: Reals, values: Reals, colour: str, label: str) -> None:
    axes.plot(times, values, color=colour, linewidth=0.6, alpha=0.6)
    axes.plot(times, _moving(values), color=colour, label=label)


def draw_compartments(watched: Watched, population: str, neuron: int) -> Picture | None:
    """The recorded potentials of one neuron, with its spikes; None where none of them was recorded."""
    found = {
        name: values
        for name in COMPARTMENTS
        if (values := watched.states.get(f"{population}.{name}")) is not None and neuron in values.numbers
    }
    if not found:
        return None
    figure = new_figure(WIDTH, 1.9 * len(found) + 0.6)
    panels = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
    end = min(watched.times[-1], watched.times[0] + MOST_MS)
    until = watched.times <= end
    seen = []
    single, bursts = _of_neuron(watched, population, neuron)
    for axes, (name, values) in zip(panels, found.items(), strict=True):
        trace = values.values[:, int(np.flatnonzero(values.numbers == neuron)[0])]
        axes.plot(watched.times[until], trace[until], color=AFTER, linewidth=1.0)
        for times, colour in ((single, EVENT), (bursts, BURST)):
            for time in times[times <= end]:
                axes.axvline(time, color=colour, linewidth=0.8, alpha=0.7)
        compartment = COMPARTMENTS[name]
        axes.set_ylabel(f"{compartment} ({values.unit or name})")
        low, high = float(np.min(trace[until])), float(np.max(trace[until]))
        seen.append(f"{compartment} from {number(low, 3)} to {number(high, 3)} {values.unit}".rstrip())
    panels[-1].set_xlim(watched.times[0], end)
    panels[-1].set_xlabel("time (ms)")
    caption = "Grey: single spikes. Orange: where bursts began."
    title = f"Neuron {neuron} of '{population}'"
    return picture(figure, "compartments", title, caption, "; ".join(seen) + ".")


def _of_neuron(watched: Watched, population: str, neuron: int) -> tuple[Reals, Reals]:
    if population not in watched.events:
        return np.empty(0), np.empty(0)
    single, bursts = _told_apart(watched.events[population], watched.bursts.get(population))
    return single[0][single[1] == neuron], bursts[0][bursts[1] == neuron]


def draw_weights(watched: Watched) -> Picture | None:
    """Weights of projections over time; None where none was recorded."""
    if not watched.weights:
        return None
    figure = new_figure(WIDTH, 2.1 * len(watched.weights) + 0.4)
    panels = figure.subplots(len(watched.weights), 1, sharex=True, squeeze=False)[:, 0]
    seen = []
    for axes, values in zip(panels, watched.weights.values(), strict=True):
        _draw_weights(axes, watched.times, values)
        mean = np.mean(values.values, axis=1)
        name = values.name.removesuffix(".w")
        axes.set_title(name)
        axes.set_ylabel(f"weight ({values.unit})" if values.unit else "weight")
        ends = f"{number(float(mean[0]), 3)} to {number(float(mean[-1]), 3)} {values.unit}".rstrip()
        seen.append(f"{name}: mean of {count(values.values.shape[1], 'synapse')} from {ends}")
    panels[-1].set_xlabel("time (ms)")
    caption = f"Thick: mean. Shaded: one standard deviation. Thin: up to {SINGLE} synapses."
    return picture(figure, "weights", "Weights over time", caption, "; ".join(seen) + ".")


def _draw_weights(axes: Axes, times: Reals, values: Values) -> None:
    mean, spread = np.mean(values.values, axis=1), np.std(values.values, axis=1)
    axes.fill_between(times, mean - spread, mean + spread, color=GUIDE, alpha=0.35, linewidth=0)
    stride = max(1, values.values.shape[1] // SINGLE)
    axes.plot(times, values.values[:, ::stride][:, :SINGLE], color=AFTER, linewidth=0.5, alpha=0.6)
    axes.plot(times, mean, color=INK)
