"""The chip that a user names: one of burstchip's own, or a file, every mistake in which has its place."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from burstchip.frontend.compose import compose
from burstchip.frontend.report import Report
from burstchip.frontend.text import Wanted, read_text
from burstchip.frontend.tree import Broken, Listing, Mapping, Node, Scalar, describe
from hw_models.chips.chip import CHIPS, Chip
from hw_models.chips.reading import Problem, chip, read_chip
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes(
    {
        "BC820": "a chip file with values that no chip can have",
        "BC821": "an unknown chip",
    }
)

_WANTED = Wanted(
    "a chip file",
    "`burstchip chip loihi2 --yaml > my.yaml` writes one to begin with",
    1 << 18,
    "`like: loihi2` takes what the file does not say from there",
)
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}\Z")
_REAL = re.compile(r"[-+]?(?:[0-9]{1,18}\.?[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,3})?\Z")


def chip_of(name: str) -> Chip:
    """The chip that a user means: `loihi1`, `loihi2`, or the name of a file.

    Raises `BurstchipError` BC821 for what is neither, and else with everything that is wrong with the file.
    """
    if name in CHIPS:
        return chip(name)
    if not Path(name).exists():
        raise BurstchipError(
            Diagnostic(
                "BC821",
                f"chip '{name}' is unknown",
                required=f"{', '.join(CHIPS)}, or a chip file",
                given=name,
                hint=nearest(name, CHIPS) or _WANTED.begin,
            )
        )
    return read_chip_file(Path(name))


def read_chip_file(path: Path) -> Chip:
    """The chip of a file, named as the file is. Raises `BurstchipError` with all that is wrong with it."""
    report = Report(str(path))
    text = read_text(path, report, _WANTED)
    root = None if text is None else compose(text, report, "chip")
    found = None
    if root is not None and not report.failed:
        found, problems = read_chip(path.stem, _plain(root), own=True)
        for problem in problems:
            _tell(problem, root, report)
    if found is None or report.failed:
        raise BurstchipError([replace(it, severity="error") for it in report.messages()])
    return found


def _tell(problem: Problem, root: Node, report: Report) -> None:
    node, key = _at(root, problem.path)
    # About a key that is unknown the key itself is shown; about a value, the value.
    at = key if problem.given and key is not None else node
    report.add(
        "BC820",
        at,
        problem.message,
        required=problem.required,
        given=problem.given or describe(node),
        hint=problem.hint,
    )


def _at(root: Node, path: tuple[str | int, ...]) -> tuple[Node, Scalar | None]:
    """(what stands at a path or nearest above it, its key)."""
    node, key = root, None
    for step in path:
        if isinstance(node, Mapping):
            entry = next((it for it in node.entries if it.key.text == step), None)
            if entry is None:
                break
            node, key = entry.value, entry.key
        elif isinstance(node, Listing) and isinstance(step, int) and step < len(node.items):
            node, key = node.items[step], None
        else:
            break
    return node, key


def _plain(node: Node) -> object:
    """The values of a tree as plain Python; a text that looks like a number and has no quotes is one."""
    if isinstance(node, Mapping):
        return {entry.key.text: _plain(entry.value) for entry in node.entries}
    if isinstance(node, Listing):
        return [_plain(item) for item in node.items]
    if isinstance(node, Broken) or node.is_null:
        return None
    if node.plain and _WHOLE.match(node.text):
        return int(node.text)
    if node.plain and _REAL.match(node.text):
        return float(node.text)
    return node.text
