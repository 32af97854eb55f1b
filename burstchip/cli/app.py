"""The commands by name. Nothing heavy is imported here: each command imports what it needs when it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from burstchip.cli.bench import bench
from burstchip.cli.calibrate import calibrate
from burstchip.cli.certify import certify
from burstchip.cli.check import check
from burstchip.cli.chip import chip
from burstchip.cli.compile import compile_
from burstchip.cli.cost import cost
from burstchip.cli.deploy import deploy
from burstchip.cli.doctor import doctor
from burstchip.cli.errors import errors
from burstchip.cli.experiment import experiment
from burstchip.cli.explain import explain
from burstchip.cli.export import export
from burstchip.cli.follow import follow
from burstchip.cli.import_ import import_
from burstchip.cli.new import new
from burstchip.cli.precision import precision
from burstchip.cli.predict import predict
from burstchip.cli.report import report
from burstchip.cli.run import run
from burstchip.cli.schema import schema
from burstchip.cli.sweep import sweep
from burstchip.cli.target import target
from burstchip.cli.train import train
from burstchip.cli.verify import verify

app = typer.Typer(
    name="burstchip",
    no_args_is_help=True,
    # A bug keeps Python's own traceback: the pretty one hides frames and prints every local variable.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS: dict[str, Callable[..., None]] = {
    "new": new,
    "check": check,
    "compile": compile_,
    "calibrate": calibrate,
    "run": run,
    "train": train,
    "follow": follow,
    "sweep": sweep,
    "predict": predict,
    "verify": verify,
    "certify": certify,
    "errors": errors,
    "precision": precision,
    "experiment": experiment,
    "report": report,
    "deploy": deploy,
    "target": target,
    "chip": chip,
    "cost": cost,
    "doctor": doctor,
    "schema": schema,
    "explain": explain,
    "import": import_,
    "export": export,
}
for name, command in COMMANDS.items():
    app.command(name)(command)
#: What follows is for the application that is called.
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
app.command("bench", context_settings=_PASSED_ON)(bench)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("burstchip"))
        raise typer.Exit


@app.callback()
def burstchip(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Networks of bursting neurons, described in YAML, that learn in the integers of a neuromorphic chip."""
