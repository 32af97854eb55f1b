"""The weights from the image to hidden units, drawn as images."""

from __future__ import annotations

import math

import matplotlib
import numpy as np
from numpy.typing import NDArray

from burstchip.report.run_folder import RunFolder
from burstchip.report.style import WIDTH, Picture, new_figure, picture
from burstchip.report.weight_file import Weights
from burstchip.report.wording import number

#: Units shown, in a square.
MOST_UNITS = 25

#: Between the images; darker than a weight of zero, so that each image has an edge.
GAP = "#c9ced4"


def draw_receptive_fields(run: RunFolder, before: Weights, after: Weights) -> list[Picture]:
    """One figure for each projection that comes from the pixels of the task's images."""
    if run.answers is None or len(run.summary.data.shape) != 2:
        return []
    shape = run.answers.shape
    names = [name for name in after.by_projection if after.shape(name)[1] == math.prod(shape)]
    return [_draw(before, after, name, shape, index) for index, name in enumerate(names, start=1)]


def _draw(before: Weights, after: Weights, name: str, shape: tuple[int, int], index: int) -> Picture:
    units = min(MOST_UNITS, after.shape(name)[0])
    side = math.ceil(math.sqrt(units))
    pair = [weights.onto(name, units).reshape(units, *shape) for weights in (before, after)]
    limit = max(float(np.abs(fields).max()) for fields in pair) or 1.0
    figure = new_figure(WIDTH, 3.9)
    panels = figure.subplots(1, 2, gridspec_kw={"wspace": 0.06})
    colours = matplotlib.colormaps["RdBu_r"].with_extremes(bad=GAP)
    for axes, fields, when in zip(panels, pair, ("before", "after"), strict=True):
        image = axes.imshow(
            _mosaic(fields, side), cmap=colours, vmin=-limit, vmax=limit, interpolation="nearest"
        )
        axes.set_title(f"{when} learning")
        axes.set_axis_off()
    unit = after.units[name]
    label = f"weight ({unit})" if unit else "weight"
    figure.colorbar(image, ax=panels, location="bottom", shrink=0.8, aspect=35, label=label)
    which = f"units 0 to {units - 1}, row by row; they were not selected" if units > 1 else "the only unit"
    return picture(
        figure,
        "receptive_fields" if index == 1 else f"receptive_fields_{index}",
        f"Receptive fields of '{name}' before and after learning",
        f"Weights as images of {shape[0]} x {shape[1]} pixels: each square shows all weights onto one unit, "
        f"each at the place of the pixel it comes from ({which}). Red excites, blue inhibits, on one scale "
        "for both sides.",
        " ".join(_seen(fields, when, unit) for fields, when in zip(pair, ("Before", "After"), strict=True)),
    )


def _seen(fields: NDArray[np.float64], when: str, unit: str) -> str:
    low, high = (f"{number(float(end), 3)} {unit}".rstrip() for end in (fields.min(), fields.max()))
    spread = f"{number(float(fields.std()), 3)} {unit}".rstrip()
    return (
        f"{when} learning the weights shown go from {low} to {high}, with a standard deviation of {spread}."
    )


def _mosaic(fields: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """The images side by side in a square, separated by gaps without a value."""
    number_of, height, width = fields.shape
    gap = max(1, width // 14)
    mosaic = np.full((side * (height + gap) - gap, side * (width + gap) - gap), np.nan)
    for index in range(number_of):
        row, column = divmod(index, side)
        top, left = row * (height + gap), column * (width + gap)
        mosaic[top : top + height, left : left + width] = fields[index]
    return mosaic
