"""What is measured of figure 3: how well each message arrives, and in which range the rates stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from burstchip.experiments.axons import axon_settings
from burstchip.experiments.experiment import PUBLISHED, Drawing, Runs
from burstchip.experiments.rates import Reals
from burstchip.report.style import AFTER, BURST, GUIDE, WIDTH, new_figure, picture, png

settings = axon_settings

#: What is analysed, in seconds, and the periods of both currents.
START, STOP = 1.0, 3.0
SOMATIC, DENDRITIC = 0.5, 0.5 * 5**0.5


def _currents(times: Reals) -> tuple[Reals, Reals]:
    """The somatic and the dendritic current, each from -1 to 1."""
    return np.sin(2 * np.pi * times / SOMATIC), np.sin(2 * np.pi * times / DENDRITIC)


def _correlation(one: Reals, other: Reals) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def measure(runs: Runs) -> Mapping[str, float]:
    """Correlations, and the least and greatest of each rate (Hz) and burst probability (%)."""
    seen = runs[PUBLISHED].between(START, STOP)
    somatic, dendritic = _currents(seen.times)
    lower, higher = seen.events["lower"], seen.events["higher"]
    below, above = seen.burst_probability("lower"), seen.burst_probability("higher")
    found = {
        "higher_probability_current": _correlation(above, dendritic),
        "higher_events_lower_events": _correlation(higher, lower),
        "lower_probability_higher_bursts": _correlation(below, seen.bursts["higher"]),
        "lower_events_current": _correlation(lower, somatic),
    }
    ranges = {
        "lower_events": lower,
        "higher_events": higher,
        "lower_probability": 100 * below,
        "higher_probability": 100 * above,
        "pv": seen.events["pv"],
        "som": seen.events["som"],
    }
    for name, values in ranges.items():
        found |= {f"{name}_least": float(np.min(values)), f"{name}_greatest": float(np.max(values))}
    return found


def _scaled(values: Reals, like: Reals) -> Reals:
    """Values on the scale of others: the same least and greatest."""
    low, high = float(np.min(values)), float(np.max(values))
    share = (values - low) / (high - low) if high > low else np.zeros_like(values)
    return np.asarray(np.min(like) + share * (np.max(like) - np.min(like)))


@dataclass(frozen=True)
class _Panel:
    """A line of each seed, and what it should carry."""

    name: str
    title: str
    unit: str
    colour: str
    carries: str
    #: Of `measure`.
    quantity: str
    seeds: Sequence[Reals]
    message: Reals

    def draw(self, axes: Axes, times: Reals) -> None:
        """Each seed as a thin line, their mean, and the message on the same scale."""
        mean = np.mean(self.seeds, axis=0)
        axes.plot(times, _scaled(self.message, mean), color=GUIDE, linestyle="--", label=self.carries)
        for values in self.seeds if len(self.seeds) > 1 else ():
            axes.plot(times, values, color=self.colour, linewidth=0.6, alpha=0.5)
        axes.plot(times, mean, color=self.colour, label=self.title)
        axes.set_ylim(bottom=0)
        axes.set_ylabel(self.unit)
        axes.set_xlabel("time (s)")
        axes.legend(
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=2,
            handlelength=1.4,
            columnspacing=1.0,
            borderaxespad=0.2,
        )


def _panels(all_runs: Sequence[Runs]) -> tuple[Reals, tuple[_Panel, ...]]:
    seen = [runs[PUBLISHED].between(START, STOP) for runs in all_runs]
    times = seen[0].times
    somatic, dendritic = _currents(times)
    events = {name: [it.events[name] for it in seen] for name in ("lower", "higher")}
    shares = {name: [100 * it.burst_probability(name) for it in seen] for name in ("lower", "higher")}
    lower_events = np.mean(events["lower"], axis=0)
    higher_bursts = np.mean([it.bursts["higher"] for it in seen], axis=0)

    def panel(kind: str, name: str, carries: str, quantity: str, message: Reals) -> _Panel:
        bursts = kind == "burst probability"
        unit, colour = ("bursts an event (%)", BURST) if bursts else ("events (Hz)", AFTER)
        seeds = (shares if bursts else events)[name]
        short = f"{name}_{'bursts' if bursts else 'events'}"
        return _Panel(short, f"{name} {kind}", unit, colour, carries, quantity, seeds, message)

    return times, (
        panel("burst probability", "higher", "dendritic current", "higher_probability_current", dendritic),
        panel("event rate", "higher", "lower event rate", "higher_events_lower_events", lower_events),
        panel(
            "burst probability",
            "lower",
            "higher burst rate",
            "lower_probability_higher_bursts",
            higher_bursts,
        ),
        panel("event rate", "lower", "somatic current", "lower_events_current", somatic),
    )


def draw(all_runs: Sequence[Runs]) -> Drawing:
    """Figure 3: what each population receives, and how it answers."""
    times, panels = _panels(all_runs)
    found = [measure(it) for it in all_runs]
    pictures = []
    for panel in panels:
        figure = new_figure(WIDTH, 3.2)
        panel.draw(figure.subplots(), times)
        correlation = float(np.mean([it[panel.quantity] for it in found]))
        mean = np.mean(panel.seeds, axis=0)
        title = f"{panel.title[0].upper()}{panel.title[1:]}"
        alt = (
            f"From {np.min(mean):.3g} to {np.max(mean):.3g} {panel.unit} over 1 to 3 s. It follows the "
            f"{panel.carries} with a correlation of {correlation:.2f}."
        )
        caption = (
            f"Thick: mean over seeds; thin: each seed; dashed: the {panel.carries}, on the scale of the "
            f"line. Their correlation is {correlation:.2f}."
        )
        pictures.append(picture(figure, panel.name, title, caption, alt))
    whole = new_figure(2 * WIDTH, 6.0)
    for axes, panel in zip(whole.subplots(2, 2).flat, panels, strict=True):
        panel.draw(axes, times)
    return Drawing(tuple(pictures), png(whole))
