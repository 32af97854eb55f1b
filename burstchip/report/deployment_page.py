"""The page of an artifact: its neurocores, what rounding did, what is proved, and the rules that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burstchip.backends.loihi2.deploy import DryRun
from burstchip.report.core_map import draw_core_map, fill
from burstchip.report.page import environment, write_page
from burstchip.report.quantisation_bars import draw_quantisation
from burstchip.report.style import figure_style
from compiler.ir.certificate import Bound, Certificate
from compiler.ir.chip_program import ChipProgram
from compiler.ir.partitioned import LIMITS, Partition
from hw_models.chips.reading import chip as chip_of
from hw_models.diagnostics import CODES, Diagnostic

#: The design rules: of the network, of the target and of its neurocores.
_FIRST_RULE, _LAST_RULE = "BC330", "BC359"


@dataclass(frozen=True)
class Deployment:
    """An artifact, where its neurons lie, and what is proved of it; `left_out` says why they lie nowhere."""

    code: ChipProgram
    sha256: str
    planned: DryRun | None
    proof: Certificate
    left_out: tuple[Diagnostic, ...] = ()


def write_deployment_page(it: Deployment, page: Path, command: str) -> Path:
    """Write the page. Raises `BurstchipError` BC546 where it cannot be written."""
    code, planned, proof, chip = it.code, it.planned, it.proof, chip_of(it.code.target)
    placed = None if planned is None else planned.partition
    with figure_style():
        drawn = [None if placed is None else draw_core_map(placed), draw_quantisation(code)]
    bounds = [_bound(it) for it in proof.bounds]
    open_ = sum(not it.proved for it in proof.bounds)
    text = (
        environment()
        .get_template("deployment.html.j2")
        .render(
            title=code.name,
            chip=chip.title,
            cores=None if placed is None else f"{len(placed.cores):,}",
            of=None if planned is None else _chips(planned),
            neurons=f"{sum(it.size for it in code.populations):,}",
            synapses=f"{sum(it.weights.size for it in code.projections):,}",
            proved=f"{len(bounds) - open_} of {len(bounds)}",
            pictures=[it for it in drawn if it is not None],
            limits=[] if planned is None else _limits(planned),
            memory=[] if placed is None else _memory(placed),
            left_out=[str(it) for it in it.left_out],
            bounds=bounds,
            rules=_rules(code),
            messages=[str(it) for it in code.diagnostics],
            assumed=[
                f"{fact.name.replace('_', ' ')}: {fact.source}"
                for fact in chip.facts.values()
                if fact.status == "assumed"
            ],
            sha256=it.sha256,
            command=command,
        )
    )
    return write_page(page, text)


def _chips(planned: DryRun) -> str:
    most = planned.chip["neurocores"].value
    return f"of {most:,} of a chip" if planned.chips <= 1 else f"on {planned.chips:,} chips of {most:,}"


def _limits(planned: DryRun) -> list[dict[str, Any]]:
    """The neurocore that is nearest to each limit."""
    return [
        {
            "name": it.fact.name.replace("_", " "),
            "used": f"{it.used:,}",
            "of": f"{it.fact.value:,}",
            "share": f"{100 * it.share:.1f} %",
            "where": "–" if it.core is None else f"{it.core.number} ({it.core.names})",
            "origin": it.fact.origin,
        }
        for it in planned.fills
    ]


def _memory(placed: Partition) -> list[dict[str, Any]]:
    """What each neurocore uses of each limit."""
    return [
        {
            "number": core.number,
            "what": ", ".join(f"{piece.population} {piece.text}" for piece in core.pieces),
            "used": [f"{core.used[name]:,}" for name in LIMITS],
            "nearest": f"{100 * fill(core, placed)[1]:.1f} %",
        }
        for core in placed.cores
    ]


def _bound(it: Bound) -> dict[str, Any]:
    return {
        "where": it.population,
        "what": f"{it.kind} {it.variable}",
        "range": f"{it.low:,} to {it.high:,}",
        "width": f"{it.width}",
        "verdict": "proved" if it.escapes is None else f"may reach {it.escapes}",
        "marked": not it.proved,
    }


def _rules(code: ChipProgram) -> list[dict[str, Any]]:
    """Each design rule and what it found; one that was broken would have left no artifact."""
    found: dict[str, int] = {}
    for it in code.diagnostics:
        found[it.id] = found.get(it.id, 0) + 1
    ids = sorted(it for it in CODES if _FIRST_RULE <= it <= _LAST_RULE)
    return [
        {
            "id": it,
            "about": CODES[it],
            "verdict": f"warns {found[it]} times"
            if found.get(it, 0) > 1
            else "warns"
            if it in found
            else "kept",
            "marked": it in found,
        }
        for it in ids
    ]
