"""`burstchip check`: everything that is wrong with a network file."""

from __future__ import annotations

import typer

from burstchip.cli.console import BAD_INPUT, as_json, output
from burstchip.cli.options import Json, NetworkFile, Seed, Settings, Strict


def check(
    file: NetworkFile,
    set_: Settings = None,
    seed: Seed = None,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Check a network file, the quantisation and the limits of the chip included; exit code 2 on errors."""
    with output(json=json) as out:
        from burstchip.cli.checks import settings
        from burstchip.compilation import check_file

        result = check_file(file, settings(set_), seed, strict=strict)
        out.messages(result.diagnostics)
        found = f"{_count(result.errors, 'error')}, {_count(result.warnings, 'warning')}"
        code = result.code
        size = ""
        if code is not None:
            neurons = sum(population.size for population in code.populations)
            synapses = sum(projection.weights.size for projection in code.projections)
            size = f"; {neurons:,} neurons and {synapses:,} synapses for {code.target}"
        out.text(f"{file}: {found}{size}")
        out.result(
            {
                "ok": code is not None,
                "file": str(file),
                "errors": result.errors,
                "warnings": result.warnings,
                "diagnostics": as_json(result.diagnostics),
            }
        )
        if code is None:
            raise typer.Exit(BAD_INPUT)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
