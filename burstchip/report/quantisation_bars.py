"""How far each value's integers are from what was asked, as bars."""

from __future__ import annotations

from matplotlib.ticker import FuncFormatter

from burstchip.report.style import BEFORE, BURST, GRID, TEST, Picture, new_figure, picture
from compiler.accuracy import LEAST
from compiler.ir.chip_program import ChipProgram
from compiler.passes.quantize_report import ROUNDING_SHARE

#: So many bars, of the values that are furthest off; and the least error that has a length.
_MOST, _LEAST = 30, 1e-5


def draw_quantisation(code: ChipProgram) -> Picture | None:
    """The relative errors in percent on a logarithmic scale, the greatest first; None where all are exact."""
    values = [it for it in code.quantisation if it.parameter not in LEAST]
    lines = [it for it in values if 0 < it.relative_error < float("inf")]
    lines.sort(key=lambda it: (-it.relative_error, it.where, it.parameter))
    shown = lines[:_MOST]
    if not shown:
        return None
    errors = [it.relative_error for it in shown]
    figure = new_figure(8.6, 0.9 + 0.24 * len(shown))
    axes = figure.subplots()
    places = list(range(len(shown)))
    colours = [BURST if error > ROUNDING_SHARE else TEST for error in errors]
    axes.barh(places, [max(error, _LEAST) for error in errors], left=0, color=colours, height=0.66)
    axes.set_yticks(places, [f"{it.where}: {it.parameter}" for it in shown])
    axes.set(xscale="log", xlim=(_LEAST, max(1.0, 1.5 * errors[0])), ylim=(len(shown) - 0.4, -0.6))
    axes.axvline(ROUNDING_SHARE, color=BEFORE, linewidth=1, linestyle="--")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_xlabel("relative error")
    exact = sum(it.relative_error == 0 for it in values)
    left = f" {len(lines) - len(shown)} that are less are not drawn." if len(shown) < len(lines) else ""
    first = shown[0]
    return picture(
        figure,
        "quantisation_errors",
        "What rounding did",
        f"How far each value's integers are from what was asked, the weights nearest to 0 aside; {exact} of "
        f"{len(values)} are exact.{left} Beyond the dashed line the compiler warns.",
        f"The greatest: {first.parameter} of {first.where}, {100 * errors[0]:.3g} %.",
    )
