"""Figure 2 e to g: what dendritic input does to burst probability and weights, in windows of 25 s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
from matplotlib.axes import Axes

from burstchip.experiments.experiment import PUBLISHED, Drawing, Runs, read_published
from burstchip.experiments.rates import Reals
from burstchip.report.style import AFTER, BURST, GUIDE, INK, POPULATIONS, WIDTH, new_figure, picture, png
from hw_models.neurons.quantities import decay_units
from hw_models.program.random import at, key, row

#: What a burst that finds a trace of one event adds to a weight, as a multiple of the leak: 1 % more than the
#: published 0.0035, as all weights of excitation are.
LEARNING_RATE = 3.535e-3
TAU_EXC_MS = 5.0
#: How plastic weights count, as a share of the leak, but for the mean of a conductance over a step.
WEIGHT_UNIT = 2.0**-9
#: What rule and chip make of a trace and a burst, which counts 64: 2^-7, and three bits less.
RULE_GAIN = 64 / 2**7 / 2**3

#: The edges of windows in s. Of each the events, bursts and the weight at its end are compared.
EDGES = (20.0, 45.0, 70.0, 95.0, 120.0, 145.0, 167.5)
BIN = 2.5
START_WEIGHT = 0.08
REACHED = 0.2
#: The windows of the strong, the weak and no other dendritic input, and of more bursts before.
STRONG, WEAK, BEFORE = 1, 3, 5
_REBOUND = 10.0


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of `published.yaml`: series in bins of 2.5 s."""

    event_rate: list[float]
    burst_rate: list[float]
    event_rate_before: list[float]
    burst_rate_before: list[float]
    weight: list[float]
    usual: list[float]


@lru_cache(maxsize=1)
def published() -> Published:
    """The authors' series."""
    return read_published(__file__, Published)


def settings(step_ms: float) -> Mapping[str, str]:
    """The increment at which a burst adds the learning rate, and what closes a relay within a step."""
    steps = TAU_EXC_MS / step_ms
    unit = WEIGHT_UNIT / float(steps * decay_units(TAU_EXC_MS, step_ms, 1))
    return {
        "increment": f"{LEARNING_RATE / (RULE_GAIN * unit):.12g}",
        "closed": f"{-2000 / step_ms:.12g} pA",
        "two_steps": f"{2 * step_ms:.12g} ms",
    }


def inputs(variant: str, step_ms: float, seed: int, folder: Path) -> Mapping[str, str]:
    """Which dendrites each source of noise reaches: all three ways reach the same."""
    sources, targets = np.arange(100), np.arange(1000)
    drawn = at(row(key(seed, 0, 0), sources[:, None]), targets[None, :])
    np.save(folder / "pairs.npy", np.argwhere(drawn < REACHED * 2.0**32))
    return {"pairs": str(folder / "pairs.npy")}


@dataclass(frozen=True)
class Series:
    """What is compared, [bin]: rates in Hz, probabilities in %, the weight's change in %."""

    events: Reals
    bursts: Reals
    events_before: Reals
    bursts_before: Reals
    change: Reals
    usual: Reals

    @property
    def times(self) -> Reals:
        """The ends of the bins in s."""
        return np.asarray(BIN * (np.arange(self.events.size) + 1))

    def mean(self, series: Reals, window: int) -> float:
        """Over a window."""
        inside = (self.times > EDGES[window]) & (self.times <= EDGES[window + 1])
        return float(np.mean(series[inside]))

    def probability(self, window: int) -> float:
        """Bursts an event in a window, in %."""
        return 100 * self.mean(self.bursts, window) / self.mean(self.events, window)

    def probability_before(self, window: int) -> float:
        """The same of the first population."""
        return 100 * self.mean(self.bursts_before, window) / self.mean(self.events_before, window)

    def at(self, time: float) -> float:
        """The weight's change at a time, in %."""
        return float(self.change[round(time / BIN) - 1])


def theirs() -> Series:
    """The authors' means."""
    it = published()
    return Series(
        np.asarray(it.event_rate),
        np.asarray(it.burst_rate),
        np.asarray(it.event_rate_before),
        np.asarray(it.burst_rate_before),
        100 * (np.asarray(it.weight) / START_WEIGHT - 1),
        np.asarray(it.usual),
    )


def ours(runs: Runs) -> Series:
    """Those of a seed, up to where the authors' end. The weight changes from what it was at the start."""
    rates, last = runs[PUBLISHED], len(published().weight)
    weight = rates.means["learned.w"]
    return Series(
        rates.events["after"][:last],
        rates.bursts["after"][:last],
        rates.events["before"][:last],
        rates.bursts["before"][:last],
        100 * (weight / weight[0] - 1)[:last],
        100 * rates.means["after.P"][:last],
    )


