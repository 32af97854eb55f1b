"""What commands import or make first, so that each forked process begins with it."""

from __future__ import annotations

import importlib
import pkgutil

import typer.main

import burstchip
import compiler
import hw_models


def warm() -> None:
    """Import every module of ours but for those of Lava, and the libraries that they import late."""
    for package in (hw_models, compiler, burstchip):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".lava" not in found.name and not found.name.endswith("__main__"):
                importlib.import_module(found.name)
    for name in ("xarray", "h5netcdf", "nir", "matplotlib.pyplot", "jinja2", "scipy.special", "rich.table"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            # An extra that is not installed.
            continue
    # The parser of all commands is the same every time, and takes more time than most refusals.
    made = typer.main.get_command(importlib.import_module("burstchip.cli.app").app)
    typer.main.get_command = lambda app: made
