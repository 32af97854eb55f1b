"""`burstchip certify`: what no run of an artifact can exceed, and what it may."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, output
from burstchip.cli.options import ChipName, Json, ProgramOrNetwork, Quiet
from burstchip.cli.progress import progress

if TYPE_CHECKING:
    from compiler.ir.certificate import Bound, Certificate
    from compiler.second_opinion import Opinion

#: What a command that could not prove everything ends with.
UNPROVED = 1


class WeightsChoice(str, Enum):
    """For which weights."""

    limits = "limits"
    given = "given"


def certify(
    artifact: ProgramOrNetwork,
    weights: Annotated[
        WeightsChoice,
        typer.Option(
            "--assume", help="Plastic weights at their limits, whatever is learned, or all as they are given."
        ),
    ] = WeightsChoice.limits,
    second_opinion: Annotated[
        bool, typer.Option("--second-opinion", help="Have z3 check each proof (pip install burstchip[z3]).")
    ] = False,
    chip: ChipName = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Prove what every variable of an artifact can be, whatever arrives, in any number of steps.

    With --chip also that a chip has all that it takes: programs, messages and synapses of these widths.

    Exit code 0 where nothing can be clipped, wrapped or saturated, 1 where something may be.
    """
    with output(json=json, quiet=quiet) as out:
        from burstchip.backends.integers import require_integers
        from burstchip.chip_file import chip_of
        from burstchip.cli.program import load_or_compile
        from compiler.passes.certify import certify as certify_
        from compiler.passes.deployable import not_deployable
        from compiler.places import locating
        from compiler.second_opinion import second_opinion as ask
        from compiler.second_opinion import told
        from hw_models.diagnostics import BurstchipError

        other = None if chip is None else chip_of(chip)
        code, sha256, network = load_or_compile(artifact, out)
        require_integers(code)
        if other is not None and (problems := list(not_deployable(code, other))):
            with locating(network):
                raise BurstchipError(problems)
        with progress("proving", "preparing", quiet=quiet) as advance:
            found = certify_(code, weights.value, advance)
        opinions: tuple[Opinion, ...] = ()
        if second_opinion:
            with progress("asking z3", "preparing", quiet=quiet) as advance:
                opinions = ask(found, watch=advance)
        _show(found, out)
        if other is not None:
            out.text(f"{other.title} has neuron programs, messages and synapses of these widths")
        if second_opinion:
            out.text("\n".join(told(opinions)))
        agreed = all(it.verdict != "differs" for it in opinions)
        out.result(
            {
                "ok": found.proved and agreed,
                "artifact_sha256": sha256,
                "weights": found.weights,
                "chip": None if other is None else other.name,
                "bounds": [_as_json(it, found) for it in found.bounds],
                "second_opinion": [
                    {"population": it.bound.population, "variable": it.bound.variable, "verdict": it.verdict}
                    for it in opinions
                ],
            }
        )
        if not (found.proved and agreed):
            raise typer.Exit(UNPROVED)


def _show(found: Certificate, out: Output) -> None:
    rows, before = [], ""
    for it in found.bounds:
        verdict = "proved" if it.escapes is None else f"may reach {it.escapes}"
        name = it.population if it.population != before else ""
        rows.append((name, f"{it.kind} {it.variable}", f"{it.low}..{it.high}", f"{it.width}", verdict))
        before = it.population
    of = "plastic weights at their limits" if found.weights == "limits" else "weights as they are given"
    out.table(f"Certificate, {of}", ("where", "variable"), ("in any step", "width"), "verdict", rows)
    open_ = [it for it in found.bounds if not it.proved]
    if not open_:
        out.text("all proved: nothing is ever clipped, wrapped or saturated")
        return
    out.text(f"{len(open_)} of {len(found.bounds)} not proved")
    for population in dict.fromkeys(it.population for it in open_):
        for port, shares in _ports(found, population).items():
            added = ", ".join(f"{name} {width}" for name, width in shares)
            out.text(f"  {population}.{port} gets {added}")


def _ports(found: Certificate, population: str) -> dict[str, list[tuple[str, object]]]:
    return {port: [*it] for (name, port), it in found.arriving.items() if name == population and it}


def _as_json(it: Bound, found: Certificate) -> dict[str, object]:
    values: dict[str, object] = {
        "population": it.population,
        "kind": it.kind,
        "variable": it.variable,
        "low": it.low,
        "high": it.high,
        "width": [it.width.low, it.width.high],
        "proved": it.proved,
        "escapes": None if it.escapes is None else [it.escapes.low, it.escapes.high],
    }
    if it.kind == "port":
        shares = found.arriving[it.population, it.variable]
        values["arriving"] = {name: [width.low, width.high] for name, width in shares}
    return values
