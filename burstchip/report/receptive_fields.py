"""The weights from the image to hidden units, drawn as images."""

from __future__ import annotations

import math

import matplotlib
import numpy as np
from numpy.typing import NDArray

from burstchip.report.run_folder import RunFolder
from burstchip.report.style import WIDTH, Picture, new_figure, picture, set_heading
from burstchip.report.weight_file import Weights
from burstchip.report.wording import setting

#: Units shown, in a square.
MOST_UNITS = 25

#: Between the images; darker than a weight of zero, so that each image has an edge.
GAP = "#dcdcdc"


def draw_receptive_fields(run: RunFolder, before: Weights, after: Weights) -> list[Picture]:
    """One figure for each projection that comes from the pixels of the task's images."""
    if len(run.summary.data.shape) != 2:
        return []
    height, width = run.summary.data.shape
    shape = (height, width)
    names = [name for name in after.by_projection if after.shape(name)[1] == math.prod(shape)]
    return [_draw(run, before, after, name, shape, index) for index, name in enumerate(names, start=1)]


def _draw(
    run: RunFolder, before: Weights, after: Weights, name: str, shape: tuple[int, int], index: int
) -> Picture:
    units = min(MOST_UNITS, after.shape(name)[0])
    side = math.ceil(math.sqrt(units))
    pair = [weights.onto(name, units).reshape(units, *shape) for weights in (before, after)]
    limit = max(float(np.abs(fields).max()) for fields in pair) or 1.0
    figure = new_figure(WIDTH, 4.5)
    panels = figure.subplots(1, 2, gridspec_kw={"wspace": 0.1})
    colours = matplotlib.colormaps["RdBu_r"].with_extremes(bad=GAP)
    for axes, fields, when in zip(panels, pair, ("before", "after"), strict=True):
        image = axes.imshow(
            _mosaic(fields, side), cmap=colours, vmin=-limit, vmax=limit, interpolation="nearest"
        )
        axes.set_title(f"{when} learning")
        axes.set_axis_off()
    unit = after.units[name]
    figure.colorbar(image, ax=panels, shrink=0.85, label=f"weight ({unit})" if unit else "weight")
    set_heading(figure, f"{name} · {setting(run.summary)}")
    which = f"units 0 to {units - 1}, row by row; they were not selected" if units > 1 else "the only unit"
    return picture(
        figure,
        "receptive_fields" if index == 1 else f"receptive_fields_{index}",
        "Receptive fields before and after learning",
        f"Weights of '{name}' as images of {shape[0]} x {shape[1]} pixels: each square shows all weights "
        f"onto one unit, each at the place of the pixel it comes from ({which}). Red excites, blue inhibits, "
        "on one scale for both sides.",
    )


def _mosaic(fields: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """The images side by side in a square, separated by gaps without a value."""
    count, height, width = fields.shape
    gap = max(1, width // 14)
    mosaic = np.full((side * (height + gap) - gap, side * (width + gap) - gap), np.nan)
    for index in range(count):
        row, column = divmod(index, side)
        top, left = row * (height + gap), column * (width + gap)
        mosaic[top : top + height, left : left + width] = fields[index]
    return mosaic
