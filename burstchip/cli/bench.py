"""`burstchip bench`: commands of the package `benchmarks`, which is above this one and found by its name."""

from __future__ import annotations

import typer

from burstchip.cli.console import output

#: Entry points of commands that packages above this one bring: name -> a typer application.
GROUP = "burstchip.commands"


def bench(context: typer.Context) -> None:
    """Measure the same artifacts on every target: run, list, show, compare, merge."""
    from importlib.metadata import entry_points

    found = list(entry_points(group=GROUP, name="bench"))
    if not found:
        with output(json=False):
            from burstchip.cli.checks import exclude

            message = "the benchmarks are not installed"
            exclude(True, message, "an installation of burstchip with its package benchmarks", "none")
    application = found[0].load()
    application(list(context.args), prog_name="burstchip bench")
