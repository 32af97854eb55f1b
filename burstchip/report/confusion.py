"""Which class was taken for which."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle

from burstchip.report.run_folder import RunFolder
from burstchip.report.style import Picture, new_figure, picture, set_heading
from burstchip.report.wording import percent, setting

#: Behind the correct answers.
RIGHT = "#e8eef4"


def draw_confusion(run: RunFolder) -> Picture:
    """Counts of the test samples by label and answer; errors alone are coloured, so that they stand out."""
    counts = np.asarray(run.summary.confusion)
    names = run.summary.class_names
    size = len(names)
    errors = counts * ~np.eye(size, dtype=bool)
    figure = new_figure(6.6, 5.6)
    axes = figure.subplots()
    highest = max(int(errors.max()), 1)
    axes.imshow(np.where(errors > 0, errors, np.nan), cmap="Oranges", vmin=-0.2 * highest, vmax=1.8 * highest)
    for row in range(size):
        for column in range(size):
            count = int(counts[row, column])
            if row == column:
                axes.add_patch(Rectangle((row - 0.5, row - 0.5), 1, 1, facecolor=RIGHT, edgecolor="none"))
            if count or row == column:
                weight = "bold" if row == column else "normal"
                axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=9, fontweight=weight)
    totals = counts.sum(axis=1)
    for row in range(size):
        share = errors[row].sum() / totals[row] if totals[row] else 0.0
        text = percent(float(share)) if totals[row] else "none shown"
        axes.text(size - 0.3, row, text, ha="left", va="center", fontsize=9, color="#555555")
    axes.text(size - 0.3, -0.75, "error", ha="left", va="center", fontsize=9, color="#555555")
    axes.set_xticks(range(size), names)
    axes.set_yticks(range(size), names)
    axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#e2e2e2", linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="answer of the network", ylabel="label")
    set_heading(figure, setting(run.summary))
    return picture(
        figure,
        "confusion",
        "Confusion matrix",
        f"Numbers of the {int(counts.sum()):,} test samples by label and answer. Correct answers are on the "
        "diagonal; an empty cell is a confusion that did not happen. On the right, the share of wrong "
        "answers for each label.",
    )
