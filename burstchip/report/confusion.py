"""Which class was taken for which."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from burstchip.report.run_folder import RunFolder
from burstchip.report.style import BURST, GRID, RIGHT, SOFT, WIDTH, Picture, new_figure, picture
from burstchip.report.wording import percent

#: Confusions that the text beside the picture names.
NAMED = 3


def draw_confusion(run: RunFolder) -> Picture:
    """Counts of the test samples by label and answer; errors alone are coloured, so that they stand out."""
    counts = np.asarray(run.summary.confusion, dtype=np.int64)
    names = run.summary.class_names
    size = len(names)
    errors = counts * (1 - np.eye(size, dtype=np.int64))
    figure = new_figure(WIDTH, 5.0)
    axes = figure.subplots()
    highest = max(int(errors.max()), 1)
    for row in range(size):
        for column in range(size):
            number = int(counts[row, column])
            place = (column - 0.5, row - 0.5)
            if row == column:
                axes.add_patch(Rectangle(place, 1, 1, facecolor=RIGHT, edgecolor="none"))
            elif number:
                depth = 0.12 + 0.55 * number / highest
                axes.add_patch(Rectangle(place, 1, 1, facecolor=BURST, edgecolor="none", alpha=depth))
            if number or row == column:
                weight = "bold" if row == column else "normal"
                axes.text(
                    column, row, f"{number:,}", ha="center", va="center", fontsize=9.5, fontweight=weight
                )
    totals = counts.sum(axis=1)
    for row in range(size):
        share = errors[row].sum() / totals[row] if totals[row] else 0.0
        text = percent(float(share)) if totals[row] else "none shown"
        axes.text(size - 0.3, row, text, ha="left", va="center", fontsize=9.5, color=SOFT)
    axes.text(size - 0.3, -0.75, "error", ha="left", va="center", fontsize=9.5, color=SOFT)
    axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal")
    axes.set_xticks(range(size), names)
    axes.set_yticks(range(size), names)
    axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=GRID, linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="answer of the network", ylabel="label")
    return picture(
        figure,
        "confusion",
        "Confusion matrix",
        f"Numbers of the {int(counts.sum()):,} test samples by label and answer. Correct answers are on the "
        "diagonal; an empty cell is a confusion that did not happen. On the right, the share of wrong "
        "answers for each label.",
        _seen(counts, errors, names),
    )


def _seen(counts: NDArray[np.int64], errors: NDArray[np.int64], names: list[str]) -> str:
    total, wrong = int(counts.sum()), int(errors.sum())
    text = f"{total - wrong:,} of {total:,} answers are right."
    most = np.argsort(-errors, axis=None, kind="stable")[:NAMED]
    pairs = [divmod(int(place), len(names)) for place in most if errors.flat[place]]
    if pairs:
        named = ", ".join(f"{names[r]} taken for {names[c]} ({int(errors[r, c]):,})" for r, c in pairs)
        text += f" Most frequent confusions: {named}."
    return text
