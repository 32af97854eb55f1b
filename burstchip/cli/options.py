"""Arguments and options that several commands share."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer


def out_file(name: str) -> Any:
    """The option that names a file to write."""
    return typer.Option(
        "--out", "--output", "-o", metavar=name, help="The file to write; one that exists is replaced."
    )


def out_folder() -> Any:
    """The option that names a folder to fill."""
    help_ = "The folder to write; one with earlier results is refused without --overwrite."
    return typer.Option("--out", "--output", "-o", metavar="DIR", help=help_)


NetworkFile = Annotated[Path, typer.Argument(metavar="FILE", help="The network's YAML file.")]
Program = Annotated[
    Path,
    typer.Argument(
        metavar="ARTIFACT",
        help="What `burstchip compile` wrote, or the folder of a training, whose learned weights are used.",
    ),
]
ProgramOrNetwork = Annotated[
    Path,
    typer.Argument(
        metavar="ARTIFACT",
        help="What `burstchip compile` wrote, the folder of a training, or a network's YAML file.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a parameter of the file; may be repeated."),
]
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Seed of every draw, in place of the file's.")
]
Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="NAME",
        help="Compile for loihi2, loihi1 or none (reference alone), in place of the file's target.",
    ),
]
ChipName = Annotated[
    str | None,
    typer.Option(
        "--chip",
        metavar="CHIP",
        help="loihi1, loihi2 or a chip file, in place of the artifact's target; see `burstchip chip`.",
    ),
]
Streams = Annotated[
    list[str] | None,
    typer.Option(
        "--stream",
        metavar="NAME=FILE",
        help="Rows of a streamed signal, a .npy or .csv file in the signal's unit; may be repeated.",
    ),
]
MaxError = Annotated[
    float | None,
    typer.Option(
        "--max-error",
        metavar="PERCENT",
        help="Have no value further off in integers than this; one that is is an error.",
    ),
]
Calibrate = Annotated[
    str | None,
    typer.Option(
        "--calibrate",
        metavar="HOW",
        help="Choose integers for what the network reaches in a run of so many steps or of a time, at "
        "the worst (bounds), or by a file of `burstchip calibrate`.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only warnings and errors.")]
Steps = Annotated[int | None, typer.Option("--steps", metavar="N", help="How many steps to take.")]
Duration = Annotated[
    str | None,
    typer.Option("--duration", metavar="TIME", help="In place of --steps: such as 500ms or 2s, whole steps."),
]
Variables = Annotated[
    list[str] | None,
    typer.Option(
        "--record",
        metavar="VARIABLES",
        help="Such as hidden.v[0:10],readout.events,PROJECTION.w; default: the probes.",
    ),
]


class IntegrationChoice(str, Enum):
    """How NIR's differential equations and steps go together."""

    euler = "euler"
    exponential = "exponential"


Integration = Annotated[
    IntegrationChoice,
    typer.Option(
        "--integration",
        help="What a step loses of a NIR time constant: step/tau, as other platforms, or 1 - exp(-step/tau).",
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what an earlier call of this command left in DIR.")
]
Json = Annotated[bool, typer.Option("--json", help="End stdout with one line of JSON; text goes to stderr.")]
Backend = Annotated[
    str,
    typer.Option(
        "--backend",
        metavar="NAME",
        help="sim (integers), plain (the same in numpy), lava (Lava's processes), reference (float64) or "
        "reference32 (float32).",
    ),
]
TargetAddress = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="ADDRESS",
        help="Run on a target, in place of a backend: tcp://HOST:PORT, serial:///dev/NAME?baud=N or "
        "child:COMMAND.",
    ),
]
Threads = Annotated[
    int,
    typer.Option(
        "--threads",
        metavar="N",
        min=1,
        max=64,
        help="Share the populations among N threads of sim or reference; the results are the same.",
    ),
]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Folder with the files of the data set.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue from the checkpoints in DIR.")]
Seeds = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, max=1000, help="Run with the seeds 1 to N, in place of its own."),
]
Jobs = Annotated[
    int,
    typer.Option("--jobs", "-j", metavar="N", min=1, max=64, help="How many runs are made side by side."),
]
Dask = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Have a Dask cluster do it: the address of its scheduler, such as tcp://127.0.0.1:8786, or its "
        "scheduler file; it has to see DIR.",
    ),
]
Epochs = Annotated[int | None, typer.Option("--epochs", metavar="N", help="Epochs, in place of the file's.")]
