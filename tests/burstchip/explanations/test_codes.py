"""The ids that are found in the sources' text are those that the modules register."""

from __future__ import annotations

from importlib import import_module

from burstchip.explanations.codes import AREAS, all_codes
from hw_models.diagnostics import CODES

FOUND = all_codes()


def test_found_are_those_that_are_registered() -> None:
    for module in {code.module for code in FOUND.values()}:
        import_module(module)
    registered = {id_: title for id_, title in CODES.items() if id_ in FOUND}
    # Some are registered when their message is made, lest a short command import what knows messages.
    late = {id_ for id_ in FOUND if id_ not in registered}
    assert {FOUND[id_].module for id_ in late} <= {
        "burstchip.arguments",
        "burstchip.cli.console",
        "burstchip.cli.explain",
    }
    assert all(FOUND[id_].title == title for id_, title in registered.items())
    ours = {id_ for id_ in CODES if id_.startswith("BC") and len(id_) == 5}
    assert ours <= set(FOUND)


def test_every_id_has_an_area() -> None:
    assert {code.id[2] for code in FOUND.values()} == set(AREAS)
    assert list(FOUND) == sorted(FOUND)


def test_titles_are_short() -> None:
    assert all(code.title and "\n" not in code.title and len(code.title) < 100 for code in FOUND.values())
