"""Entries of several seeds -> one row for each workload and target, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from benchmarks.runner.figures import mean_over
from benchmarks.runner.result import Entry, Number

#: What is shown first of each kind, where it was measured.
MAIN = (
    "test_error",
    "samples_per_second",
    "steps_per_second",
    "latency_p50",
    "latency_p99",
    "samples_to_learn",
    "samples_to_recover",
    "chip_energy_a_sample",
    "chip_energy_a_step",
)


@dataclass(frozen=True)
class Row:
    """All seeds of a workload on a target."""

    workload: str
    kind: str
    target: str
    entries: tuple[Entry, ...]
    numbers: dict[str, Number]

    @property
    def done(self) -> tuple[Entry, ...]:
        """Those that were measured."""
        return tuple(it for it in self.entries if it.status == "done")

    @property
    def state(self) -> str:
        """What became of them, in a word or with the reason."""
        if len(self.done) == len(self.entries):
            return "done"
        other = next(it for it in self.entries if it.status != "done")
        return f"{other.status}: {other.reason.splitlines()[0] if other.reason else ''}"

    @property
    def exactness(self) -> str:
        """The least exact of all seeds."""
        texts = [it.exactness for it in self.done]
        bad = [it for it in texts if it.startswith(("parts", "another", "tells"))]
        return (bad or texts or [""])[0]


def rows(entries: Sequence[Entry]) -> list[Row]:
    """One row for each workload and target, in the order in which they were measured."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        found.setdefault((entry.workload, entry.target), []).append(entry)
    return [
        Row(workload, its[0].kind, target, tuple(its), _numbers([it for it in its if it.status == "done"]))
        for (workload, target), its in found.items()
    ]


def _numbers(entries: Sequence[Entry]) -> dict[str, Number]:
    names = dict.fromkeys(name for it in entries for name in it.numbers)
    return {name: _over([it.numbers[name] for it in entries if name in it.numbers]) for name in names}


def _over(numbers: Sequence[Number]) -> Number:
    """One number as it is; of several the mean with its interval, of an estimate with the whole range."""
    if len(numbers) == 1:
        return numbers[0]
    lows = [it.low for it in numbers if it.low is not None]
    highs = [it.high for it in numbers if it.high is not None]
    if numbers[0].source != "measured" and lows and highs:
        central = sum(it.value for it in numbers) / len(numbers)
        method = f"mean of {len(numbers)} seeds, range of all; each: {numbers[0].method}"
        return msgspec.structs.replace(
            numbers[0], value=central, low=min(lows), high=max(highs), method=method
        )
    mean = mean_over([it.value for it in numbers], numbers[0].unit, "seeds")
    method = f"{mean.method}; each: {numbers[0].method}"
    beyond = any(it.beyond for it in numbers)
    return msgspec.structs.replace(mean, source=numbers[0].source, method=method, beyond=beyond)


def text_of(number: Number | None) -> str:
    """A number for people: four digits, its unit, and its interval."""
    if number is None:
        return ""
    within = range_of(number)
    return value_of(number) + (f" ({within})" if within else "")


def value_of(number: Number | None) -> str:
    """The number and its unit."""
    if number is None:
        return ""
    unit = f" {number.unit}" if number.unit else ""
    return ("more than " if number.beyond else "") + _short(number.value) + unit


def range_of(number: Number | None) -> str:
    """Its interval, where it has one."""
    if number is None or number.low is None or number.high is None:
        return ""
    return f"{_short(number.low)} to {_short(number.high)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def columns(rows_: Iterable[Row]) -> list[str]:
    """Every number that any row has, the main ones first."""
    names = dict.fromkeys(name for row in rows_ for name in row.numbers)
    return [*(name for name in MAIN if name in names), *(name for name in names if name not in MAIN)]


def neurobench_keys(rows_: Iterable[Row]) -> list[str]:
    """NeuroBench's keys, those of a group as `Group.Key`."""
    return list(dict.fromkeys(key for row in rows_ for it in row.done[:1] for key in _flat(it.neurobench)))


def neurobench_of(row: Row, key: str) -> str:
    """A metric of the first seed, in words; empty where it is not there."""
    found = _flat(row.done[0].neurobench).get(key) if row.done else None
    return "" if found is None else _short(found)


def _flat(metrics: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in metrics.items():
        if isinstance(value, dict):
            found |= {f"{name}.{key}": it for key, it in _flat(value).items()}
        elif isinstance(value, int | float):
            found[name] = value
    return found
