"""A page as Markdown, and as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill
from typing import Any

from burstchip.explanations.codes import Code
from burstchip.explanations.pages import Page, network

#: Characters of a line of prose.
_WIDTH = 100


def markdown(code: Code, page: Page) -> str:
    """The page of a message id."""
    return "\n\n".join(_blocks(code, page)) + "\n"


def as_json(code: Code, page: Page) -> dict[str, Any]:
    """The page as plain values; examples are whole networks."""
    values: dict[str, Any] = {
        "code": code.id,
        "title": code.title,
        "area": code.area,
        "module": code.module,
        "means": page.means.strip(),
        "do": page.do.strip(),
        "broken": None if page.broken is None else network(page, page.broken),
        "at": page.at,
        "fits": None if page.fits is None else network(page, page.fits),
        "options": list(page.options),
        "files": page.files,
        "shown": list(page.shown),
        "python": page.python,
    }
    return values


def _blocks(code: Code, page: Page) -> Iterator[str]:
    yield f"# {code.id}: {code.title}"
    yield _filled(page.means)
    yield _filled(f"**What to do:** {page.do}")
    options = f" with `{' '.join(page.options)}`" if page.options else ""
    if page.broken is not None:
        where = f", at line {page.at.replace(':', ', column ')}" if page.at else ""
        yield f"This breaks it{where}{options}:"
        yield _fenced("yaml", page.broken)
    if page.fits is not None and page.broken is not None:
        yield "This fits:"
        yield _fenced("yaml", page.fits)
        yield f"`burstchip explain {code.id} --example broken` and `--example fits` print the whole networks."
    if page.shown:
        with_files = " in a folder with the files below" if page.files else ""
        yield f"To see it{with_files}:"
        yield _fenced("console", "\n".join(f"$ {command}" for command in page.shown))
    for name, text in page.files.items():
        yield f"`{name}`:"
        yield _fenced("text", text)
    if page.python is not None:
        yield "To see it in Python:"
        yield _fenced("python", page.python)
    yield f"*{code.area}; registered by `{code.module}`*"


def _filled(text: str) -> str:
    return fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"
