"""`burstchip explain`: what a message means, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, output
from burstchip.cli.options import Json, Quiet

if TYPE_CHECKING:
    from burstchip.explanations.codes import Code

EXAMPLES = ("broken", "fits")


def explain(
    codes: Annotated[
        list[str] | None, typer.Argument(metavar="CODE...", help="Such as BC112; default: --list.")
    ] = None,
    example: Annotated[
        str | None,
        typer.Option(metavar="WHICH", help="Print only the example network: broken, or one that fits."),
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Name every message, one a line.")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Explain a message by its id: what it means, what to do, an example that gives it and one that fits."""
    with output(json=json, quiet=quiet) as out:
        from burstchip.cli.checks import exclude
        from burstchip.explanations.codes import all_codes

        known = all_codes()
        exclude(bool(codes) and list_them, "--list cannot be combined with CODE", "--list, or CODE", "both")
        if not codes:
            exclude(example is not None, "--example needs CODE", "one CODE", "none")
            _list(known, out)
            return
        chosen = [_find(given, known) for given in codes]
        if example is None:
            _show(chosen, out)
            return
        exclude(len(chosen) > 1, "--example needs one CODE", "one CODE", f"{len(chosen)}")
        _example(chosen[0], example, out)


def _find(given: str, known: dict[str, Code]) -> Code:
    """The id that is meant, in capitals or not, with or without BC."""
    name = given.upper() if given.upper().startswith("BC") else f"BC{given}"
    if name in known:
        return known[name]
    from difflib import get_close_matches

    from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

    register_codes({"BC618": "an unknown message id"})
    near = get_close_matches(name, list(known), n=3)
    raise BurstchipError(
        Diagnostic(
            "BC618",
            f"unknown message id '{given}'",
            required="the id of a message of burstchip's own, such as BC112",
            given=given,
            hint=f"did you mean: {', '.join(near)}" if near else "`burstchip explain --list` names all",
        )
    )


def _list(known: dict[str, Code], out: Output) -> None:
    area = ""
    for code in known.values():
        if code.area != area:
            out.text(f"{chr(10) if area else ''}{code.area}")
            area = code.area
        out.text(f"  {code.id}  {code.title}")
    out.result({"ok": True, "codes": {code.id: code.title for code in known.values()}})


def _show(chosen: list[Code], out: Output) -> None:
    from burstchip.explanations.pages import page
    from burstchip.explanations.text import as_json, markdown

    shown = [(code, page(code.id)) for code in chosen]
    texts = [markdown(*it) for it in shown]
    if out.people is not None and out.people.isatty():
        from rich.markdown import Markdown

        out.show(*map(Markdown, texts))
    else:
        out.text("\n".join(texts).rstrip())
    out.result({"ok": True, "pages": [as_json(*it) for it in shown]})


def _example(code: Code, which: str, out: Output) -> None:
    from burstchip.cli.checks import exclude
    from burstchip.explanations.pages import network, page

    exclude(which not in EXAMPLES, f"unknown example '{which}'", " or ".join(EXAMPLES), which)
    found = page(code.id)
    excerpt = found.broken if which == "broken" else found.fits
    if excerpt is None or found.broken is None:
        exclude(True, f"{code.id} has no example", "an id that a network can give", code.id)
        return
    text = network(found, excerpt)
    out.text(text.rstrip("\n"))
    out.result({"ok": True, "code": code.id, which: text})
