"""How the weights of each projection are distributed, before and after learning."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from burstchip.report.run_folder import RunFolder
from burstchip.report.style import AFTER, BEFORE, WIDTH, Picture, new_figure, picture
from burstchip.report.weight_file import Weights
from burstchip.report.wording import number

BINS = 64

#: Panels side by side.
COLUMNS = 2


def draw_weight_histograms(run: RunFolder, before: Weights, after: Weights) -> Picture:
    """One panel a projection; a projection that learning left as it was has one histogram."""
    names = sorted(after.by_projection, key=lambda name: _order(run, before, after, name))
    columns = min(len(names), COLUMNS)
    rows = math.ceil(len(names) / columns)
    figure = new_figure(WIDTH, 2.5 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(names) :]:
        axes.remove()
    for axes, name in zip(panels, names, strict=False):
        first, last = before.by_projection[name], after.by_projection[name]
        if first.size == 0:
            axes.set_title(f"{name}: no synapses", fontsize=9.5)
            continue
        edges = bin_edges(np.concatenate([first.ravel(), last.ravel()]))
        fixed = bool((first == last).all())
        axes.hist(
            first.ravel(), edges, color=BEFORE, alpha=0.75, label="fixed" if fixed else "before learning"
        )
        if not fixed:
            axes.hist(
                last.ravel(), edges, histtype="step", color=AFTER, linewidth=1.6, label="after learning"
            )
        axes.set_title(name if len(name) < 24 else name.replace("->", "\n->"), fontsize=9.5)
        unit = after.units[name]
        axes.set_xlabel(f"weight ({unit})" if unit else "weight")
        axes.set_ylabel("synapses")
        axes.margins(x=0.02)
        # Room for the legend above the highest bar.
        axes.set_ylim(top=1.35 * axes.get_ylim()[1])
        axes.legend(loc="upper left", handlelength=1.2)
    return picture(
        figure,
        "weight_histograms",
        "Weights before and after learning",
        "Number of synapses by weight, in the physical unit of the port where they end. Where weights lie on "
        "a grid, a bin is a whole number of grid steps wide. A projection without plasticity keeps its "
        "weights.",
        " ".join(_seen(name, before, after) for name in names),
    )


def _seen(name: str, before: Weights, after: Weights) -> str:
    """Mean and spread of a projection's weights."""
    pair, unit = [weights.by_projection[name] for weights in (before, after)], after.units[name]
    if pair[0].size == 0:
        return f"'{name}' has no synapses."
    first, last = (
        f"{number(float(it.mean()), 3)} ± {number(float(it.std()), 3)} {unit}".rstrip() for it in pair
    )
    if (pair[0] == pair[1]).all():
        return f"'{name}': {first}, fixed."
    return f"'{name}': {first} before and {last} after learning (mean ± standard deviation)."


def _order(run: RunFolder, before: Weights, after: Weights, name: str) -> tuple[bool, bool, str]:
    """What learns comes first, and of that what leads from the input."""
    fixed = bool((before.by_projection[name] == after.by_projection[name]).all())
    from_input = run.input is not None and name.startswith(run.input)
    return fixed, not from_input, name


def bin_edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of about `BINS` equal bins over `values`.

    Integer weights lie on a grid; bins that are not a whole number of grid steps wide would hold more or
    fewer steps and show stripes that are not in the data.
    """
    low, high = float(values.min()), float(values.max())
    if low == high:
        half = abs(low) / 2 or 0.5
        return np.array([low - half, low + half])
    levels = np.unique(values)
    step = float(np.diff(levels).min())
    steps = (levels - low) / step
    on_grid = bool((np.abs(steps - np.round(steps)) < 1e-3).all())
    if not on_grid or steps[-1] > 1e6:
        return np.linspace(low, high, BINS + 1)
    per_bin = max(1, math.ceil((round(steps[-1]) + 1) / BINS))
    bins = math.ceil((round(steps[-1]) + 1) / per_bin)
    edges: NDArray[np.float64] = low + step * (per_bin * np.arange(bins + 1) - 0.5)
    return edges
