"""Numbers and quantities as YAML has them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

#: Steps between the ends of a range that is drawn from.
_GRID = 1000


def quantity(value: float, unit: str = "") -> str:
    """A number with its unit, as one would write it."""
    return f"{value:.6g} {unit}".strip()


def between(low: float, high: float, extremes: tuple[float, ...] = ()) -> st.SearchStrategy[float]:
    """A number from a grid from `low` to `high`, or, one time in four, one of `extremes`.

    What Hypothesis takes for the simplest, and draws most often, is the middle: there neurons are active.
    """
    middle = _GRID // 2
    grid = st.integers(0, _GRID).map(lambda k: low + (high - low) * ((k + middle) % (_GRID + 1)) / _GRID)
    if not extremes:
        return grid
    return st.one_of(grid, grid, grid, st.sampled_from(extremes))


def each(value: st.SearchStrategy[Any], size: int, is_per_neuron: bool) -> st.SearchStrategy[Any | list[Any]]:
    """One value for all neurons, or a list with one for each."""
    return st.lists(value, min_size=size, max_size=size) if is_per_neuron else value


def written(values: float | list[float], unit: str = "") -> str | list[str]:
    """One quantity or a list of them."""
    if isinstance(values, list):
        return [quantity(value, unit) for value in values]
    return quantity(values, unit)
