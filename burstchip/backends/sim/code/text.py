"""Writes Python source text: lines at an indentation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Text:
    """Lines of Python, written one after the other."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 0

    def line(self, text: str) -> None:
        """One line at the current indentation."""
        self._lines.append("    " * self._depth + text if text else "")

    def block(self, text: str) -> None:
        """Several lines, indented as they are and by the current indentation."""
        for line in text.splitlines():
            self.line(line)

    @contextmanager
    def indented(self, head: str | None = None) -> Iterator[None]:
        """What is written inside stands one level deeper, below `head` where there is one."""
        if head is not None:
            self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"
