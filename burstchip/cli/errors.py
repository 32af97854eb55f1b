"""`burstchip errors`: how far a run is from its network, and which share of that comes from where."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, as_json, output
from burstchip.cli.options import (
    Calibrate,
    Data,
    Duration,
    Json,
    Quiet,
    Seed,
    Settings,
    Steps,
    Strict,
    Target,
    Variables,
    out_file,
)
from burstchip.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from burstchip.error_shares import ErrorShares
    from burstchip.parameter_errors import ParameterError
    from compiler.ir.calibration import Calibration


def errors(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The network's YAML file, or the folder of a training, whose learned weights are used.",
        ),
    ],
    steps: Steps = None,
    duration: Duration = None,
    target_file: Annotated[Path | None, out_file("errors.json")] = None,
    record: Variables = None,
    set_: Settings = None,
    seed: Seed = None,
    target: Target = None,
    data: Data = None,
    calibrate: Calibrate = None,
    each: Annotated[
        bool,
        typer.Option(
            "--each", help="Also round each parameter alone: what that does to variables and rates."
        ),
    ] = False,
    strict: Strict = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Tell apart the errors of the step, of rounded parameters and of rounded states, variable by variable.

    A network is run in real numbers, at its step and at an eighth of it, with exact and with rounded
    parameters, and in integers. A network with a task is shown its training samples, at its own step alone.
    The report of a run shows the file errors.json in its folder.
    """
    with output(json=json, quiet=quiet, interrupted="nothing was written") as out:
        from burstchip.cli.calibrations import calibrating
        from burstchip.cli.checks import exclude, output_file, settings, steps_of, writing
        from burstchip.compilation import check_file
        from burstchip.error_shares import error_shares, write_error_shares
        from burstchip.parameter_errors import parameter_errors
        from burstchip.variables import parse_variables
        from compiler.ir.chip_program import ChipProgram
        from compiler.ir.network import Network
        from hw_models.diagnostics import BurstchipError, Diagnostic

        if target_file is not None:
            output_file(target_file, file)
        code: ChipProgram
        network: Network | ChipProgram
        messages: tuple[Diagnostic, ...] = ()
        notes: list[Diagnostic] = []
        reached: list[Calibration] = []

        def kept(how: Callable[[Network], Calibration]) -> Callable[[Network], Calibration]:
            def once(network: Network) -> Calibration:
                reached.append(how(network))
                return reached[-1]

            return once

        if file.is_dir():
            from burstchip.cli.program import load

            options = {"--set": set_, "--seed": seed, "--target": target, "--calibrate": calibrate}
            named = [name for name, value in options.items() if value is not None]
            message = "a training's folder cannot be combined with options of a compilation"
            exclude(bool(named), message, "the folder alone", " and ".join(named))
            code, _ = load(file, out)
            network = code
        else:
            how = None if calibrate is None else calibrating(calibrate, quiet=quiet, notes=notes)
            compiled = check_file(
                file,
                settings(set_),
                seed,
                strict=strict,
                target=target,
                calibrate=None if how is None else kept(how),
            )
            if compiled.code is None or compiled.network is None:
                raise BurstchipError(compiled.diagnostics)
            code, network, messages = compiled.code, compiled.network, compiled.diagnostics
        count = steps_of(steps, duration, code.step_ms)
        names = [name.strip() for text in record or () for name in text.split(",")]
        variables = parse_variables(code, names, synapses=False)
        each_error: tuple[ParameterError, ...] = ()
        with progress(f"running {code.name}", "preparing", quiet=quiet) as advance:

            def fetch(name: str, done: int, total: int) -> None:
                advance(done, total, f"fetching {name}")

            found = error_shares(
                network,
                count,
                variables,
                data_dir=data,
                fetch=fetch,
                notes=notes,
                calibration=reached[-1] if reached else None,
            )
            if each:
                each_error = parameter_errors(
                    code, count, variables, data_dir=data, fetch=fetch, watch=advance, notes=notes
                )
        messages = (*messages, *notes)
        out.messages(messages)
        if target_file is not None:
            with writing(target_file):
                write_error_shares(target_file, found, count, [asdict(it) for it in each_error])
        _show(found, count, out)
        if each:
            _show_each(each_error, out)
        if target_file is not None:
            out.text(str(target_file))
        out.result(
            {
                "ok": True,
                "output": None if target_file is None else str(target_file),
                "steps": count,
                "errors": [asdict(share) for share in found],
                **({"parameters": [asdict(it) for it in each_error]} if each else {}),
                "diagnostics": as_json(messages),
            }
        )


def _show(found: tuple[ErrorShares, ...], steps: int, out: Output) -> None:
    rows = []
    for share in found:
        values = (share.rms, share.step, share.parameter, share.state)
        rows.append(
            (
                f"{share.population}.{share.variable}",
                *("-" if value is None else f"{value:.4g}" for value in values),
                share.unit,
            )
        )
    title = f"Root mean square errors over {steps:,} steps"
    out.table(title, ("variable",), ("itself", "step", "parameters", "state"), "unit", rows)


def _show_each(found: tuple[ParameterError, ...], out: Output) -> None:
    rows = []
    for it in found:
        share = f"{100 * it.error / it.rms:.3g} %" if it.rms else "-"
        rate = (
            "-" if it.rate is None or it.rate_error is None else f"{it.rate_error:+.3g} of {it.rate:.4g} Hz"
        )
        of = f"{it.population}.{it.variable}"
        rows.append((f"{it.where} {it.parameter}", of, f"{it.error:.4g}", share, rate, it.unit))
    values = ("error", "of its rms", "rate")
    out.table("Each parameter rounded alone", ("rounded", "variable"), values, "unit", rows)
