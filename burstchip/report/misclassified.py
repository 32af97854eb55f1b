"""Test samples that the network got wrong, with their class and the answer."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from burstchip.report.answers_file import Answers
from burstchip.report.run_folder import RunFolder
from burstchip.report.style import WIDTH, Picture, new_figure, picture
from burstchip.report.wording import count

#: Pictures shown, and in a row.
MOST, COLUMNS = 40, 8


def draw_misclassified(run: RunFolder, answers: Answers) -> Picture | None:
    """Pictures of wrong answers, those of one class together; None where all are right."""
    if not len(answers.wrong):
        return None
    names = run.summary.class_names
    shown = answers.wrong[:MOST]
    order = np.lexsort((shown, answers.answer[shown], answers.label[shown]))
    height, width = answers.shape
    # The height that a name takes, in pixels of the samples.
    line, gap = 0.34 * max(height, width), 0.12 * width
    rows = math.ceil(len(shown) / COLUMNS)
    across, down = COLUMNS * (width + gap) - gap, rows * (height + line + gap)
    figure = new_figure(WIDTH, 0.1 + WIDTH * down / across)
    axes = figure.subplots()
    for place, number in enumerate(order):
        row, column = divmod(place, COLUMNS)
        left, top = column * (width + gap), row * (height + line + gap) + line
        axes.imshow(
            answers.pictures[number].reshape(height, width),
            cmap="gray",
            vmin=0,
            vmax=255,
            interpolation="nearest",
            extent=(left, left + width, top + height, top),
        )
        label, answer = (names[int(kind[shown[number]])] for kind in (answers.label, answers.answer))
        axes.text(
            left + width / 2, top - 0.12 * line, f"{label} → {answer}", ha="center", va="bottom", fontsize=9.5
        )
    axes.set(xlim=(0, across), ylim=(down, 0), aspect="equal")
    axes.set_axis_off()
    wrong = int(np.count_nonzero(answers.label != answers.answer))
    which = "All are shown" if wrong == len(shown) else f"The first {len(shown)} of them are shown"
    pairs = [(int(answers.label[n]), int(answers.answer[n])) for n in shown[order]]
    said = ", ".join(
        f"{names[label]} as {names[answer]}{f' ({often})' if often > 1 else ''}"
        for (label, answer), often in Counter(pairs).items()
    )
    return picture(
        figure,
        "misclassified",
        "Wrong answers",
        f"The network is wrong on {count(wrong, 'test sample')} of {len(answers.label):,}. {which}, sorted "
        "by class; above each, its class and, after the arrow, the answer.",
        f"Shown are {count(len(shown), 'wrong answer')}: {said}.",
    )
