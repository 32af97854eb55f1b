"""Training and test error, epoch by epoch."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from burstchip.report.run_folder import RunFolder
from burstchip.report.style import GRID, GUIDE, SOFT, TEST, TRAIN, WIDTH, Picture, new_figure, picture
from burstchip.report.wording import percent

#: An error in percent below which the scale is linear: no data set here resolves less.
LEAST = 0.001
_TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def draw_learning_curve(run: RunFolder) -> Picture:
    """The errors in percent over the epochs, on a logarithmic scale."""
    figure = new_figure(WIDTH, 3.8)
    axes = figure.subplots()
    train = [(epoch.epoch, 100 * epoch.train_error) for epoch in run.history if epoch.train_error is not None]
    test = [(epoch.epoch, 100 * epoch.test_error) for epoch in run.history if epoch.test_error is not None]
    chance = 100 * (1 - 1 / len(run.summary.class_names))
    axes.axhline(chance, color=GUIDE, linewidth=1, linestyle="--")
    axes.text(
        1,
        chance * 1.04,
        f"guessing ({chance:.0f} %)",
        transform=axes.get_yaxis_transform(),
        ha="right",
        va="bottom",
        fontsize=9.5,
        color=SOFT,
    )
    for points, colour, marker, label in (
        (train, TRAIN, "s", "training (counted while learning)"),
        (test, TEST, "o", "test"),
    ):
        if points:
            epochs, errors = zip(*points, strict=True)
            axes.plot(epochs, errors, color=colour, marker=marker, markersize=3.5, label=label)
    if test:
        axes.annotate(
            f"{percent(test[-1][1] / 100)}",
            test[-1],
            xytext=(8, 0),
            textcoords="offset points",
            color=TEST,
            va="center",
            annotation_clip=False,
        )
    _scale(axes, [error for _, error in (*train, *test)])
    axes.set(xlabel="epoch (0: before learning)", ylabel="error (%)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.margins(x=0.03)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.legend(loc="best")
    return picture(
        figure,
        "learning_curve",
        "Learning curve",
        "Share of wrong answers after each epoch. The test error is measured with learning switched off; the "
        "training error is counted while the network learns, so it lags behind a network at rest, and the "
        "later part of each presentation can profit from the label that the teacher shows.",
        f"{_course('Test', test)}{_course('Training', train)}Guessing: {chance:.0f} %.",
    )


def _course(what: str, points: list[tuple[int, float]]) -> str:
    """Where a curve begins, is lowest and ends."""
    if not points:
        return ""
    first, last, best = points[0], points[-1], min(points, key=lambda point: (point[1], point[0]))
    text = f"{what} error: {percent(first[1] / 100)} at epoch {first[0]}"
    if best not in (first, last):
        text += f", lowest {percent(best[1] / 100)} at epoch {best[0]}"
    return text + (f", {percent(last[1] / 100)} at epoch {last[0]}. " if last != first else ". ")


def _scale(axes: Axes, errors: list[float]) -> None:
    """Logarithmic; where an error is (nearly) zero, linear at the bottom so that it has a place."""
    lowest = min(errors, default=1.0)
    ticks: tuple[float, ...]
    if lowest >= LEAST:
        axes.set_yscale("log")
        bottom = lowest / 1.4
        ticks = tuple(tick for tick in _TICKS if tick >= bottom)
    else:
        smallest = min((error for error in errors if error >= LEAST), default=1.0)
        axes.set_yscale("symlog", linthresh=smallest, linscale=0.3)
        bottom = -0.1 * smallest
        ticks = (0, *(tick for tick in _TICKS if tick >= smallest))
    axes.set_ylim(bottom, 150)
    axes.set_yticks(ticks)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.minorticks_off()
