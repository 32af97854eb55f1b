"""The chip that a user names: one of burstchip's own, or a file, every mistake in which has its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from burstchip.frontend.compose import compose
from burstchip.frontend.report import Report
from burstchip.frontend.text import Wanted, read_text
from burstchip.frontend.tree import Node, describe
from burstchip.frontend.typed_file import node_at, plain
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
        found, problems = read_chip(path.stem, plain(root), own=True)
        for problem in problems:
            _tell(problem, root, report)
    if found is None or report.failed:
        raise BurstchipError([replace(it, severity="error") for it in report.messages()])
    return found


def _tell(problem: Problem, root: Node, report: Report) -> None:
    node, key = node_at(root, problem.path)
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
