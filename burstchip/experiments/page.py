"""The folder of an experiment: its page, its pictures, its rates and its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any

from burstchip.backends.available import REAL
from burstchip.experiments.running import Checked, Outcome, recording
from burstchip.experiments.shares import Shares
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


def results(outcome: Outcome, shares: Sequence[Shares] = ()) -> dict[str, Any]:
    """All numbers as plain values."""
    errors = [
        {
            "quantity": it.check.quantity,
            "exact": it.exact,
            "step": it.step,
            "parameter": it.parameter,
            "state": it.state,
            "chance": None if isnan(it.chance) else it.chance,
        }
        for it in shares
    ]
    return {
        **({"errors": errors} if shares else {}),
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


def render(outcome: Outcome, command: str, shares: Sequence[Shares] = ()) -> str:
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
            shares=[
                {
                    "what": it.check.what,
                    "exact": f"{it.exact:.3g} {it.check.unit}".rstrip(),
                    "parts": [share(it, part) for part in (it.step, it.parameter, it.state)],
                    "chance": "–" if isnan(it.chance) else f"± {it.chance:.2g}",
                }
                for it in shares
            ],
        )
    )


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
    shares: Sequence[Shares] = (),
) -> Path:
    """Write the page, `results.json`, `rates.nc` and pictures, all or nothing; returns the page's path.

    Raises `BurstchipError`: BC712 where the folder must not be replaced, BC713 where it cannot be written.
    """
    refuse_taken(folder, overwrite=overwrite)
    files = {
        "report.html": render(outcome, command, shares).encode(),
        RESULTS: (strict_json(results(outcome, shares)) + "\n").encode(),
        "rates.nc": recording(outcome),
    }
    files[f"{outcome.experiment.name}.png"] = outcome.drawing.whole
    files |= {f"figures/{panel.name}.svg": panel.svg for panel in outcome.drawing.panels}
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
