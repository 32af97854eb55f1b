"""What is measured of extended data figure 5: the curves from dendritic current to burst probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import msgspec
import numpy as np
from matplotlib.axes import Axes

from burstchip.experiments.axons import axon_settings
from burstchip.experiments.experiment import PUBLISHED, Drawing, Runs, read_published
from burstchip.experiments.rates import Rates, Reals
from burstchip.report.style import BURST, POPULATIONS, TEST, WIDTH, new_figure, picture, png

settings = axon_settings

#: Currents at which curves are compared, in pA; panel c's lie together above.
COMPARED = (0, 350)
COMPARED_C = (0, 200)
#: The curves of each panel, from above to below.
PANELS: Mapping[str, tuple[str, ...]] = {
    "feedback": ("no_feedback", "half_feedback", PUBLISHED),
    "vip": ("vip_100", "vip_50", PUBLISHED),
    "release": ("release_015", PUBLISHED, "release_025"),
    "plateau": ("plateau_1400", "plateau_1300", PUBLISHED),
}
_TITLES = {
    "feedback": "a  feedback by SOM cells",
    "vip": "b  inhibition of SOM cells",
    "release": "c  release onto SOM cells",
    "plateau": "d  plateau of the dendrite",
}
_LABELS = {
    PUBLISHED: "as published",
    "no_feedback": "none",
    "half_feedback": "half",
    "vip_50": "50 pA",
    "vip_100": "100 pA",
    "release_015": "1.5 %",
    "release_025": "2.5 %",
    "plateau_1300": "1300 pA",
    "plateau_1400": "1400 pA",
}


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of `published.yaml`."""

    current_pa: list[float]
    curves: dict[str, list[float]]


@lru_cache(maxsize=1)
def published() -> Published:
    """The authors' curves."""
    return read_published(__file__, Published)


def curve(rates: Rates) -> Reals:
    """Bursts an event (%) at each current: the mean of the bins in the second half of its time."""
    return rates.second_halves(100 * rates.burst_probability("pyramids"), len(published().current_pa))


def _crossing(shares: Reals, level: float) -> float:
    """The current at which a curve first exceeds a level, on the straight line between two points."""
    currents = np.asarray(published().current_pa)
    above = int(np.argmax(shares > level))
    if above == 0:
        return float("nan")
    low, high = shares[above - 1], shares[above]
    share = (level - low) / (high - low)
    return float(currents[above - 1] + share * (currents[above] - currents[above - 1]))


def _width(shares: Reals) -> float:
    return _crossing(shares, 75) - _crossing(shares, 25)


def measured(curves: Mapping[str, Reals]) -> Mapping[str, float]:
    """Orders, widths and shifts of curves by the names of their variants."""
    currents = np.asarray(published().current_pa)
    found: dict[str, float] = {}
    for panel, names in PANELS.items():
        low, high = COMPARED_C if panel == "release" else COMPARED
        inside = (currents >= low) & (currents <= high)
        apart = [curves[above] - curves[below] for above, below in pairwise(names)]
        found[f"{panel}_order"] = float(np.min([it[inside] for it in apart]))
    widths = {name: _width(values) for name, values in curves.items()}
    halves = {name: _crossing(values, 50) for name, values in curves.items()}
    return found | {
        "feedback_width": widths["no_feedback"] / widths[PUBLISHED],
        "vip_width": widths["vip_100"] / widths[PUBLISHED],
        "release_width": widths["release_025"] / widths["release_015"],
        "plateau_width": widths["plateau_1400"] / widths[PUBLISHED],
        "plateau_shift": halves[PUBLISHED] - halves["plateau_1400"],
        "farthest": max(
            float(np.max(np.abs(curves[name] - np.asarray(values))))
            for name, values in published().curves.items()
        ),
    }


def measure(runs: Runs) -> Mapping[str, float]:
    """What `measured` finds in the curves of one seed."""
    return measured({name: curve(rates) for name, rates in runs.items()})


def _draw_panel(axes: Axes, names: Sequence[str], curves: Mapping[str, Reals]) -> None:
    for name, colour in zip(names, (BURST, POPULATIONS[2], TEST), strict=True):
        theirs = published().curves[name]
        axes.plot(published().current_pa, theirs, color=colour, linestyle=":", linewidth=1.2)
        axes.plot(
            published().current_pa,
            curves[name],
            color=colour,
            marker="o",
            markersize=3.5,
            label=_LABELS[name],
        )
    axes.legend(loc="lower right")
    axes.set_xlim(-60, 410)
    axes.set_xlabel("dendritic current (pA)")
    axes.set_ylabel("bursts an event (%)")


def draw(all_runs: Sequence[Runs]) -> Drawing:
    """A panel for each thing that varies; the authors' curves are dotted."""
    curves = {name: np.mean([curve(runs[name]) for runs in all_runs], axis=0) for name in all_runs[0]}
    pictures = []
    for panel, names in PANELS.items():
        figure = new_figure(WIDTH, 3.4)
        _draw_panel(figure.subplots(), names, curves)
        halves = [f"{_LABELS[name]} at {_crossing(curves[name], 50):.0f} pA" for name in names]
        alt = f"Curves that rise from 0 to 100 % bursts. Half of the events are bursts: {', '.join(halves)}."
        caption = "Solid: means over seeds. Dotted: the authors' simulation at the same settings."
        pictures.append(picture(figure, panel, _TITLES[panel], caption, alt))
    whole = new_figure(2 * WIDTH, 6.8)
    for axes, (panel, names) in zip(whole.subplots(2, 2).flat, PANELS.items(), strict=True):
        _draw_panel(axes, names, curves)
        axes.set_title(_TITLES[panel])
    return Drawing(tuple(pictures), png(whole))
