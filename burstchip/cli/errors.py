"""`burstchip errors`: how far a run is from its network, and which share of that comes from where."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, as_json, output
from burstchip.cli.options import Data, Json, Seed, Settings, Target
from burstchip.cli.progress import progress

if TYPE_CHECKING:
    from burstchip.error_shares import ErrorShares


def errors(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The network's YAML file, or the folder of a training, whose learned weights are used.",
        ),
    ],
    steps: Annotated[int, typer.Option(metavar="N", help="How many steps to run.")],
    target_file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "--output",
            "-o",
            metavar="errors.json",
            help="A file to write; a run folder's report shows it.",
        ),
    ] = None,
    record: Annotated[
        list[str] | None,
        typer.Option(metavar="VARIABLES", help="Such as hidden.v,readout.v; default: the probes."),
    ] = None,
    set_: Settings = None,
    seed: Seed = None,
    target: Target = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Tell the errors of the step, of rounded parameters and of rounded states apart, variable by variable.

    A network is run in real numbers, at its step and at an eighth of it, with exact and with rounded
    parameters, and in integers. A network with a task is shown its training samples, at its own step alone.
    """
    with output(json=json, interrupted="nothing was written") as out:
        from burstchip.cli.checks import exclude, output_file, settings, writing
        from burstchip.compilation import check_file
        from burstchip.error_shares import error_shares, write_error_shares
        from burstchip.variables import parse_variables
        from compiler.ir.chip_program import ChipProgram
        from compiler.ir.network import Network
        from hw_models.diagnostics import BurstchipError, Diagnostic

        if target_file is not None:
            output_file(target_file, file)
        code: ChipProgram
        network: Network | ChipProgram
        messages: tuple[Diagnostic, ...] = ()
        if file.is_dir():
            from burstchip.cli.program import load

            options = {"--set": set_, "--seed": seed, "--target": target}
            named = [name for name, value in options.items() if value is not None]
            message = "a training's folder cannot be combined with options of a compilation"
            exclude(bool(named), message, "the folder alone", " and ".join(named))
            code, _ = load(file, out)
            network = code
        else:
            compiled = check_file(file, settings(set_), seed, target=target)
            if compiled.code is None or compiled.network is None:
                raise BurstchipError(compiled.diagnostics)
            code, network, messages = compiled.code, compiled.network, compiled.diagnostics
        names = [name.strip() for text in record or () for name in text.split(",")]
        variables = parse_variables(code, names, synapses=False)
        notes: list[Diagnostic] = []
        with progress(f"running {code.name}", "preparing") as advance:

            def fetch(name: str, done: int, total: int) -> None:
                advance(done, total, f"fetching {name}")

            found = error_shares(network, steps, variables, data_dir=data, fetch=fetch, notes=notes)
        messages = (*messages, *notes)
        out.messages(messages)
        if target_file is not None:
            with writing(target_file):
                write_error_shares(target_file, found, steps)
        _show(found, steps, out)
        if target_file is not None:
            out.text(str(target_file))
        out.result(
            {
                "ok": True,
                "output": None if target_file is None else str(target_file),
                "steps": steps,
                "errors": [asdict(share) for share in found],
                "diagnostics": as_json(messages),
            }
        )


def _show(found: tuple[ErrorShares, ...], steps: int, out: Output) -> None:
    from rich import box
    from rich.table import Table

    title = f"Root mean square errors over {steps:,} steps"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    table.add_column("variable", overflow="fold")
    for heading in ("itself", "step", "parameters", "state"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("unit", overflow="fold")
    for share in found:
        values = (share.rms, share.step, share.parameter, share.state)
        table.add_row(
            f"{share.population}.{share.variable}",
            *("-" if value is None else f"{value:.4g}" for value in values),
            share.unit,
        )
    out.show(table)
