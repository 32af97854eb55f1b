"""What `--grid NAME=VALUE,...` says, checked with the network's file before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from burstchip.frontend import LoadResult, load
from burstchip.frontend.loading import number_or_text
from burstchip.sweeps.axis import Axis
from burstchip.sweeps.drawing import range_of
from compiler.ir.network import Network
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes(
    {
        "BC890": "a --grid that is not NAME=VALUE,VALUE,...",
        "BC891": "a grid over a parameter that the file does not have",
        "BC892": "a value of a grid that the file cannot take",
    }
)

#: With how many values of the other parameters one is tried before it is refused.
_TRIED = 8


def axes(texts: Sequence[str], overrides: Mapping[str, str], *, draws: bool = False) -> list[Axis]:
    """The axes that `NAME=VALUE,VALUE,...` name, or, where points are drawn, `NAME=LOW..HIGH`.

    Raises `BurstchipError` BC890 with all mistakes.
    """
    found: list[Axis] = []
    problems: list[Diagnostic] = []
    for text in texts:
        name, equals, rest = text.partition("=")
        axis = Axis(name.strip(), [value.strip() for value in rest.split(",")])
        wrong = list(_problems(axis, equals != "", [it.name for it in found], overrides))
        wrong = wrong or list(_range_problems(axis, draws=draws))
        problems += [
            Diagnostic("BC890", f"--grid {text}: {what}", required=required, given=given)
            for what, required, given in wrong
        ]
        found.append(axis)
    if problems:
        raise BurstchipError(problems)
    return found


def _problems(
    axis: Axis, has_values: bool, before: Sequence[str], overrides: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """(what is wrong, what was required, what was given)."""
    if not (axis.name and has_values):
        yield "it is not of the form NAME=VALUE,...", "--grid NAME=VALUE,VALUE,...", axis.name or "nothing"
        return
    if "" in axis.values:
        yield "a value is empty", "values with a comma between them", ",".join(axis.values) or "none"
        return
    numbers = [number_or_text(value) for value in axis.values]
    twice = [value for k, value in enumerate(axis.values) if numbers[k] in numbers[:k]]
    if twice:
        yield "a value is given twice", "each value once", ", ".join(twice)
    if axis.name in before:
        yield f"parameter '{axis.name}' has two grids", "one --grid for each parameter", "two"
    if axis.name in overrides:
        yield (
            f"parameter '{axis.name}' is also set",
            f"--grid {axis.name}=... or --set {axis.name}=...",
            "both",
        )


def _range_problems(axis: Axis, *, draws: bool) -> Iterator[tuple[str, str, str]]:
    for value in axis.values:
        try:
            across = range_of(value)
        except ValueError as reason:
            yield "the range cannot be", str(reason), value
            continue
        if across is not None and not draws:
            yield "a range has no end of values", "values, or --draw N, which draws N points", value
        elif across is not None and len(axis.values) > 1:
            yield "a range stands beside other values", "one range alone, or values", ",".join(axis.values)


def _tried(axis: Axis) -> list[str]:
    """The values that a parameter takes; of a range the ends."""
    across = range_of(axis.values[0]) if len(axis.values) == 1 else None
    return axis.values if across is None else [across.text(across.low), across.text(across.high)]


def checked_network(path: Path, grid: Sequence[Axis], overrides: Mapping[str, str]) -> Network:
    """The network of the file as it is, each value of the grid tried with a few of the others.

    Values that do not go together are found at their point. Raises `BurstchipError`: BC891 for a
    parameter that is missing, BC892 for a value, and what is wrong in the file.
    """
    network = _whole(load(path, overrides))
    names = [str(name) for name in network.parameters]
    has = f"its parameters are: {', '.join(names)}" if names else "the file has no parameters"
    problems = [
        Diagnostic(
            "BC891",
            f"{path} has no parameter '{axis.name}'",
            required="a name under 'parameters'",
            given=f"--grid {axis.name}=...",
            hint=" ".join(filter(None, (_meant(axis.name, names), has))),
        )
        for axis in grid
        if axis.name not in names
    ]
    if problems:
        raise BurstchipError(problems)
    tried = [Axis(axis.name, _tried(axis)) for axis in grid]
    for axis in tried:
        for value in axis.values:
            errors = _errors(path, axis.name, value, tried, overrides)
            if errors:
                problems += [
                    Diagnostic(
                        "BC892",
                        f"parameter '{axis.name}' cannot be '{value}'",
                        required="a value that the file takes",
                        given=f"'{value}' in --grid {axis.name}=...",
                        hint=has,
                    ),
                    *errors,
                ]
    if problems:
        raise BurstchipError(problems)
    return network


def _errors(
    path: Path, name: str, value: str, grid: Sequence[Axis], overrides: Mapping[str, str]
) -> Sequence[Diagnostic]:
    """What is wrong with a value; empty where the file can be read with it somewhere in the grid."""
    others = [axis for axis in grid if axis.name != name]
    found: list[Diagnostic] = []
    for k in range(min(_TRIED, max((len(axis.values) for axis in others), default=1))):
        beside = {axis.name: axis.values[k % len(axis.values)] for axis in others}
        messages = load(path, {**overrides, **beside, name: value}).diagnostics
        errors = [it for it in messages if it.severity == "error"]
        if not errors:
            return []
        found = found or errors
    return found


def _meant(name: str, names: Sequence[str]) -> str | None:
    found = nearest(name, tuple(names))
    return f"{found};" if found else None


def _whole(found: LoadResult) -> Network:
    if found.network is None:
        raise BurstchipError(found.diagnostics)
    return found.network
