"""Write the report of a run: one self-contained HTML page, and its pictures as files."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import jinja2

from burstchip.report.burst_probability import draw_over_training, draw_within_sample
from burstchip.report.confusion import draw_confusion
from burstchip.report.learning_curve import draw_learning_curve
from burstchip.report.misclassified import draw_misclassified
from burstchip.report.network_drawing import draw_network, projection_rows
from burstchip.report.rasters import draw_raster
from burstchip.report.receptive_fields import draw_receptive_fields
from burstchip.report.run_folder import Missing, RunFolder, read_run_folder
from burstchip.report.style import Picture, figure_style
from burstchip.report.tables import (
    activity_rows,
    contradictions,
    error_rows,
    operations,
    origin_rows,
    quantisation_rows,
    result,
    setting_rows,
)
from burstchip.report.weight_histograms import draw_weight_histograms
from burstchip.report.wording import setting
from compiler.whole_file import write_all_whole, write_whole
from hw_models.diagnostics import BurstchipError, Diagnostic

#: How the names of all pictures begin; one of an earlier report that is not drawn again is removed.
PICTURE_NAMES = (
    "learning_curve",
    "confusion",
    "misclassified",
    "network_drawing",
    "raster_",
    "burst_probability_",
    "weight_histograms",
    "receptive_fields",
)


@dataclass(frozen=True)
class Section:
    """A part of the page: the pictures under one heading."""

    id: str
    heading: str
    pictures: tuple[Picture, ...]


def write_report(run_dir: str | Path) -> Path:
    """Write `report.html` and `figures/*.svg` into the run folder `run_dir`; returns the page's path.

    A part that the folder does not hold is left out, and the page says so. Raises `BurstchipError`: BC540 to
    BC545, BC634, BC635 and those of an artifact for a folder that is incomplete or damaged, BC546 when the
    report cannot be written.
    """
    run_dir = Path(run_dir)
    run = read_run_folder(run_dir)
    sections, left_out = draw(run)
    page = render(run, sections, left_out)
    pictures = {f"{picture.name}.svg": picture.svg for section in sections for picture in section.pictures}
    target = run_dir / "report.html"
    try:
        files = {run_dir / "figures" / name: svg for name, svg in pictures.items()}
        write_all_whole({target: page.encode(), **files})
        for earlier in (run_dir / "figures").glob("*.svg"):
            if earlier.name not in pictures and earlier.name.startswith(PICTURE_NAMES):
                earlier.unlink()
    except OSError as error:
        raise BurstchipError(
            Diagnostic(
                id="BC546",
                message=f"the report cannot be written into '{run_dir}'",
                required="a run folder that can be written to",
                given=str(error),
            )
        ) from error
    return target


def write_page(page: Path, text: str) -> Path:
    """Write a page that stands alone. Raises `BurstchipError` BC546 where it cannot be written."""
    try:
        write_whole(page, text.encode())
    except OSError as error:
        raise BurstchipError(
            Diagnostic(
                "BC546",
                f"the report '{page}' cannot be written",
                required="a folder that can be written to, with room",
                given=error.strerror or str(error),
            )
        ) from None
    return page


def draw(run: RunFolder) -> tuple[tuple[Section, ...], tuple[Missing, ...]]:
    """All pictures that the run has the data for, by section, and what had to be left out."""
    left_out = list(run.missing)
    with figure_style():
        activity = [
            draw_raster(run, recording, when)
            for recording, when in ((run.recording_before, "before"), (run.recording_after, "after"))
            if recording is not None
        ]
        within, over = draw_within_sample(run), draw_over_training(run)
        weights: list[Picture] = []
        if run.weights_before is not None and run.weights_after is not None:
            weights.append(draw_weight_histograms(run, run.weights_before, run.weights_after))
            fields = draw_receptive_fields(run, run.weights_before, run.weights_after)
            if not fields and run.answers is not None:
                left_out.append(
                    Missing("weights_after.safetensors", "receptive fields: no projection from pixels")
                )
            weights += fields
        wrong = None if run.answers is None else draw_misclassified(run, run.answers)
        learning = [draw_learning_curve(run), draw_confusion(run), *([wrong] if wrong is not None else [])]
        sections = (
            Section("learning", "Learning", tuple(learning)),
            Section("activity", "Activity", tuple(activity)),
            Section("bursts", "Bursts", tuple(found for found in (within, over) if found is not None)),
            Section("weights", "Weights", tuple(weights)),
            Section("network", "Network", () if run.program is None else (draw_network(run.program),)),
        )
    if within is None and activity:
        left_out.append(
            Missing("recording_after.nc", "burst probability within a sample: no bursts were recorded")
        )
    if over is None:
        left_out.append(Missing("history.json", "burst probability over the training: none was noted"))
    kept = tuple(section for section in sections if section.pictures or section.id == "network")
    return kept, tuple(left_out)


def environment() -> jinja2.Environment:
    """The templates of pages, in which every text is escaped."""
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("burstchip.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["base64"] = lambda content: base64.b64encode(content).decode("ascii")
    return found


def render(run: RunFolder, sections: tuple[Section, ...], left_out: tuple[Missing, ...]) -> str:
    """The page as HTML with every picture inside."""
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            run=run,
            summary=run.summary,
            result=result(run.summary),
            contradictions=contradictions(run),
            setting=setting(run.summary),
            settings=setting_rows(run),
            origin=origin_rows(run.provenance),
            activity=activity_rows(run),
            operations=operations(run.summary),
            projections=[] if run.program is None else projection_rows(run.program),
            sections=sections,
            quantisation=quantisation_rows(run.quantisation or []),
            errors=error_rows(run.errors),
            left_out=left_out,
        )
    )
