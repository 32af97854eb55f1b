"""Foreign packages of our names: which of them Python would import in place of ours.

Imports nothing of ours, so that it can report why ours cannot be imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

#: Our top-level packages.
PACKAGES = ("burstchip", "compiler", "hw_models", "benchmarks")

_HOME = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Package:
    """One of our names: where Python finds the package, None without one, and whether it is ours."""

    name: str
    place: Path | None
    ours: bool


def packages() -> tuple[Package, ...]:
    """Each of our names, looked up but not imported."""
    return tuple(_package(name) for name in PACKAGES)


def shadowed() -> tuple[Package, ...]:
    """The foreign packages that hide one of ours."""
    return tuple(package for package in packages() if package.place is not None and not package.ours)


def explanation(package: Package) -> str:
    """What to say of a foreign package that hides one of ours."""
    return (
        f"`import {package.name}` finds {package.place}, which is not burstchip's own\n"
        "  hint: rename it, uninstall its package or use another environment; `burstchip doctor` reports more"
    )


def _package(name: str) -> Package:
    try:
        spec = find_spec(name)
    except (ValueError, ImportError):
        spec = None
    places = [] if spec is None else [*(spec.submodule_search_locations or ()), spec.origin]
    place = next((Path(found) for found in places if found), None)
    return Package(name, place, place is not None and place.resolve().parent == _HOME)
