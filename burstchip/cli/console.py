"""What a command says: results on stdout, messages on stderr; with `--json` one object as the last line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING, Any, TextIO

import typer

from burstchip.interruption import ending, exit_code
from compiler.strict_json import strict_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from hw_models.diagnostics import BurstchipError, Diagnostic

#: Characters below which a table's columns become too narrow to read.
_TABLE_WIDTH = 80

BAD_INPUT = 2

#: How many messages the last line of a command offers to explain.
_MOST_EXPLAINED = 3


@dataclass(frozen=True)
class Output:
    """Where a command writes. With `json` all that is meant for people goes to stderr; `quiet` drops it."""

    json: bool = False
    quiet: bool = False
    #: The ids of the messages so far, in their order.
    ids: dict[str, None] = field(default_factory=dict, compare=False)

    @property
    def people(self) -> TextIO:
        """The stream that people read."""
        return sys.stderr if self.json else sys.stdout

    def text(self, text: str) -> None:
        """A line, or several, for people."""
        if not self.quiet:
            print(text, file=self.people, flush=True)

    def console(self) -> Console:
        """What draws tables, as wide as the terminal or, in a file, as 120 characters."""
        import os

        from rich.console import Console

        width = None if self.people.isatty() or "COLUMNS" in os.environ else 120
        # Names such as hidden[0:10] are no markup.
        return Console(file=self.people, width=width, highlight=False, markup=False)

    def show(self, *renderables: RenderableType) -> None:
        """Tables and the like."""
        if self.quiet or self.people is None:
            return
        console = self.console()
        for renderable in renderables:
            console.print(renderable)

    def table(
        self,
        title: str,
        labels: Sequence[str],
        values: Sequence[str],
        note: str,
        rows: Sequence[Sequence[str]],
    ) -> None:
        """Rows of labels, values and a note.

        A label that is empty is that of the row above. Where lines are shorter than 80 characters, each row
        is a paragraph.
        """
        if self.quiet or self.people is None:
            return
        if (width := self.console().width) < _TABLE_WIDTH:
            self.text("\n".join(_paragraphs(title, labels, values, note, rows, width)))
            return
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
        for heading in labels:
            table.add_column(heading, overflow="fold")
        for heading in values:
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column(note, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self.show(table)

    def messages(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Errors and warnings, which even `quiet` does not silence."""
        # What was printed before stays before, where both streams are one.
        sys.stdout.flush()
        for diagnostic in diagnostics:
            print(diagnostic, file=sys.stderr, flush=True)
            self.ids[diagnostic.id] = None

    def more(self) -> None:
        """At the end, where people have read messages on a terminal: how to read more about the first."""
        on_terminal = sys.stderr is not None and sys.stderr.isatty()
        if self.ids and on_terminal and not (self.json or self.quiet):
            named = " ".join(list(self.ids)[:_MOST_EXPLAINED])
            print(f"more: burstchip explain {named}", file=sys.stderr, flush=True)

    def result(self, values: dict[str, Any]) -> None:
        """The JSON object, with --json."""
        if self.json:
            print(strict_json(values), flush=True)


def _paragraphs(
    title: str,
    labels: Sequence[str],
    values: Sequence[str],
    note: str,
    rows: Sequence[Sequence[str]],
    width: int,
) -> Iterator[str]:
    yield f"{title}\n"
    for row in rows:
        heads, cells = row[: len(labels)], row[len(labels) :]
        if len(heads) > 1 and heads[0]:
            yield heads[0]
        yield "  " + "  ".join(heads[1:] or heads)
        named = [f"{name} {cell}" for name, cell in zip((*values, note), cells, strict=True) if cell]
        yield from wrap(", ".join(named), width, initial_indent="    ", subsequent_indent="    ")


def as_json(diagnostics: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    """Messages as plain values."""
    return [asdict(diagnostic) for diagnostic in diagnostics]


def _out_of_memory() -> BurstchipError:
    """The last resort, where the cost was not foreseen."""
    from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

    register_codes({"BC683": "the memory did not suffice"})
    return BurstchipError(
        Diagnostic("BC683", "the memory does not suffice for this command", hint="a smaller network or run")
    )


@contextmanager
def output(
    *, json: bool = False, quiet: bool = False, interrupted: str | Callable[[], str] = ""
) -> Iterator[Output]:
    """An `Output` for the body of a command.

    An error of the input, and memory that does not suffice, end the command with messages and exit code 2,
    Ctrl-C or another signal with its code and the text `interrupted`. Anything else is a bug and keeps
    its traceback.
    """
    out = Output(json, quiet)
    try:
        yield out
    except KeyboardInterrupt as signalled:
        said = interrupted if isinstance(interrupted, str) else interrupted()
        print(f"{ending(signalled)}{said and '; '}{said}", file=sys.stderr, flush=True)
        raise typer.Exit(exit_code(signalled)) from None
    except typer.Exit:
        out.more()
        raise
    except Exception as failure:
        from hw_models.diagnostics import BurstchipError

        error = _out_of_memory() if isinstance(failure, MemoryError) else failure
        if not isinstance(error, BurstchipError):
            raise
        out.messages(error.diagnostics)
        out.result({"ok": False, "diagnostics": as_json(error.diagnostics)})
        out.more()
        raise typer.Exit(BAD_INPUT) from None
    else:
        out.more()
