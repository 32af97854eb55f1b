"""Figure 2 b to d: trains that are imposed on a synapse, and how far its weight has moved in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
from matplotlib.axes import Axes

from burstchip.experiments.experiment import Drawing, Runs, read_published
from burstchip.experiments.rates import Reals
from burstchip.report.style import AFTER, BURST, GUIDE, WIDTH, new_figure, picture, png
from hw_models.elementary import log
from hw_models.program.random import U32, at, key

#: What a burst that finds a trace of one event adds to the weight, as published.
LEARNING_RATE = 0.1
#: Units of the chip in a weight of 1, and how many it adds in each variant: half of the trace's increment.
UNITS_OF_ONE = 256
UNITS = {"periodic": 13.0, "poisson_30": 3.0, "poisson_50": 3.0, "bursts_5": 3.0, "bursts_10": 3.0}
#: Synapses of one point. In c and d each has its own trains. In b each begins a little later than the one
#: before: on the chip all traces of a step round alike, and a mean over equal ones would be no mean.
TRIALS = 20
LATER_MS = 1.5

FREQUENCIES: Reals = np.linspace(1, 100, 20, dtype=np.float64)
RATES: Reals = np.linspace(1, 50, 10, dtype=np.float64)
PROBABILITIES: Reals = np.arange(10, dtype=np.float64) * 0.05

#: b: pairs in a sequence, sequences, and what lies between two, in ms.
PAIRS, SEQUENCES, BETWEEN_MS = 5, 15, 11_000
FIRST_MS = 10.0
#: c and d: how long a train lasts, and the least intervals after a spike and after an event, in ms.
LASTS_MS = 100_000.0
AFTER_SPIKE_MS, AFTER_EVENT_MS, WITHIN_MS = 2.0, 20.0, 10.0
#: Above it two successive spikes are a burst.
BURSTS_FROM_HZ = 62.5


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of `published.yaml`."""

    periodic: list[float]
    poisson_30: list[float]
    poisson_50: list[float]
    bursts_5: list[float]
    bursts_10: list[float]


@lru_cache(maxsize=1)
def published() -> Published:
    """The authors' changes of the weight."""
    return read_published(__file__, Published)


def settings(step_ms: float) -> Mapping[str, str]:
    """Nothing here depends on the step."""
    return {}


