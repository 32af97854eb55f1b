"""The pages: what an id means, what to do, and examples. Titles are where ids are registered."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from burstchip.explanations.networks import completed


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a message id. Of networks, `broken` gives just this message and `fits` none.

    `frame` names the network that completes both, `by` is the command that finds the message, with
    `options`; `at` is the line and column that it names. `shown` are commands of which the last gives the
    message, in a folder with the completed `fits` as net.yaml and with `files`; `python` is a program that
    raises it.
    """

    means: str
    do: str
    broken: str | None = None
    at: str | None = None
    fits: str | None = None
    frame: str = "pair"
    by: Literal["check", "deploy"] = "check"
    encoding: str = "utf-8"
    options: tuple[str, ...] = ()
    files: dict[str, str] = {}
    shown: tuple[str, ...] = ()
    python: str | None = None


def page(code: str) -> Page:
    """The page of a message id that is registered."""
    return msgspec.convert(_group(code[2])[code], Page)


def pages(digit: str) -> dict[str, Page]:
    """The pages of all ids with this first digit."""
    return msgspec.convert(_group(digit), dict[str, Page])


def network(page: Page, excerpt: str) -> str:
    """The whole network of an excerpt of a page."""
    return completed(excerpt, "" if page.frame == "none" else _read("frames.yaml")[page.frame])


def _group(digit: str) -> dict[str, Any]:
    return _read(f"bc{digit}xx.yaml")


@cache
def _read(name: str) -> dict[str, Any]:
    import yaml

    text = (
        files("burstchip")
        .joinpath("explanations")
        .joinpath("pages")
        .joinpath(name)
        .read_text(encoding="utf-8")
    )
    found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert isinstance(found, dict)
    return found
