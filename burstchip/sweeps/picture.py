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
    """Seeds as dots over a parameter; None if nothing is done.

    Of a whole grid over the first parameter, with a line through means for each set of the others; of points
    that were drawn over each parameter.
    """
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
    names = [axis.name for axis in found.sweep.grid]
    across: list[str | None] = [*names[: 1 if found.sweep.draw is None else _MOST_PANELS]] or [None]
    with figure_style():
        figure = new_figure(WIDTH * len(across) ** 0.5, _PANEL_HEIGHT * len(panels))
        grid = figure.subplots(len(panels), len(across), squeeze=False)
        for row, (label, values) in zip(grid, panels.items(), strict=True):
            row[0].set_ylabel(label)
            for axes, name in zip(row, across, strict=True):
                _panel(axes, name, groups, values, lines=found.sweep.draw is None)
                axes.grid(axis="y", color=GRID, linewidth=0.8)
                axes.set_ylim(bottom=0)
        title = f"Sweep over {', '.join(names) or 'seeds'}"
        caption = "Dots: seeds. Lines: their means." if found.sweep.draw is None else "Dots: seeds."
        return Drawn(png(figure), picture(figure, "sweep", title, caption, title).svg)


def _places(texts: Sequence[str]) -> tuple[dict[str, float], str | None]:
    """(where each value stands, the unit of all), None for a unit where they are not numbers of one."""
    quantities = [_quantity(text) for text in texts]
    numbers = [number for number, _ in quantities if number is not None]
    units = {unit for _, unit in quantities}
    if len(units) == 1 and len(numbers) == len(texts):
        return dict(zip(texts, numbers, strict=True)), units.pop()
    return {text: float(k) for k, text in enumerate(texts)}, None


def _quantity(text: str) -> tuple[float | None, str]:
    number, _, unit = text.partition(" ")
    found = number_or_text(number)
    return (None if isinstance(found, str) else float(found)), unit.strip()


def _panel(
    axes: Axes, name: str | None, groups: Sequence[Group], values: Sequence[Sequence[float]], *, lines: bool
) -> None:
    """Dots over the parameter `name`, None: all at one place."""
    texts = list(dict.fromkeys("seeds" if name is None else it.parameters[name] for it in groups))
    places, unit = _places(texts)
    axes.set_xlabel((name or "") + (f" ({unit})" if unit else ""))
    found: dict[str, list[tuple[float, Sequence[float]]]] = {}
    for group, errors in zip(groups, values, strict=True):
        others = ", ".join(f"{it}={value}" for it, value in group.parameters.items() if it != name)
        at = "seeds" if name is None else group.parameters[name]
        if errors:
            found.setdefault(others if lines else "", []).append((places[at], errors))
    for k, (label, line) in enumerate(found.items()):
        line.sort(key=lambda it: it[0])
        colour = _LINES[k % len(_LINES)]
        if lines:
            means = [fmean(them) for _, them in line]
            axes.plot([x for x, _ in line], means, color=colour, label=label or None)
        dots = [(x, value) for x, them in line for value in them]
        axes.scatter([x for x, _ in dots], [y for _, y in dots], color=colour, s=14, alpha=0.7, linewidths=0)
    if unit is None:
        axes.set_xticks(range(len(texts)), texts)
    if any(found) and lines:
        axes.legend(loc="best")
