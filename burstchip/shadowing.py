"""Foreign packages of our names: which of them Python would import in place of ours.

Imports nothing of ours, so that it can report why ours cannot be imported.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

#: Our top-level packages. `tests` is a folder of the repository and is never imported by the product.
PACKAGES = ("burstchip", "compiler", "hw_models", "benchmarks", "tests")

_HOME = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Package:
    """Where Python finds a top-level package of our name, and whether it is ours.

    `place` is None where there is none; `behind` are others of the name, further back on the search path.
    """

    name: str
    place: Path | None
    ours: bool
    behind: tuple[Path, ...]


def packages() -> tuple[Package, ...]:
    """Each of our names, looked up but not imported."""
    return tuple(_package(name) for name in PACKAGES)


def shadowed() -> tuple[Package, ...]:
    """The packages that we need and that a foreign one hides."""
    return tuple(p for p in packages() if p.name != "tests" and p.place is not None and not p.ours)


def _package(name: str) -> Package:
    places = _found(name)
    place = places[0] if places else None
    return Package(name, place, place is not None and _is_ours(place), tuple(places[1:]))


def _is_ours(place: Path) -> bool:
    return place.resolve().parent == _HOME


def _found(name: str) -> list[Path]:
    """Every package of this name, the one that would be imported first."""
    places: list[Path] = []
    try:
        spec = find_spec(name)
    except (ValueError, ImportError):
        spec = None
    if spec is not None:
        if spec.submodule_search_locations:
            places += [Path(location) for location in spec.submodule_search_locations]
        elif spec.origin:
            places.append(Path(spec.origin))
    for entry in sys.path:
        folder = Path(entry or ".")
        # A folder without __init__.py is imported only where no real package is found anywhere.
        if (folder / name / "__init__.py").is_file():
            places.append(folder / name)
        if (folder / f"{name}.py").is_file():
            places.append(folder / f"{name}.py")
    unique: dict[Path, Path] = {}
    for place in places:
        unique.setdefault(place.resolve(), place)
    return list(unique.values())
