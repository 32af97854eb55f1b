"""`burstchip check`: everything that is wrong with a network file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import BAD_INPUT, Output, as_json, output
from burstchip.cli.options import Json, MaxError, NetworkFile, Quiet, Seed, Settings, Strict, Target

if TYPE_CHECKING:
    from burstchip.frontend.defaults import Default


def check(
    file: NetworkFile,
    set_: Settings = None,
    seed: Seed = None,
    target: Target = None,
    strict: Strict = False,
    max_error: MaxError = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="List the values that the file leaves out.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Check a network file, the quantisation and the limits of the chip included; exit code 2 on errors."""
    with output(json=json, quiet=quiet) as out:
        from burstchip.cli.checks import settings, share_of
        from burstchip.compilation import check_file

        result = check_file(
            file, settings(set_), seed, strict=strict, target=target, max_error=share_of(max_error)
        )
        out.messages(result.diagnostics)
        found = f"{_count(result.errors, 'error')}, {_count(result.warnings, 'warning')}"
        code = result.code
        size = ""
        if code is not None:
            neurons = sum(population.size for population in code.populations)
            synapses = sum(projection.weights.size for projection in code.projections)
            chip = code.target if code.on_chip else "no chip"
            size = f"; {neurons:,} neurons and {synapses:,} synapses for {chip}"
        out.text(f"{file}: {found}{size}")
        if defaults:
            _show(result.defaults, out)
        out.result(
            {
                "ok": code is not None,
                "file": str(file),
                "errors": result.errors,
                "warnings": result.warnings,
                "diagnostics": as_json(result.diagnostics),
                **({"defaults": [asdict(default) for default in result.defaults]} if defaults else {}),
            }
        )
        if code is None:
            raise typer.Exit(BAD_INPUT)


def _show(defaults: Sequence[Default], out: Output) -> None:
    rows = []
    of = ""
    for default in defaults:
        rows.append((default.owner if default.owner != of else "", default.key, default.value, default.doc))
        of = default.owner
    out.table("Defaults", ("of", "key", "value"), (), "meaning", rows)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
