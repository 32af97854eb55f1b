"""Random points and searches: draws that lie where they should, in every run, and scores asked for once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from burstchip.sweeps.axis import Axis
from burstchip.sweeps.drawing import drawn, range_of
from burstchip.sweeps.search import minimise
from hw_models.diagnostics import BurstchipError, Diagnostic


def test_draws_are_even_over_lists_and_ranges() -> None:
    grid = [
        Axis("list", ["a", "b", "c"]),
        Axis("whole", ["3..7"]),
        Axis("real", ["0.5..2.5 ms"]),
        Axis("log", ["log:0.01..1"]),
        Axis("octaves", ["log:1..1024"]),
    ]
    points = drawn(grid, 4000)
    assert len(points) == 4000
    # Each of n values 4000/n times, within four standard deviations.
    for name, values in (("list", "abc"), ("whole", "34567")):
        counts = [sum(it[name] == value for it in points) for value in values]
        share = 1 / len(values)
        assert sum(counts) == 4000
        assert np.abs(np.array(counts) - 4000 * share).max() < 4 * np.sqrt(4000 * share * (1 - share))
    real = np.array([float(it["real"].removesuffix(" ms")) for it in points])
    assert 0.5 <= real.min() < 0.51 and 2.49 < real.max() <= 2.5 and abs(real.mean() - 1.5) < 0.04
    decades = np.log10([float(it["log"]) for it in points])
    assert decades.min() >= -2 and decades.max() <= 0 and abs(decades.mean() + 1) < 0.04
    octaves = np.array([int(it["octaves"]) for it in points])
    assert octaves.min() == 1 and octaves.max() <= 1024 and abs(np.median(np.log2(octaves)) - 5) < 0.4


def test_a_longer_search_begins_with_a_shorter_one() -> None:
    grid = [Axis("a", ["1..1000"]), Axis("b", ["x", "y"])]
    assert drawn(grid, 30)[:10] == drawn(grid, 10)
    assert drawn(grid, 3) == [{"a": "626", "b": "x"}, {"a": "505", "b": "x"}, {"a": "284", "b": "y"}]


def test_a_point_is_drawn_once() -> None:
    grid = [Axis("a", ["1..3"]), Axis("b", ["x", "y"])]
    assert len(drawn(grid, 6)) == len({(it["a"], it["b"]) for it in drawn(grid, 6)}) == 6
    assert len(drawn(grid, 7)) == 6


@pytest.mark.parametrize("text", ["10", "a..b", "1.2.3", "../x.npz", "10 ms", "1-2"])
def test_other_values_are_no_ranges(text: str) -> None:
    assert range_of(text) is None


def test_the_best_go_on_to_the_next_budget(tmp_path: Path) -> None:
    asked = []

    def score(parameters: dict[str, str], budget: int) -> float:
        x = int(parameters["x"])
        asked.append((x, budget))
        if x > 90:
            raise BurstchipError(Diagnostic("BC892", "too large"))
        return float("nan") if x < 5 else (x - 40) ** 2 + 1 / budget

    file = tmp_path / "search.json"
    found = minimise(score, ["x=1..100"], 16, budgets=(1, 4, 16), keep=0.25, file=file)
    rounds = [[it for it in found.trials if it.budget == budget] for budget in (1, 4, 16)]
    assert [len(it) for it in rounds] == [16, 4, 1]
    nearest = sorted((abs(x - 40), x) for x, budget in asked if budget == 1)
    assert {int(it.parameters["x"]) for it in rounds[1]} == {x for _, x in nearest[:4]}
    assert found.best == rounds[2][0] and int(found.best.parameters["x"]) == nearest[0][1]
    for it in rounds[0]:
        x = int(it.parameters["x"])
        assert (it.score is None) == (x > 90 or x < 5) and ("too large" in it.failed) == (x > 90)
    # Killed after five scores, it asks for the others alone.
    kept = json.loads(file.read_bytes())
    kept["trials"] = kept["trials"][:5]
    file.write_text(json.dumps(kept))
    before = asked.copy()
    asked.clear()
    assert minimise(score, ["x=1..100"], 16, budgets=(1, 4, 16), keep=0.25, file=file) == found
    assert asked == before[5:]


def test_searches_that_cannot_be(tmp_path: Path) -> None:
    def score(parameters: dict[str, str], budget: int) -> float:
        return 0.0

    file = tmp_path / "search.json"
    minimise(score, ["x=1,2"], 2, file=file)
    for options, said in (
        ({"candidates": 0}, "at least 1"),
        ({"budgets": ()}, "budgets"),
        ({"budgets": (2, 2)}, "budgets"),
        ({"keep": 0.0}, "share"),
        ({"candidates": 1, "file": file}, "another search"),
        ({"grid": ["x=2..1"]}, "the first number must be below"),
        ({"grid": ["x=log:0..1"]}, "above 0"),
        ({"grid": ["x=1..2,5"]}, "beside other values"),
    ):
        with pytest.raises(BurstchipError, match=said):
            minimise(score, **{"grid": ["x=1,2"], "candidates": 2, **options})
    file.write_text("{")
    with pytest.raises(BurstchipError, match="BC899"):
        minimise(score, ["x=1,2"], 2, file=file)
