"""The folder of an experiment: its page, its pictures, its rates and its numbers."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import Any

from burstchip.backends.available import REAL
from burstchip.experiments.checked import Checked
from burstchip.experiments.running import Outcome, recording
from burstchip.experiments.stages import Errors, Shares
from burstchip.files.provenance import origin_of
from burstchip.report.page import environment
from compiler.strict_json import strict_json
from compiler.whole_file import write_folder_whole
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC712": "results of an experiment that would replace something else",
        "BC713": "results of an experiment that cannot be written",
    }
)

#: What marks a folder as one of an experiment.
RESULTS = "results.json"


def measured(it: Checked) -> str:
    """What was measured, with the standard deviation over seeds."""
    spread = f" ± {it.spread:.2g}" if len(it.values) > 1 else ""
    return f"{it.mean:.3g}{spread} {it.check.unit}".rstrip()


def share(it: Shares, value: float) -> str:
    """A part of a difference, with its sign."""
    return f"{value:+.2g} {it.check.unit}".rstrip()


def chance(it: Shares) -> str:
    """What chance alone makes of a difference, a dash for a single seed."""
    return "–" if isnan(it.chance) else f"± {it.chance:.2g}"


def headings(errors: Errors) -> list[str]:
    """Those of a table of shares on a terminal, but for what they are of and chance."""
    return [it.short for it in (errors.stages[0], *errors.added)]


def parts(it: Shares) -> list[str]:
    """The row below `headings`."""
    return [f"{it.exact:.3g} {it.check.unit}".rstrip(), *(share(it, part) for part in it.parts)]


def _error_results(errors: Errors) -> dict[str, Any]:
    shares = [
        {
            "quantity": it.check.quantity,
            "exact": it.exact,
            **{stage.name: part for stage, part in zip(errors.added, it.parts, strict=True)},
            "chance": None if isnan(it.chance) else it.chance,
        }
        for it in errors.shares
    ]
    return {"errors": shares, "errors_backend": errors.backend}


def results(outcome: Outcome) -> dict[str, Any]:
    """All numbers as plain values."""
    return {
        **({} if outcome.errors is None else _error_results(outcome.errors)),
        "ok": outcome.passes,
        "experiment": outcome.experiment.name,
        "backend": outcome.backend,
        "step_ms": outcome.step_ms,
        "seeds": list(outcome.seeds),
        "artifact_sha256": list(outcome.artifacts),
        **({"parameters": dict(outcome.parameters)} if outcome.parameters else {}),
        **({"variant": outcome.variant.partition(":")[0]} if outcome.variant else {}),
        "checks": [
            {
                "quantity": it.check.quantity,
                "what": it.check.what,
                "published": it.check.published,
                "unit": it.check.unit,
                "at_least": it.check.at_least,
                "at_most": it.check.at_most,
                "mean": it.mean,
                "spread": it.spread,
                "passes": it.passes,
            }
            for it in outcome.checks
        ],
        "measured": [dict(found) for found in outcome.measured],
    }


def render(outcome: Outcome, command: str) -> str:
    """The page as HTML with every picture inside."""
    description = outcome.experiment.description
    numbers = ", ".join(str(seed) for seed in outcome.seeds)
    own = outcome.backend is None
    real = own or outcome.backend in REAL
    passed, bounded = outcome.tally
    rows = [
        {
            "what": it.check.what,
            "published": it.check.found,
            "accepted": it.check.accepted,
            "measured": measured(it),
            "passes": it.passes,
            "bounded": it.check.bounded,
            "why": "" if real or it.passes else it.check.rounding,
        }
        for it in outcome.checks
    ]
    return (
        environment()
        .get_template("experiment.html.j2")
        .render(
            title=description.title,
            about=outcome.variant or description.about,
            source=description.source,
            checks=rows,
            passed=passed,
            bounded=bounded,
            backend="none" if own else outcome.backend,
            arithmetic="a model of its own, in float64"
            if own
            else "real numbers, exact parameters"
            if real
            else "the integers of the chip",
            step="its own" if outcome.step_ms is None else f"{outcome.step_ms:g} ms",
            seeds=f"{'seed' if len(outcome.seeds) == 1 else 'seeds'} {numbers}",
            pictures=outcome.drawing.panels,
            command=command,
            origin=[*origin_of(outcome.artifacts), *outcome.parameters.items()],
            diagnostics=[str(it) for it in outcome.diagnostics],
            errors=None if outcome.errors is None else _errors(outcome.errors),
        )
    )


def _errors(it: Errors) -> dict[str, Any]:
    """What the page shows of stages."""
    return {
        "headings": [stage.heading for stage in (it.stages[0], *it.added)],
        "rows": [
            {
                "what": one.check.what,
                "parts": parts(one),
                "chance": chance(one),
            }
            for one in it.shares
        ],
        "stages": ", then ".join(stage.about for stage in it.added),
        "backend": it.backend,
        "pictures": it.drawing.panels if it.drawing else (),
    }


def refuse_taken(folder: Path, *, overwrite: bool) -> None:
    """Raise `BurstchipError` BC712 where a folder must not be replaced."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    ours = (folder / RESULTS).is_file() and (folder / "report.html").is_file()
    if ours and overwrite:
        return
    raise BurstchipError(
        Diagnostic(
            "BC712",
            f"'{folder}' holds {'earlier results' if ours else 'something else'}",
            required="an empty or new folder",
            given="a folder of an experiment" if ours else "a file" if folder.is_file() else "another folder",
            hint="--overwrite replaces it" if ours else "name another folder",
        )
    )


def write_outcome(
    outcome: Outcome,
    folder: Path,
    command: str,
    *,
    overwrite: bool = False,
) -> Path:
    """Write the page, `results.json`, `rates.nc` and pictures, all or nothing; returns the page's path.

    Raises `BurstchipError`: BC712 where the folder must not be replaced, BC713 where it cannot be written.
    """
    refuse_taken(folder, overwrite=overwrite)
    files = {
        "report.html": render(outcome, command).encode(),
        RESULTS: (strict_json(results(outcome)) + "\n").encode(),
        "rates.nc": recording(outcome),
    }
    files[f"{outcome.experiment.name}.png"] = outcome.drawing.whole
    panels = outcome.drawing.panels
    if outcome.errors is not None:
        files |= {f"rates.{name}.nc": recorded for name, recorded in outcome.errors.recorded.items()}
        if (drawing := outcome.errors.drawing) is not None:
            files[f"{outcome.experiment.name}_errors.png"] = drawing.whole
            panels = (*panels, *drawing.panels)
    files |= {f"figures/{panel.name}.svg": panel.svg for panel in panels}
    try:
        write_folder_whole(folder, files, replace=overwrite)
    except OSError as reason:
        raise BurstchipError(
            Diagnostic(
                "BC713",
                f"the results cannot be written into '{folder}'",
                required="a folder that can be written to, with room",
                given=reason.strerror or str(reason),
                hint="nothing was written",
            )
        ) from None
    return folder / "report.html"
