"""`burstchip verify`: do two backends compute the same integers?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, output
from burstchip.cli.options import Data, Duration, Json, Program, Quiet, Steps, Streams
from burstchip.cli.progress import progress

if TYPE_CHECKING:
    from burstchip.running.verification import Verification

#: What a command that found a difference ends with.
DIFFERENT = 1


def verify(
    artifact: Program,
    backends: Annotated[
        str | None,
        typer.Option(
            metavar="ONE,OTHER", help="The backends to compare, or addresses of targets (default: sim,lava)."
        ),
    ] = None,
    steps: Steps = None,
    duration: Duration = None,
    train: Annotated[
        int | None, typer.Option(metavar="SAMPLES", help="How many training samples to compare, with a task.")
    ] = None,
    deployment: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Compare with what `burstchip deploy` wrote there; nothing runs."),
    ] = None,
    stream: Streams = None,
    data: Data = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Run an artifact on two backends, with learning, and compare every integer of every step.

    Exit code 0 where all are equal, 1 at a difference.
    """
    with output(json=json, quiet=quiet, interrupted="the comparison is not complete") as out:
        if deployment is not None:
            from burstchip.cli.checks import exclude

            options = {
                "--backends": backends,
                "--steps": steps,
                "--duration": duration,
                "--train": train,
                "--stream": stream,
                "--data": data,
            }
            named = [name for name, value in options.items() if value is not None]
            message = "--deployment cannot be combined with options of a run"
            exclude(bool(named), message, "--deployment alone", " and ".join(named))
            _compare_deployment(artifact, deployment, out)
            return
        from burstchip.cli.checks import steps_of, streams
        from burstchip.cli.program import load
        from burstchip.running.recording import training_pictures
        from burstchip.running.verification import check_backends, steps_to_verify
        from burstchip.running.verification import verify as verify_

        given = streams(stream)
        chosen = tuple(name.strip() for name in (backends or "sim,lava").split(","))
        check_backends(chosen)
        code, sha256 = load(artifact, out)
        if duration is not None:
            steps = steps_of(steps, duration, code.step_ms)
        count = steps_to_verify(code, steps, train)
        with progress(f"comparing {' and '.join(chosen)}", "preparing", quiet=quiet) as advance:

            def fetch(name: str, done: int, total: int) -> None:
                advance(done, total, f"fetching {name}")

            pictures, notes = training_pictures(code, data, fetch)
            found = verify_(
                code,
                count,
                backends=chosen,
                pictures=pictures,
                streams=given,
                watch=lambda done, total: advance(done, total, f"{done:,} steps"),
            )
        out.messages(notes)
        _tell(found, out)
        difference = found.difference
        out.result(
            {
                "ok": difference is None,
                "artifact_sha256": sha256,
                "backends": list(found.backends),
                "steps": found.steps,
                "values": found.values,
                "kinds": dict(found.kinds),
                "stock": list(found.stock),
                "difference": None
                if difference is None
                else {
                    "step": difference.step,
                    "place": difference.place,
                    "variable": difference.variable,
                    "index": list(difference.index),
                    "values": dict(difference.values),
                },
            }
        )
        if difference is not None:
            raise typer.Exit(DIFFERENT)


def _compare_deployment(artifact: Path, folder: Path, out: Output) -> None:
    from burstchip.backends.loihi2.comparison import compare_deployment
    from burstchip.cli.program import load

    code, sha256 = load(artifact, out)
    found = compare_deployment(code, folder)
    if found.difference is None:
        other = "" if found.same_artifact else ", from an artifact that differs in what is not deployed"
        out.text(f"{folder} matches {artifact}: {found.values:,} values are equal{other}")
    else:
        out.text(f"{folder} differs from {artifact}:\n  {found.difference}")
    out.result(
        {
            "ok": found.difference is None,
            "artifact_sha256": sha256,
            "deployment": str(folder),
            "values": found.values,
            "same_artifact": found.same_artifact,
            "difference": None if found.difference is None else asdict(found.difference),
        }
    )
    if found.difference is not None:
        raise typer.Exit(DIFFERENT)


def _tell(found: Verification, out: Output) -> None:
    one, other = found.backends
    difference = found.difference
    if difference is None:
        kinds = ", ".join(f"{count:,} of {kind}" for kind, count in found.kinds.items())
        out.text(f"{one} and {other} are equal: {found.values:,} values in {found.steps:,} steps ({kinds})")
    else:
        index = ", ".join(str(number) for number in difference.index)
        out.text(f"{one} and {other} differ in step {difference.step}:")
        out.text(f"  {difference.place}, {difference.variable}[{index}]")
        for name, value in difference.values.items():
            out.text(f"  {name:<9}  {value}")
    if found.stock:
        out.text(f"Lava's own processes: {', '.join(found.stock)}")
