"""Supplementary figure S10: curves from dendritic current to burst probability at three somatic currents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from burstchip.experiments.axons import axon_settings
from burstchip.experiments.experiment import Drawing, Runs
from burstchip.experiments.rates import Rates, Reals
from burstchip.report.style import BURST, POPULATIONS, TEST, WIDTH, new_figure, picture, png

CURRENTS = np.arange(-100, 351, 50)
SOMATIC = (0, 100, 200)
PANELS = {"free": "no inhibition by bursts", "inhibited": "bursts inhibit dendrites"}
#: Above this burst probability curves are flat.
FLAT = 90.0


def settings(step_ms: float) -> Mapping[str, str]:
    """The delays of an axon: to the release, and from it."""
    return {name: value for name, value in axon_settings(step_ms).items() if name != "whole_axon"}


def curve(rates: Rates) -> Reals:
    """Bursts an event (%) at each current."""
    events, bursts = (
        rates.second_halves(it["pyramids"], CURRENTS.size) for it in (rates.events, rates.bursts)
    )
    return np.asarray(100 * bursts / events)


def _curves(runs: Runs, kind: str) -> Reals:
    """[somatic current, dendritic current]."""
    return np.stack([curve(runs[f"{kind}_{current}"]) for current in SOMATIC])


def _apart(curves: Reals) -> float:
    return float(np.max(np.max(curves, axis=0) - np.min(curves, axis=0)))


def measure(runs: Runs) -> Mapping[str, float]:
    """Rates without currents, how far the curves are apart, and whether all rise."""
    curves = {kind: _curves(runs, kind) for kind in PANELS}
    free, none = runs["free_0"], int(np.flatnonzero(CURRENTS == 0)[0])
    rises = [np.diff(it)[it[1:] < FLAT] for both in curves.values() for it in both]
    return {
        "free_events": float(free.second_halves(free.events["pyramids"], CURRENTS.size)[none]),
        "free_probability": float(curves["free"][0, none]),
        "closer": _apart(curves["inhibited"]) / _apart(curves["free"]),
        "rises": float(np.min(np.concatenate(rises), initial=np.inf)),
    }


def _draw(axes: Axes, curves: Reals) -> None:
    for current, values, colour in zip(SOMATIC, curves, (TEST, POPULATIONS[2], BURST), strict=True):
        axes.plot(CURRENTS, values, color=colour, marker="o", markersize=3.5, label=f"{current} pA")
    axes.set_ylim(0, 102)
    axes.set_xlabel("dendritic current (pA)")
    axes.set_ylabel("bursts an event (%)")
    axes.legend(loc="lower right", title="somatic current")


def draw(all_runs: Sequence[Runs]) -> Drawing:
    """A panel without inhibition by bursts, and one with it."""
    pictures = []
    whole = new_figure(2 * WIDTH, 3.6)
    for axes, (kind, title) in zip(whole.subplots(1, 2), PANELS.items(), strict=True):
        curves = np.mean([_curves(runs, kind) for runs in all_runs], axis=0)
        figure = new_figure(WIDTH, 3.4)
        for each in (figure.subplots(), axes):
            _draw(each, curves)
        axes.set_title(title)
        alt = f"Three curves that rise with the dendritic current, at most {_apart(curves):.0f} points apart."
        caption = "Means over seeds, of the second half of each second."
        pictures.append(picture(figure, kind, title[0].upper() + title[1:], caption, alt))
    return Drawing(tuple(pictures), png(whole))
