"""Write the page of a recording: one self-contained HTML file."""

from __future__ import annotations

import re
from pathlib import Path

from burstchip.report.page import environment, write_page
from burstchip.report.style import Picture, figure_style
from burstchip.report.watched_file import Watched, read_watched
from burstchip.report.watched_pictures import (
    COMPARTMENTS,
    draw_compartments,
    draw_raster,
    draw_rates,
    draw_weights,
)
from burstchip.report.wording import number
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest


def write_watched_page(recording: Path, page: Path, neuron: str | None = None) -> Path:
    """Write the page of a recording; `neuron` is one such as `cells[3]`, by default the first recorded.

    Raises `BurstchipError`: BC547 for a file that is not a recording or holds nothing to draw, BC548 for a
    neuron of which no potential was recorded, BC546 where the page cannot be written.
    """
    watched = read_watched(recording)
    with figure_style():
        pictures = _pictures(watched, neuron)
    if not pictures:
        raise BurstchipError(
            Diagnostic(
                "BC547",
                f"'{recording}' holds nothing that can be drawn",
                required="events, potentials v or d, or weights",
                given=", ".join(watched.states) or "no variable",
                hint="burstchip run --record cells.events,cells.bursts,cells.v,cells.d",
            )
        )
    text = (
        environment()
        .get_template("watched.html.j2")
        .render(
            title=watched.network,
            backend=watched.backend,
            step=f"{watched.step_ms:g} ms",
            lasts=f"{number(watched.lasts_ms, 6)} ms",
            recorded=", ".join(
                [*(f"{it}.events" for it in watched.events), *watched.states, *watched.weights]
            ),
            pictures=pictures,
        )
    )
    return write_page(page, text)


def _pictures(watched: Watched, neuron: str | None) -> list[Picture]:
    chosen = _neuron(watched, neuron)
    found = [draw_raster(watched), draw_rates(watched)]
    if chosen is not None:
        found.append(draw_compartments(watched, *chosen))
    found.append(draw_weights(watched))
    return [it for it in found if it is not None]


def _neuron(watched: Watched, asked: str | None) -> tuple[str, int] | None:
    """Population and number: those asked for, or the first with both compartments, or with one."""
    potentials: dict[str, list[int]] = {}
    for name, values in watched.states.items():
        population, _, state = name.partition(".")
        if state in COMPARTMENTS:
            potentials.setdefault(population, []).extend(values.numbers.tolist())
    if asked is None:
        both = [it for it in potentials if all(f"{it}.{state}" in watched.states for state in COMPARTMENTS)]
        chosen = next(iter([*both, *potentials]), None)
        return None if chosen is None else (chosen, potentials[chosen][0])
    match = re.fullmatch(r"(\w+)\[(\d{1,9})\]", asked.strip(), re.ASCII)
    if match is None or int(match[2]) not in potentials.get(match[1], []):
        known = [f"{name}[{numbers[0]}]" for name, numbers in potentials.items()]
        raise BurstchipError(
            Diagnostic(
                "BC548",
                f"no potential of '{asked}' was recorded",
                required=f"a neuron such as {', '.join(known)}" if known else "a recording of v or d",
                given=asked,
                hint=nearest(asked, known),
            )
        )
    return match[1], int(match[2])
