"""`burstchip bench`: commands of the package `benchmarks`, which is above this one and found by its name."""

from __future__ import annotations

import typer

#: Entry points of commands that other packages bring: name -> a typer application.
GROUP = "burstchip.commands"


def bench(context: typer.Context) -> None:
    """Measure the same artifacts on every target: run, list, show, compare, merge."""
    from importlib.metadata import entry_points

    point = next(iter(entry_points(group=GROUP, name="bench")))
    application = point.load()
    application(list(context.args), prog_name="burstchip bench")
