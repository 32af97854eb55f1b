"""The picture of a sweep: errors, or rates where nothing is answered, over the first parameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from burstchip.frontend.loading import number_or_text
from burstchip.report.style import (
    BURST,
    GRID,
    INK,
    POPULATIONS,
    TEST,
    WIDTH,
    figure_style,
    new_figure,
    picture,
    png,
)

if TYPE_CHECKING:
    from burstchip.sweeps.results import Group, SweepResults

#: Colours of lines; more lines than these begin again.
_LINES = (TEST, BURST, *POPULATIONS[:3], INK)
#: Populations whose rates are drawn.
_MOST_PANELS = 6
_PANEL_HEIGHT = 3.2


@dataclass(frozen=True)
class Drawn:
    """A picture in two formats."""

    png: bytes
    svg: bytes


def draw(found: SweepResults) -> Drawn | None:
    """A line through means for each set of the other parameters, dots for seeds; None if nothing is done."""
    groups = [it for it in found.groups if it.done]
    if not groups:
        return None
    if any(it.errors for it in groups):
        panels = {"error (%)": [[100 * value for value in it.errors] for it in groups]}
    else:
        names = list(dict.fromkeys(name for it in groups for name in it.event_rates))[:_MOST_PANELS]
        panels = {f"{name} (Hz)": [list(it.event_rates.get(name, ())) for it in groups] for name in names}
    if not panels:
        return None
    with figure_style():
        figure = new_figure(WIDTH, _PANEL_HEIGHT * len(panels))
        all_axes = figure.subplots(len(panels), squeeze=False)[:, 0]
        for axes, (label, values) in zip(all_axes, panels.items(), strict=True):
            _panel(axes, found, groups, values)
            axes.set_ylabel(label)
            axes.grid(axis="y", color=GRID, linewidth=0.8)
            axes.set_ylim(bottom=0)
        across = found.sweep.grid[0].name if found.sweep.grid else "all"
        all_axes[-1].set_xlabel(across)
        title = f"Sweep over {', '.join(axis.name for axis in found.sweep.grid) or 'seeds'}"
        caption = "Dots: seeds. Lines: their means."
        return Drawn(png(figure), picture(figure, "sweep", title, caption, title).svg)


def _panel(
    axes: Axes, found: SweepResults, groups: Sequence[Group], values: Sequence[Sequence[float]]
) -> None:
    first = found.sweep.grid[0] if found.sweep.grid else None
    named = [] if first is None else [number_or_text(value) for value in first.values]
    numbers = [it for it in named if not isinstance(it, str)]
    texts = ["seeds"] if first is None else first.values
    as_numbers = bool(named) and len(numbers) == len(named)
    places = dict(zip(texts, numbers if as_numbers else range(len(texts)), strict=True))
    lines: dict[str, list[tuple[float, Sequence[float]]]] = {}
    for group, found_values in zip(groups, values, strict=True):
        others = ", ".join(f"{name}={value}" for name, value in list(group.parameters.items())[1:])
        at = "seeds" if first is None else group.parameters[first.name]
        if found_values:
            lines.setdefault(others, []).append((float(places[at]), found_values))
    for k, (label, line) in enumerate(lines.items()):
        line.sort(key=lambda it: it[0])
        colour = _LINES[k % len(_LINES)]
        axes.plot([x for x, _ in line], [fmean(them) for _, them in line], color=colour, label=label or None)
        dots = [(x, value) for x, them in line for value in them]
        axes.scatter([x for x, _ in dots], [y for _, y in dots], color=colour, s=14, alpha=0.7, linewidths=0)
    if not as_numbers:
        axes.set_xticks(range(len(texts)), texts)
    if any(lines):
        axes.legend(loc="best")
