"""The page of an artifact: its neurocores, what rounding did, what is proved, and the rules that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    placed: Partition | None
    proof: Certificate
    left_out: tuple[Diagnostic, ...] = ()


def write_deployment_page(it: Deployment, page: Path, command: str) -> Path:
    """Write the page. Raises `BurstchipError` BC546 where it cannot be written."""
    code, placed, proof, chip = it.code, it.placed, it.proof, chip_of(it.code.target)
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
            of=None if placed is None else _chips(placed),
            neurons=f"{sum(it.size for it in code.populations):,}",
            synapses=f"{sum(it.weights.size for it in code.projections):,}",
            proved=f"{len(bounds) - open_} of {len(bounds)}",
            pictures=[it for it in drawn if it is not None],
            limits=[] if placed is None else _limits(placed),
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


def _chips(placed: Partition) -> str:
    most = placed.chip["neurocores"].value
    chips = -(-len(placed.cores) // most)
    return f"of {most:,} of a chip" if chips <= 1 else f"on {chips:,} chips of {most:,}"


def _limits(placed: Partition) -> list[dict[str, Any]]:
    """The neurocore that is nearest to each limit."""
    rows = []
    for name in LIMITS:
        core = max(placed.cores, key=lambda it: it.used[name], default=None)
        fact = placed.chip[name]
        used = 0 if core is None else core.used[name]
        rows.append(
            {
                "name": name.replace("_", " "),
                "used": f"{used:,}",
                "of": f"{fact.value:,}",
                "share": f"{100 * used / fact.value:.1f} %",
                "where": "–" if core is None else f"{core.number} ({core.names})",
                "origin": fact.origin,
            }
        )
    return rows


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
