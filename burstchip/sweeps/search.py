"""A search for the parameters with the least score, whatever gives the score: random, or successive halving.

Points are drawn from a grid, scored with the first budget, and the best go on to the next. What is scored is
kept, so that a search that was killed goes on without asking twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf, isfinite
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from burstchip.files.json_file import write_json
from burstchip.sweeps.drawing import drawn
from burstchip.sweeps.grid import axes
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC899": "a search that cannot be, or a file of another one"})

#: Gives a number for parameters and a budget, such as epochs or steps; less is better.
Score = Callable[[Mapping[str, str], int], float]


class Trial(Struct, frozen=True, forbid_unknown_fields=True):
    """What was asked for and what came of it: a `score`, or None and the reason `failed`."""

    parameters: dict[str, str]
    budget: int
    score: float | None
    failed: str = ""


class _Kept(Struct, frozen=True, forbid_unknown_fields=True):
    """The file of a search."""

    grid: list[str]
    candidates: Annotated[int, Meta(ge=1)]
    budgets: list[int]
    keep: float
    trials: list[Trial]


@dataclass(frozen=True)
class Search:
    """The trials in their order, those of one budget after those of the one before."""

    trials: tuple[Trial, ...]

    @property
    def best(self) -> Trial | None:
        """The least score of the last budget; of several the first. None where all failed."""
        last = [it for it in self.trials if it.budget == self.trials[-1].budget and it.score is not None]
        return min(last, key=_order, default=None)


def minimise(
    score: Score,
    grid: Sequence[str],
    candidates: int,
    *,
    budgets: Sequence[int] = (1,),
    keep: float = 0.5,
    file: Path | None = None,
) -> Search:
    """Score points of a grid, texts as of `--grid`, and let the best share `keep` go on to the next budget.

    With `file` each score is kept there, and not asked for again. A score that is not finite, or raises
    `BurstchipError`, counts as the worst; anything else that is raised ends the search. Raises
    `BurstchipError`: BC890 for the grid, BC899 for numbers that cannot be and for the file of another search.
    """
    points = drawn(axes(grid, {}, draws=True), candidates)
    _require(candidates, budgets, keep)
    begun = _Kept(list(grid), candidates, list(budgets), keep, [])
    known = {} if file is None else _read(file, begun)
    trials: list[Trial] = []
    for budget in budgets:
        for parameters in points:
            trial = known.get(_key(parameters, budget))
            if trial is None:
                trial = _tried(score, parameters, budget)
                if file is not None:
                    known[_key(parameters, budget)] = trial
                    kept = msgspec.structs.replace(begun, trials=list(known.values()))
                    write_json(file, msgspec.to_builtins(kept))
            trials.append(trial)
        ranked = sorted(trials[-len(points) :], key=_order)
        points = [it.parameters for it in ranked[: max(1, ceil(keep * len(points)))]]
    return Search(tuple(trials))


def _tried(score: Score, parameters: Mapping[str, str], budget: int) -> Trial:
    try:
        found = float(score(parameters, budget))
    except BurstchipError as error:
        return Trial(dict(parameters), budget, None, str(error.diagnostics[0]))
    if not isfinite(found):
        return Trial(dict(parameters), budget, None, f"a score of {found}")
    return Trial(dict(parameters), budget, found)


def _order(trial: Trial) -> float:
    return inf if trial.score is None else trial.score


def _key(parameters: Mapping[str, str], budget: int) -> tuple[object, ...]:
    return (budget, *sorted(parameters.items()))


def _unfit(message: str, required: str, given: str) -> BurstchipError:
    return BurstchipError(Diagnostic("BC899", message, required=required, given=given))


def _require(candidates: int, budgets: Sequence[int], keep: float) -> None:
    if candidates < 1:
        raise _unfit("a search needs candidates", "at least 1", str(candidates))
    rising = all(one < other for one, other in pairwise(budgets))
    if not budgets or budgets[0] < 1 or not rising:
        raise _unfit("the budgets of a search do not rise", "whole numbers from 1 on", str(list(budgets)))
    if not 0 < keep <= 1:
        raise _unfit("the share that goes on cannot be", "above 0, up to 1", str(keep))


def _read(file: Path, begun: _Kept) -> dict[tuple[object, ...], Trial]:
    """The trials in a file, empty where the file is missing."""
    try:
        found = msgspec.json.decode(file.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as reason:
        raise _unfit(f"'{file}' is not the file of a search", "what a search wrote", str(reason)) from None
    other = msgspec.structs.replace(found, trials=[])
    if other != begun:
        required, given = (" ".join(map(str, msgspec.structs.astuple(it)[:-1])) for it in (other, begun))
        raise _unfit(f"'{file}' is of another search", required, given)
    return {_key(it.parameters, it.budget): it for it in found.trials}
