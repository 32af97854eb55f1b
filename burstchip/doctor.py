"""What is installed here, what can run and why the rest cannot: everything a bug report should say."""

from __future__ import annotations

import os
import platform
import re
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from burstchip import shadowing
from burstchip.backends.available import Backend, all_backends
from burstchip.cache_folder import cache_folder
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC630": "a foreign package hides one of burstchip's",
        "BC631": "a package that burstchip needs is missing",
        "BC632": "a version of Python that is not supported",
        "BC633": "the cache folder cannot be used",
    }
)

OLDEST, NEWEST = (3, 10), (3, 13)


@dataclass(frozen=True)
class Dependency:
    """A package that burstchip names: version, None where it is missing, and the extra that it belongs to."""

    name: str
    version: str | None
    extra: str | None


@dataclass(frozen=True)
class Cache:
    """The cache folder: what it holds, and whether it can be written to (made, where it is not there)."""

    folder: Path
    files: int
    bytes: int
    writable: bool


@dataclass(frozen=True)
class DataSet:
    """A data set, whether it can be used, and what it is or why it cannot."""

    name: str
    usable: bool
    state: str


@dataclass(frozen=True)
class Examination:
    """What `burstchip doctor` found; `problems` are what to fix."""

    burstchip: str | None
    folder: Path
    python: str
    interpreter: str
    platform: str
    dependencies: tuple[Dependency, ...]
    backends: tuple[Backend, ...]
    cache: Cache
    data_sets: tuple[DataSet, ...]
    packages: tuple[shadowing.Package, ...]
    problems: tuple[Diagnostic, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values, paths as text."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, Path) else value


def examine() -> Examination:
    """Look at everything. Reads the data, so it may take a second; changes and fetches nothing."""
    dependencies = _dependencies()
    cache = _cache(cache_folder())
    packages = shadowing.packages()
    return Examination(
        burstchip=_version("burstchip"),
        folder=Path(__file__).resolve().parent,
        python=platform.python_version(),
        interpreter=sys.executable,
        platform=platform.platform(),
        dependencies=dependencies,
        backends=all_backends(),
        cache=cache,
        data_sets=_data_sets(),
        packages=packages,
        problems=(*_python(), *_missing(dependencies), *_foreign(packages), *_unusable(cache)),
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _dependencies() -> tuple[Dependency, ...]:
    """What the installed metadata requires, extras included; empty where burstchip is not installed."""
    try:
        required = metadata.requires("burstchip") or []
    except metadata.PackageNotFoundError:
        return ()
    found = []
    for line in required:
        name = re.match(r"[A-Za-z0-9._-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", line)
        if name is not None:
            found.append(Dependency(name[0], _version(name[0]), extra[1] if extra else None))
    return tuple(sorted(found, key=lambda entry: (entry.extra or "", entry.name)))


def _cache(folder: Path) -> Cache:
    files = size = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                size += (Path(root) / name).lstat().st_size
                files += 1
            except OSError:
                continue  # Another process tidied up meanwhile.
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    return Cache(folder, files, size, existing.is_dir() and os.access(existing, os.W_OK))


def _data_sets() -> tuple[DataSet, ...]:
    carrier = _version("scikit-learn")
    digits = DataSet("digits", carrier is not None, f"with scikit-learn {carrier or '(not installed)'}")
    return digits, _mnist()


def _mnist() -> DataSet:
    try:
        from burstchip.tasks.datasets import load_dataset
        from burstchip.tasks.mnist import mnist_folder

        data = load_dataset("mnist")
        state = (
            f"{len(data.train_images):,} training and {len(data.test_images):,} test images "
            f"in '{mnist_folder()}'"
        )
    except BurstchipError as error:
        problem = error.diagnostics[0]
        return DataSet("mnist", False, "; ".join(filter(None, (problem.message, problem.hint))))
    except ImportError as reason:
        return DataSet("mnist", False, str(reason))
    return DataSet("mnist", True, state + "".join(f"; {note.message}" for note in data.diagnostics))


def _python() -> list[Diagnostic]:
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return []
    return [
        Diagnostic(
            "BC632",
            "this version of Python is not supported",
            severity="warning",
            required=f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}",
            given=platform.python_version(),
        )
    ]


def _missing(dependencies: tuple[Dependency, ...]) -> list[Diagnostic]:
    if not dependencies:
        return [
            Diagnostic(
                "BC631",
                "burstchip is not installed as a package, so its dependencies cannot be checked",
                severity="warning",
                required="pip install",
                given=f"source in {Path(__file__).resolve().parent}",
            )
        ]
    return [
        Diagnostic(
            "BC631",
            f"the package {entry.name} is missing",
            required=entry.name,
            given="not installed",
            hint=f"pip install {entry.name}",
        )
        for entry in dependencies
        if entry.version is None and entry.extra is None
    ]


def _foreign(packages: tuple[shadowing.Package, ...]) -> list[Diagnostic]:
    return [
        Diagnostic(
            "BC630",
            f"`import {package.name}` finds a foreign package",
            required="burstchip's own",
            given=str(package.place) + _installed_by(package.name),
            hint="uninstall it, or use an environment of its own for burstchip",
        )
        for package in packages
        if package.place is not None and not package.ours
    ]


def _installed_by(name: str) -> str:
    """` (from DISTRIBUTION)` where an installed distribution brings the top-level package."""
    owners = sorted(set(metadata.packages_distributions().get(name, ())) - {"burstchip"})
    return f" (from {', '.join(owners)})" if owners else ""


def _unusable(cache: Cache) -> list[Diagnostic]:
    if cache.writable:
        return []
    return [
        Diagnostic(
            "BC633",
            f"the cache folder '{cache.folder}' cannot be written to",
            required="a folder for compiled loops and fetched data",
            given="no permission, or a file of that name",
            hint="name another one by the environment variable BURSTCHIP_CACHE",
        )
    ]
