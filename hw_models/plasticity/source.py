"""Writes Python source text: lines at an indentation, and a mark of the code that they call."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path


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


@cache
def code_version() -> str:
    """A digest of the modules that generated functions call.

    Numba keys its cache by the text of the generated file alone; the digest in that text makes it compile
    again when one of these modules has changed.
    """
    here = Path(__file__).parent
    used = [here / "vectors.py", here / "vector_random.py", here.parent / "program" / "random_numba.py"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in used)).hexdigest()
    return f"calls code of sha256 {digest[:16]}"
