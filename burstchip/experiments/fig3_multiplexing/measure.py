"""What is measured of figure 3: how well each message arrives, and in which range the rates stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from burstchip.experiments.experiment import PUBLISHED, Runs
from burstchip.experiments.rates import Reals
from burstchip.report.style import AFTER, BURST, GUIDE, WIDTH, Picture, new_figure, picture
from hw_models.neurons.quantities import nearest_steps

#: What is analysed, in seconds, and the periods of both currents.
START, STOP = 1.0, 3.0
SOMATIC, DENDRITIC = 0.5, 0.5 * 5**0.5
#: From a spike to what it does, in ms.
AXON_MS = 0.9


def settings(step_ms: float) -> Mapping[str, str]:
    """The axon's delay in whole steps: one to the synapse's plasticity, and at least one from there."""
    whole = max(int(nearest_steps(AXON_MS, step_ms)), 2)
    return {
        "release": f"{step_ms:.12g} ms",
        "axon": f"{(whole - 1) * step_ms:.12g} ms",
        "whole_axon": f"{whole * step_ms:.12g} ms",
    }


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


def _panel(
    axes: Axes, times: Reals, seeds: Sequence[Reals], other: Reals, colour: str, names: tuple[str, str]
) -> None:
    """Each seed as a thin line, their mean, and what it should follow on the same scale."""
    mean = np.mean(seeds, axis=0)
    axes.plot(times, _scaled(other, mean), color=GUIDE, linestyle="--", label=names[1])
    for values in seeds if len(seeds) > 1 else ():
        axes.plot(times, values, color=colour, linewidth=0.6, alpha=0.5)
    axes.plot(times, mean, color=colour, label=names[0])
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.24), ncols=2, handlelength=1.4, columnspacing=1.0)


def draw(all_runs: Sequence[Runs]) -> tuple[Picture, ...]:
    """Figure 3: what each population receives, and how it answers."""
    seen = [runs[PUBLISHED].between(START, STOP) for runs in all_runs]
    times = seen[0].times
    somatic, dendritic = _currents(times)
    events = {name: [it.events[name] for it in seen] for name in ("lower", "higher")}
    shares = {name: [100 * it.burst_probability(name) for it in seen] for name in ("lower", "higher")}
    bursts = np.mean([it.bursts["higher"] for it in seen], axis=0)
    figure = new_figure(2 * WIDTH, 5.4)
    (above_bursts, above_events), (below_bursts, below_events) = figure.subplots(2, 2, sharex=True)
    _panel(
        above_bursts, times, shares["higher"], dendritic, BURST, ("burst probability", "dendritic current")
    )
    _panel(
        above_events,
        times,
        events["higher"],
        np.mean(events["lower"], axis=0),
        AFTER,
        ("event rate", "lower event rate"),
    )
    _panel(below_bursts, times, shares["lower"], bursts, BURST, ("burst probability", "higher burst rate"))
    _panel(below_events, times, events["lower"], somatic, AFTER, ("event rate", "somatic current"))
    for axes, name, unit in (
        (above_bursts, "higher", "bursts an event (%)"),
        (above_events, "higher", "events (Hz)"),
        (below_bursts, "lower", "bursts an event (%)"),
        (below_events, "lower", "events (Hz)"),
    ):
        axes.set_ylabel(f"{name}: {unit}")
    for axes in (below_bursts, below_events):
        axes.set_xlabel("time (s)")
    found = [measure(it) for it in all_runs]
    mean = {name: float(np.mean([it[name] for it in found])) for name in found[0]}
    alt = (
        "Four panels over 1 to 3 s. The higher population's burst probability follows the slow dendritic "
        f"current (correlation {mean['higher_probability_current']:.2f}), its event rate that of the lower "
        f"population ({mean['higher_events_lower_events']:.2f}). The lower population's burst probability "
        f"follows the higher one's burst rate ({mean['lower_probability_higher_bursts']:.2f}), its event "
        f"rate the fast somatic current ({mean['lower_events_current']:.2f})."
    )
    caption = (
        "Thick lines: means over seeds; thin ones: each seed; dashed: the message that the line should "
        "carry, on the line's own scale. Events and bursts in bins of 50 ms."
    )
    title = "Two messages at once"
    return (picture(figure, "multiplexing", title, caption, alt, width=1120, png=True),)
