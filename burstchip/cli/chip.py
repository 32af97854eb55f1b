"""`burstchip chip`: what is public of a chip, and what is assumed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, output
from burstchip.cli.options import Json, Quiet

if TYPE_CHECKING:
    from hw_models.chips.chip import Chip


def chip(
    name: Annotated[str, typer.Argument(metavar="CHIP", help="loihi1, loihi2 or a chip file.")],
    yaml: Annotated[
        bool, typer.Option("--yaml", help="Print the file of loihi1 or loihi2, to begin one's own with.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Show the limits and costs of a chip, each with its source, and where public statements differ.

    A chip file of your own is checked on the way.
    """
    with output(json=json, quiet=quiet) as out:
        from burstchip.chip_file import chip_of
        from burstchip.cli.checks import exclude
        from hw_models.chips.reading import chip_text

        found = chip_of(name)
        if yaml:
            exclude(found.own, "--yaml prints one of burstchip's own chips", "loihi1 or loihi2", name)
            out.text(chip_text(name).rstrip("\n"))
        else:
            _show(found, out)
        out.result(
            {
                "ok": True,
                "chip": found.name,
                "title": found.title,
                "sources": dict(found.sources),
                "facts": {it.name: asdict(it) for it in found.facts.values()},
                "costs": {it.name: asdict(it) for it in found.costs.values()},
            }
        )


def _show(chip: Chip, out: Output) -> None:
    out.table(f"{chip.title}: limits", ("fact", "of"), ("value",), "source", list(_facts(chip)))
    out.table(f"{chip.title}: costs", ("cost",), ("value", "range", "unit"), "source", list(_costs(chip)))
    facts, costs = chip.facts.values(), chip.costs.values()
    differing = [*(it.name for it in facts if it.others), *(it.name for it in costs if it.others)]
    if differing:
        out.text(
            f"public statements differ on {_listed(differing)}: the first is used, not those with 'also'"
        )
    if assumed := [*chip.assumed, *(it.name for it in chip.costs.values() if it.assumption)]:
        out.text(f"assumed, since not public: {_listed(assumed)}")
    out.text("sources:")
    for name, text in chip.sources.items():
        out.text(f"  {name}: {text}")


def _listed(names: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _noted(origin: str, note: str) -> str:
    return f"{origin} ({note})" if note else origin


def _numbers(values: tuple[int, ...]) -> str:
    return f"{values[0]:,}" if len(values) == 1 else " ".join(map(str, values))


def _facts(chip: Chip) -> Iterator[tuple[str, ...]]:
    for it in chip.facts.values():
        name = it.name.replace("_", " ")
        yield name, it.unit, _numbers(it.values), _noted(it.origin, it.note)
        for other in it.others:
            yield "", "", f"also {_numbers(other.value)}", _noted(other.origin, other.note)


def _costs(chip: Chip) -> Iterator[tuple[str, ...]]:
    for it in chip.costs.values():
        span = f"{it.low:g}..{it.high:g}"
        note = "; ".join(text for text in (it.assumption, it.note) if text)
        yield it.name.replace("_", " "), f"{it.value:g}", span, it.unit, _noted(it.origin, note)
        for other in it.others:
            yield "", f"also {other.value:g}", "", "", _noted(other.origin, other.note)
