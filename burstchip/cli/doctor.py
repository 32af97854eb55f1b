"""`burstchip doctor`: what is installed, what can run, and why the rest cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from burstchip.cli.console import BAD_INPUT, Output, output
from burstchip.cli.options import Json
from burstchip.cli.progress import progress

if TYPE_CHECKING:
    from burstchip.doctor import Examination


def doctor(json: Json = False) -> None:
    """Say what is installed here, which backends can run and why others cannot, and what to fix."""
    with output(json=json) as out:
        from burstchip.doctor import examine

        with progress("looking"):
            found = examine()
        _tell(found, out)
        out.messages(found.problems)
        errors = sum(problem.severity == "error" for problem in found.problems)
        out.text("\n" + ("no problems found" if not errors else "see the errors above"))
        out.result({"ok": not errors, **found.as_json()})
        if errors:
            raise typer.Exit(BAD_INPUT)


def _tell(found: Examination, out: Output) -> None:
    cache = found.cache
    sections: dict[str, dict[str, str]] = {
        "": {
            "burstchip": f"{found.burstchip or 'not installed'} in {found.folder}",
            "Python": f"{found.python}, {found.interpreter}",
            "system": found.platform,
        },
        "packages": {
            entry.name: (entry.version or "not installed") + (f", extra {entry.extra}" if entry.extra else "")
            for entry in found.dependencies
        },
        "backends": {
            backend.name: f"can run: {backend.doc}"
            if not backend.missing
            else f"cannot run; missing: {'; '.join(backend.missing)}"
            for backend in found.backends
        },
        "data sets": {
            entry.name: ("" if entry.usable else "not usable: ") + entry.state for entry in found.data_sets
        },
        "cache": {str(cache.folder): f"{cache.files} files, {cache.bytes / 2**20:.1f} MiB"},
        "top-level packages": {
            package.name: "none" if package.place is None else f"{_whose(package.ours)}: {package.place}"
            for package in found.packages
        },
    }
    width = max(len(name) for title, entries in sections.items() for name in entries if title != "cache")
    for title, entries in sections.items():
        if title:
            out.text(f"\n{title}")
        for name, text in entries.items():
            out.text(f"  {name:<{width}}  {text}")


def _whose(ours: bool) -> str:
    return "ours" if ours else "foreign"