def measured(found: Series) -> Mapping[str, float]:
    """Rates and the weight of each window, by its start, and how far the weight goes after each change."""
    windows: dict[str, float] = {}
    for k, (start, end) in enumerate(pairwise(EDGES)):
        windows |= {
            f"events_{start:g}": found.mean(found.events, k),
            f"probability_{start:g}": found.probability(k),
            f"weight_{start:g}": found.at(end),
        }
    return windows | {
        "strong_rise": found.at(EDGES[STRONG + 1]) - found.at(EDGES[STRONG]),
        "strong_rebound": found.at(EDGES[STRONG + 1] + _REBOUND) - found.at(EDGES[STRONG + 1]),
        "weak_fall": found.at(EDGES[WEAK + 1]) - found.at(EDGES[WEAK]),
        "weak_rebound": found.at(EDGES[WEAK + 1] + _REBOUND) - found.at(EDGES[WEAK + 1]),
        "before_probability": found.probability_before(BEFORE) - found.probability_before(BEFORE - 1),
        "before_events": found.mean(found.events_before, BEFORE)
        - found.mean(found.events_before, BEFORE - 1),
        "before_change": found.at(EDGES[BEFORE + 1]) - found.at(EDGES[BEFORE]),
        "beyond_usual": _beyond_usual(found),
    }


def _beyond_usual(found: Series) -> float:
    """How well the weight's change in a bin goes with the bursts beyond the usual: their correlation."""
    beyond = 100 * found.bursts / found.events - np.concatenate([found.usual[:1], found.usual[:-1]])
    learning = found.times > EDGES[0] + BIN
    return float(np.corrcoef(beyond[learning], np.diff(found.change, prepend=0.0)[learning])[0, 1])


def measure(runs: Runs) -> Mapping[str, float]:
    """What `measured` finds in one seed."""
    return measured(ours(runs))


def _windows(axes: Axes) -> None:
    for edge in EDGES[:-1]:
        axes.axvline(edge, color=GUIDE, linewidth=0.8)
    axes.set_xlim(0, EDGES[-1])
    axes.set_xlabel("time (s)")


def _draw(axes: Axes, series: Sequence[Series], lines: Mapping[str, tuple[str, str]], unit: str) -> None:
    """Means over seeds of what is named, with labels and colours; each seed thin, the authors' dotted."""
    times, their = series[0].times, theirs()
    for name, (label, colour) in lines.items():
        values = [_values(it, name) for it in series]
        axes.plot(times, _values(their, name), color=colour, linestyle=":", linewidth=1.2)
        for one in values if len(values) > 1 else ():
            axes.plot(times, one, color=colour, linewidth=0.5, alpha=0.5)
        axes.plot(times, np.mean(values, axis=0), color=colour, label=label)
    _windows(axes)
    axes.set_ylabel(unit)
    if len(lines) > 1:
        axes.legend(loc="upper right")


def _values(series: Series, name: str) -> Reals:
    with np.errstate(invalid="ignore", divide="ignore"):
        if name == "probability":
            return np.asarray(100 * series.bursts / series.events)
        if name == "probability_before":
            return np.asarray(100 * series.bursts_before / series.events_before)
    return np.asarray(getattr(series, name))


_PANELS = {
    "probability": (
        "e  bursts of the second population",
        "bursts an event (%)",
        {"probability": ("burst probability", BURST), "usual": ("usual", INK)},
    ),
    "events": ("e  its events", "events (Hz)", {"events": ("events", AFTER)}),
    "weight": ("f  mean weight", "change (%)", {"change": ("weight", POPULATIONS[0])}),
    "before": (
        "g  bursts of the first population",
        "bursts an event (%)",
        {"probability_before": ("burst probability", BURST)},
    ),
}


def draw(all_runs: Sequence[Runs]) -> Drawing:
    """Both populations and the weight between them over time."""
    series = [ours(runs) for runs in all_runs]
    found = [measured(it) for it in series]
    mean = {name: float(np.mean([it[name] for it in found])) for name in found[0]}
    probability = [float(np.mean([it.probability(k) for it in series])) for k in range(len(EDGES) - 1)]
    seen = {
        "probability": f"{probability[0]:.0f} % of events are bursts, {probability[STRONG]:.0f} % while the "
        f"input is strong, {probability[WEAK]:.1f} % while it is weak. What is usual follows in seconds.",
        "events": f"From {mean['events_145']:.1f} to {mean['events_45']:.1f} Hz over windows.",
        "weight": f"It rises by {mean['strong_rise']:.1f} points from 45 to 70 s, and falls by "
        f"{-mean['weak_fall']:.1f} from 95 to 120 s. After each it goes back.",
        "before": f"{mean['before_probability']:.0f} points more from 145 s on; the weight hardly moves.",
    }
    pictures = []
    whole = new_figure(2 * WIDTH, 6.4)
    for axes, (name, (title, unit, lines)) in zip(whole.subplots(2, 2).flat, _PANELS.items(), strict=True):
        figure = new_figure(WIDTH, 3.2)
        for each in (figure.subplots(), axes):
            _draw(each, series, lines, unit)
        axes.set_title(title)
        caption = "Solid: means over seeds. Dotted: the authors' simulation. Lines where the input changes."
        pictures.append(picture(figure, name, title, caption, seen[name]))
    return Drawing(tuple(pictures), png(whole))