def inputs(variant: str, step_ms: float, seed: int, folder: Path) -> Mapping[str, str]:
    """The imposed spikes of a variant, in steps that they have begun, in two files."""
    if variant == "periodic":
        trains = [periodic(float(f), trial * LATER_MS) for f in FREQUENCIES for trial in range(TRIALS)]
        sides = {"source": trains, "target": trains}
    else:
        points = RATES if variant.startswith("poisson") else PROBABILITIES
        sides = {
            side: [
                _drawn(variant, float(points[i // TRIALS]), key(seed, stream, i))
                for i in range(TRIALS * len(points))
            ]
            for stream, side in enumerate(("source", "target"))
        }
    for side, trains in sides.items():
        rows = [(i, np.floor(t / step_ms + 1e-6) * step_ms) for i, train in enumerate(trains) for t in train]
        np.save(folder / f"{side}.npy", np.asarray(rows))
    return {
        "size": str(len(sides["source"])),
        **{f"{side}_spikes": str(folder / f"{side}.npy") for side in sides},
    }


def periodic(frequency_hz: float, later_ms: float = 0.0) -> list[float]:
    """b: the times of the pairs of all sequences, in ms."""
    lasts = PAIRS * 1000 / frequency_hz + BETWEEN_MS
    return [
        FIRST_MS + later_ms + sequence * lasts + pair * 1000 / frequency_hz
        for sequence in range(SEQUENCES)
        for pair in range(PAIRS)
    ]


def _drawn(variant: str, point: float, drawn: U32) -> list[float]:
    if variant.startswith("poisson"):
        return poisson(point, drawn)
    return bursting(float(variant.removeprefix("bursts_")), point, drawn)


def _uniform(drawn: U32, n: int) -> Reals:
    """The first n draws of a key, above 0 and below 1."""
    return np.asarray((at(drawn, np.arange(n)) + 0.5) / 2.0**32, dtype=np.float64)


def poisson(rate_hz: float, drawn: U32) -> list[float]:
    """c: a train of this rate with a dead time, in ms."""
    mean = 1000 / rate_hz - AFTER_SPIKE_MS
    expected = rate_hz * LASTS_MS / 1000
    n = int(expected + 10 * np.sqrt(expected)) + 10
    times = np.cumsum(AFTER_SPIKE_MS - mean * log(_uniform(drawn, n)))
    return [float(t) for t in times if t < LASTS_MS]


def bursting(event_rate_hz: float, probability: float, drawn: U32) -> list[float]:
    """d: a train of events, each a burst of two spikes with a probability, in ms."""
    mean = 1000 / event_rate_hz - AFTER_EVENT_MS
    expected = event_rate_hz * LASTS_MS / 1000
    n = int(expected + 10 * np.sqrt(expected)) + 10
    waits, chances, within = _uniform(drawn, 3 * n).reshape(3, n)
    found, time = [], 0.0
    for wait, chance, rest in zip(AFTER_EVENT_MS - mean * log(waits), chances, within, strict=True):
        time += float(wait)
        found.append(time)
        if chance < probability:
            time += AFTER_SPIKE_MS + WITHIN_MS * float(rest)
            found.append(time)
    return [t for t in found if t < LASTS_MS]


def change(runs: Runs, variant: str) -> Reals:
    """How far the weights have moved, as published: [point, trial]."""
    units = runs[variant].ends["learned.w"] * UNITS_OF_ONE
    return np.asarray(units * LEARNING_RATE / UNITS[variant]).reshape(-1, TRIALS)


def _last_rise(points: Reals, values: Reals) -> float:
    """Where the line through the points last rises through 0; not a number where it does not."""
    rises = np.flatnonzero((values[:-1] < 0) & (values[1:] >= 0))
    if not rises.size:
        return float("nan")
    i = int(rises[-1])
    share = -values[i] / (values[i + 1] - values[i])
    return float(points[i] + share * (points[i + 1] - points[i]))


def measured(curves: Mapping[str, Reals]) -> Mapping[str, float]:
    """Zeros, slopes and distances of the five curves."""
    pairs, theirs = curves["periodic"], np.asarray(published().periodic)
    slow = FREQUENCIES < BURSTS_FROM_HZ
    lines = {name: np.polyfit(100 * PROBABILITIES, curves[name], 1) for name in ("bursts_5", "bursts_10")}
    return {
        "periodic_worst": 100 * float(np.max(np.abs(pairs / theirs - 1))),
        "periodic_below": float(np.max(pairs[slow])),
        "periodic_above": float(np.min(pairs[~slow])),
        "poisson_30_zero": _last_rise(RATES, curves["poisson_30"]),
        "poisson_50_zero": _last_rise(RATES, curves["poisson_50"]),
        "poisson_depth": float(np.min(curves["poisson_50"]) / np.min(curves["poisson_30"])),
        **{f"{name}_zero": float(-line[1] / line[0]) for name, line in lines.items()},
        "bursts_slopes": float(lines["bursts_10"][0] / lines["bursts_5"][0]),
        "bursts_straight": min(float(np.corrcoef(PROBABILITIES, curves[name])[0, 1]) for name in lines),
    }


def measure(runs: Runs) -> Mapping[str, float]:
    """What `measured` finds in the mean curves of one seed."""
    return measured({name: np.mean(change(runs, name), axis=1) for name in UNITS})


def _draw(axes: Axes, points: Reals, curves: Mapping[str, tuple[str, str]], all_runs: Sequence[Runs]) -> None:
    """Curves by variant, each with its label and colour: means, and a standard deviation over all trials."""
    axes.axhline(0, color=GUIDE, linewidth=0.8)
    for name, (label, colour) in curves.items():
        found = np.concatenate([change(runs, name) for runs in all_runs], axis=1)
        mean, spread = np.mean(found, axis=1), np.std(found, axis=1)
        axes.plot(points, np.asarray(getattr(published(), name)), color=colour, linestyle=":", linewidth=1.2)
        axes.fill_between(points, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0)
        axes.plot(points, mean, color=colour, marker="o", markersize=3.5, label=label)
    axes.set_ylabel("change of the weight")
    if len(curves) > 1:
        axes.legend(loc="upper left")


_PANELS = {
    "periodic": ("b  periodic pairs", "frequency (Hz)", {"periodic": ("", AFTER)}),
    "poisson": (
        "c  Poisson trains",
        "rate (Hz)",
        {"poisson_30": ("30 % usual", AFTER), "poisson_50": ("50 % usual", BURST)},
    ),
    "bursts": (
        "d  events that are bursts by chance",
        "burst probability (%)",
        {"bursts_5": ("5 Hz", AFTER), "bursts_10": ("10 Hz", BURST)},
    ),
}


def draw(all_runs: Sequence[Runs]) -> Drawing:
    """A panel for each protocol; the authors' means are dotted."""
    points: dict[str, Reals] = {
        "periodic": FREQUENCIES,
        "poisson": RATES,
        "bursts": np.asarray(100 * PROBABILITIES, dtype=np.float64),
    }
    found = [measure(runs) for runs in all_runs]

    mean = {name: float(np.mean([it[name] for it in found])) for name in found[0]}
    seen = {
        "periodic": (
            f"Below 62.5 Hz the weight shrinks by at least {-mean['periodic_below']:.2f}, "
            f"above it grows by at least {mean['periodic_above']:.2f}."
        ),
        "poisson": (
            f"The weight first shrinks, then grows: from {mean['poisson_30_zero']:.0f} Hz on where 30 % are "
            f"usual, from {mean['poisson_50_zero']:.0f} Hz on where 50 % are."
        ),
        "bursts": (
            f"Straight lines through 0 at {mean['bursts_5_zero']:.0f} % and {mean['bursts_10_zero']:.0f} %; "
            f"that at 10 Hz is {mean['bursts_slopes']:.1f} times as steep."
        ),
    }
    pictures = []
    whole = new_figure(2 * WIDTH, 3.6)
    for axes, (name, (title, unit, curves)) in zip(whole.subplots(1, 3), _PANELS.items(), strict=True):
        figure = new_figure(WIDTH, 3.4)
        for each in (figure.subplots(), axes):
            _draw(each, points[name], curves, all_runs)
            each.set_xlabel(unit)
        axes.set_title(title)
        caption = "Solid: means; shaded: one standard deviation over trials. Dotted: the authors' means."
        pictures.append(picture(figure, name, title, caption, seen[name]))
    return Drawing(tuple(pictures), png(whole))
