"""`burstchip compile`: from a network file to an artifact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, as_json, output
from burstchip.cli.options import (
    Calibrate,
    ChipName,
    Json,
    MaxError,
    NetworkFile,
    Quiet,
    Seed,
    Settings,
    Strict,
    Target,
    out_file,
)
from burstchip.cli.wording import weight_form

if TYPE_CHECKING:
    from compiler.ir.chip_program import ChipProgram
    from hw_models.diagnostics import Diagnostic


def compile_(
    file: NetworkFile,
    artifact: Annotated[Path | None, out_file("net.burst")] = None,
    set_: Settings = None,
    seed: Seed = None,
    target: Target = None,
    strict: Strict = False,
    max_error: MaxError = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights",
            metavar="FOLDER",
            help="Take the weights of a training's folder, or of one that `burstchip deploy` wrote.",
        ),
    ] = None,
    print_after: Annotated[
        str | None,
        typer.Option(metavar="PASS", help="Show the program after a pass, such as lower or partition."),
    ] = None,
    chip: ChipName = None,
    calibrate: Calibrate = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Compile a network to an artifact, and report what its values became in integers."""
    with output(json=json, quiet=quiet) as out:
        from burstchip.backends.integers import require_integers
        from burstchip.chip_file import chip_of
        from burstchip.cli.calibrations import calibrating
        from burstchip.cli.checks import exclude, output_file, pass_name, settings, share_of, writing
        from burstchip.compilation import check_file
        from compiler.artifact import artifact_sha256, save_artifact
        from compiler.ir.text import as_text
        from compiler.pipeline import ANALYSES, deploying, partition_program, passes
        from compiler.places import locating
        from hw_models.diagnostics import BurstchipError

        exclude(artifact is None and print_after is None, "an output is missing", "-o net.burst", "none")
        if print_after is not None:
            pass_name(print_after, (*(known.name for known in passes()), *ANALYSES))
        exclude(
            chip is not None and print_after not in [known.name for known in deploying()],
            "--chip needs a pass that lays the program out over a chip",
            "--print-after partition",
            f"--chip {chip}",
        )
        other = None if chip is None else chip_of(chip)
        notes: list[Diagnostic] = []
        how = None if calibrate is None else calibrating(calibrate, quiet=quiet, notes=notes)
        if artifact is not None:
            output_file(artifact, file)

        def after(name: str, ir: object) -> None:
            if name == print_after:
                print(as_text(ir), end="", file=out.people)

        compiled = check_file(
            file,
            settings(set_),
            seed,
            strict=strict,
            target=target,
            max_error=share_of(max_error),
            after=after,
            calibrate=how,
        )
        code, warnings = compiled.code, compiled.diagnostics
        if code is None:
            raise BurstchipError(warnings)
        warnings = (*notes, *warnings)
        out.messages(warnings)
        if weights is not None:
            code = _with_weights(code, weights, out)
        if print_after in [known.name for known in deploying()]:
            with locating(compiled.network):
                partition_program(code, after, chip=other)
        for name, analysis in ANALYSES.items():
            if name == print_after:
                require_integers(code)
                after(name, analysis(code))
        if artifact is None:
            sha256 = artifact_sha256(code)
        else:
            with writing(artifact):
                sha256 = save_artifact(code, artifact)
            if code.on_chip:
                _show_quantisation(code, out)
            else:
                out.text("nothing is rounded: the target is none, which reference alone runs")
            out.text(f"{artifact}: {weight_form(code.weight_form)}, sha256 {sha256}")
        out.result(
            {
                "ok": True,
                "artifact": None if artifact is None else str(artifact),
                "artifact_sha256": sha256,
                "weight_form": code.weight_form,
                "quantisation": [
                    {**vars(line), "relative_error": line.relative_error} for line in code.quantisation
                ],
                "diagnostics": as_json(warnings),
            }
        )


def _with_weights(code: ChipProgram, folder: Path, out: Output) -> ChipProgram:
    from burstchip.backends.integers import require_integers
    from burstchip.backends.loihi2.folder import is_deployment
    from burstchip.backends.loihi2.read_back import with_deployed_weights
    from burstchip.tasks.start_weights import with_weights_of
    from burstchip.tasks.trained import trained_artifact

    if is_deployment(folder):
        require_integers(code)
        code = with_deployed_weights(code, folder)
    else:
        code, warnings = with_weights_of(code, trained_artifact(folder), str(folder))
        out.messages(warnings)
    if code.learned is not None:
        out.text(f"{folder}: {code.learned.text}")
    return code


def _show_quantisation(code: ChipProgram, out: Output) -> None:
    rows = []
    where = ""
    for line in code.quantisation:
        rows.append(
            (
                line.where if line.where != where else "",
                line.parameter,
                f"{line.requested:.6g} {line.unit}".rstrip(),
                f"{line.represented:.6g} {line.unit}".rstrip(),
                "0" if not line.relative_error else f"{100 * line.relative_error:.2g} %",
                line.integers,
            )
        )
        where = line.where
    values = ("asked", "represented", "relative error")
    out.table("Quantisation", ("where", "parameter"), values, "integers", rows)
