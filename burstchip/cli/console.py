"""What a command says: results on stdout, messages on stderr; with `--json` one object as the last line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TextIO

import typer

from burstchip.files.interruption import ending, exit_code
from compiler.strict_json import strict_json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hw_models.diagnostics import Diagnostic

BAD_INPUT = 2


@dataclass(frozen=True)
class Output:
    """Where a command writes. With `json` all that is meant for people goes to stderr; `quiet` drops it."""

    json: bool = False
    quiet: bool = False

    @property
    def people(self) -> TextIO:
        """The stream that people read."""
        return sys.stderr if self.json else sys.stdout

    def text(self, text: str) -> None:
        """A line, or several, for people."""
        if not self.quiet:
            print(text, file=self.people, flush=True)

    def show(self, *renderables: RenderableType) -> None:
        """Tables and the like, as wide as the terminal or, in a file, as 120 characters."""
        if self.quiet or self.people is None:
            return
        import os

        from rich.console import Console

        width = None if self.people.isatty() or "COLUMNS" in os.environ else 120
        console = Console(file=self.people, width=width, highlight=False)
        for renderable in renderables:
            console.print(renderable)

    def messages(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Errors and warnings, which even `quiet` does not silence."""
        for diagnostic in diagnostics:
            print(diagnostic, file=sys.stderr, flush=True)

    def result(self, values: dict[str, Any]) -> None:
        """The JSON object, with --json."""
        if self.json:
            print(strict_json(values), flush=True)


def as_json(diagnostics: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    """Messages as plain values."""
    return [asdict(diagnostic) for diagnostic in diagnostics]


@contextmanager
def output(
    *, json: bool = False, quiet: bool = False, interrupted: str | Callable[[], str] = ""
) -> Iterator[Output]:
    """An `Output` for the body of a command.

    An error of the input ends the command with its messages and exit code 2, Ctrl-C or another signal with
    its code and the text `interrupted`. Anything else is a bug and keeps its traceback.
    """
    out = Output(json, quiet)
    try:
        yield out
    except KeyboardInterrupt as error:
        said = interrupted if isinstance(interrupted, str) else interrupted()
        print(f"{ending(error)}{said and '; '}{said}", file=sys.stderr, flush=True)
        raise typer.Exit(exit_code(error)) from None
    except Exception as error:
        from hw_models.diagnostics import BurstchipError

        if not isinstance(error, BurstchipError):
            raise
        out.messages(error.diagnostics)
        out.result({"ok": False, "diagnostics": as_json(error.diagnostics)})
        raise typer.Exit(BAD_INPUT) from None
