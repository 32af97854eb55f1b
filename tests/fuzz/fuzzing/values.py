"""Trees of plain values, as JSON holds them: one place changed, lost, doubled, or as another place is."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 255, 1 << 16, 1 << 31, 1 << 53, 1 << 63, 1 << 70, -(1 << 40), 10**400),
    *(0.5, -0.0, 1e308, 5e-324, float("inf"), float("-inf"), float("nan")),
    *("", "x", "a b", "é\u202e\0", "\ud800", "../../x", "/dev/null", "__class__", "1", "nan", "x" * 5000),
    *([], {}, [[0]], {"a": 1}, [None], [0] * 300),
)


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to every value inside."""
    if before:
        yield before
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, it in inside:
        yield from places(it, (*before, key))


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        value = value[key]
    return value


def alter_value(value: Any, draw: Random) -> str:
    """Change a tree in its place, and say how."""
    known = list(places(value))
    if not known:
        return "nothing inside"
    # Long arrays would take all the draws: a depth first, then a place.
    depth = draw.choice(sorted({len(it) for it in known}))
    place = draw.choice([it for it in known if len(it) == depth])
    within, key = _at(value, place[:-1]), place[-1]
    how = draw.choice(
        ("set", "set", "nudge", "nudge", "nudge", "drop", "double", "add", "other", "deep", "swap", "rename")
    )
    if how == "drop":
        del within[key]
    elif how == "double" and isinstance(within, list):
        within.append(copy.deepcopy(within[key]))
    elif how == "nudge":
        numbers = [it for it in known if type(_at(value, it)) in (int, float)]
        place = draw.choice(numbers or [place])
        within, key = _at(value, place[:-1]), place[-1]
        if numbers:
            within[key] = draw.choice(
                (within[key] + 1, within[key] - 1, within[key] * 2, -within[key], 0, 1, 2)
            )
    elif how == "add" and type(within[key]) in (int, float):
        within[key] += draw.choice((-1, 1, 1000, 1 << 20))
    elif how == "other":
        alike = [it for it in known if it[-1] == key and it != place] or known
        within[key] = copy.deepcopy(_at(value, draw.choice(alike)))
    elif how == "deep":
        for _ in range(draw.choice((1, 5, 200))):
            within[key] = [within[key]] if draw.random() < 0.5 else {"a": within[key]}
    elif how == "swap":
        beside = draw.choice(list(within) if isinstance(within, dict) else range(len(within)))
        within[key], within[beside] = within[beside], within[key]
    elif how == "rename" and isinstance(within, dict):
        within[draw.choice((f"{key}x", "", "a.b", str(key).upper()))] = within.pop(key)
    else:
        how = "set"
        within[key] = copy.deepcopy(draw.choice(VALUES))
    return f"{'.'.join(map(str, place))[:80]} {how}"
