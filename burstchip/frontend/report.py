"""Collects the messages about one file, each with its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import burstchip.frontend.codes  # noqa: F401  (registers the ids)
from burstchip.frontend.tree import Node, Span, describe, with_origin
from hw_models.diagnostics import Diagnostic, Place

#: More than this many messages are not readable; the rest is counted.
MOST_MESSAGES = 200

#: A caret further to the right than this is useless in a terminal: the line is then omitted.
_FURTHEST_CARET = 400

#: As much of a long line is shown behind the marked text.
_SHOWN_BEHIND = 80


class Report:
    """The messages about the file `file`; `lines` is its text once that is known."""

    def __init__(self, file: str, lines: Sequence[str] = ()) -> None:
        self.file = file
        self.lines = lines
        # A dictionary: the same message twice (about an aliased value, say) is one message.
        self._messages: dict[Diagnostic, None] = {}

    def place(self, at: Node | Span) -> Place:
        """The place of a value, with its source line."""
        span = at if isinstance(at, Span) else at.span
        return Place(self.file, span.line, span.column, span.length, self._line(span))

    def _line(self, span: Span) -> str | None:
        if span.line > len(self.lines) or span.column > _FURTHEST_CARET:
            return None
        line = self.lines[span.line - 1]
        if not line.strip():
            return None
        end = span.column - 1 + span.length + _SHOWN_BEHIND
        shown = line if len(line) <= end else line[:end] + "..."
        return "".join(
            character if character.isprintable() or character == "\t" else "?" for character in shown
        )

    def add(
        self,
        id: str,
        at: Node | Span | None,
        message: str,
        *,
        required: str | None = None,
        given: str | None = None,
        hint: str | None = None,
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """Add a message about what stands at `at`.

        For a value, `given` is what stands there unless said otherwise, and its origin is added where it
        came through a parameter.
        """
        if at is not None and not isinstance(at, Span):
            given = with_origin(describe(at) if given is None else given, at)
        place = None if at is None else self.place(at)
        self._messages[Diagnostic(id, message, place, severity, required, given, hint)] = None

    def append(self, message: Diagnostic) -> None:
        """Add a message that another part of the program made about this file."""
        self._messages[message] = None

    @property
    def failed(self) -> bool:
        """Whether any message is an error."""
        return any(message.severity == "error" for message in self._messages)

    def messages(self) -> tuple[Diagnostic, ...]:
        """All messages in the order of their places; beyond `MOST_MESSAGES` only their number."""

        def position(message: Diagnostic) -> tuple[int, int]:
            return (message.place.line, message.place.column) if message.place else (0, 0)

        # Errors come before warnings where some must be left out.
        ranked = sorted(self._messages, key=lambda message: message.severity != "error")
        shown = sorted(ranked[:MOST_MESSAGES], key=position)
        if len(ranked) > len(shown):
            rest = len(ranked) - len(shown)
            shown.append(Diagnostic("BC099", f"{self.file}: {rest} more messages are not shown"))
        return tuple(shown)
