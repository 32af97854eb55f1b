"""Plain values of a chip file -> a `Chip`, or everything that is wrong with them and where.

A file has `title`, `sources` and, by name, `facts` and `costs`. With `like` it says only what differs from
one of burstchip's own chips. Where something stands is a path of keys and indices, such as ("facts",
"neurocores", "value").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import msgspec
import yaml
from msgspec import Meta, Struct

from hw_models.chips.chip import CHIPS, COSTS, FACTS, STATUSES, Chip, Cost, Fact, Statement, Status
from hw_models.chips.rules import wrong_cost, wrong_facts, wrong_value
from hw_models.diagnostics import nearest

Path = tuple[str | int, ...]

#: Numbers of a chip are smaller than this, so that nothing reckoned with them overflows.
LARGEST = 1 << 40

_Number = Annotated[int, Meta(ge=0, le=LARGEST)]
_Values = _Number | Annotated[list[_Number], Meta(min_length=1, max_length=32)]
_Real = Annotated[float, Meta(ge=0.0, le=1e15)]
_Text = Annotated[str, Meta(min_length=1, max_length=1000)]


class _FactStatement(Struct, frozen=True):
    value: _Values
    source: _Text
    status: Status
    note: str = ""


class _Fact(_FactStatement, frozen=True, kw_only=True):
    unit: _Text
    others: list[Any] = []


class _CostStatement(Struct, frozen=True):
    value: _Real
    source: _Text
    status: Status
    note: str = ""


class _Cost(_CostStatement, frozen=True, kw_only=True):
    unit: _Text
    low: _Real | None = None
    high: _Real | None = None
    assumption: str = ""
    others: list[Any] = []


class _File(Struct, frozen=True):
    title: _Text = ""
    like: str = ""
    sources: dict[_Text, _Text] = {}
    facts: dict[str, Any] = {}
    costs: dict[str, Any] = {}


_REQUIRED = {
    "title": "a text", "like": " or ".join(CHIPS), "sources": "texts by name", "facts": "facts by name",
    "costs": "costs by name", "unit": "a text", "source": "a text: where the number is public",
    "status": ", ".join(STATUSES), "note": "a text", "assumption": "a text", "others": "a list of statements",
    "low": "a number from 0 on", "high": "a number from 0 on",
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """What is wrong at a path of a file; `given` is '' where it is what stands there."""

    path: Path
    message: str
    required: str
    given: str = ""
    hint: str | None = None


class _Reading:
    """Gathers problems while values are taken."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def take(self, kind: type[Struct], data: object, path: Path, what: str) -> Any:
        """The values of `data` as a `kind`; None where any of them cannot be, which is then noted."""
        if not isinstance(data, Mapping):
            self.problems.append(Problem(path, f"{what} is not a mapping", "a mapping"))
            return None
        before = len(self.problems)
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        for key in data:
            if key not in fields:
                name, known = str(key)[:60], tuple(fields)
                message, hint = f"{what} has no key '{name}'", nearest(name, known)
                self.problems.append(Problem((*path, key), message, f"one of {', '.join(known)}", name, hint))
        values = {}
        for name, field in fields.items():
            if name in data:
                try:
                    values[name] = msgspec.convert(data[name], field.type)
                except msgspec.ValidationError:
                    message = f"'{name}' of {what} cannot be used"
                    self.problems.append(Problem((*path, name), message, _required(kind, name)))
            elif field.required:
                required = f"'{name}': {_required(kind, name)}"
                self.problems.append(Problem(path, f"{what} needs '{name}'", required))
        return kind(**values) if len(self.problems) == before else None

    def statements(self, kind: type[Struct], others: Sequence[Any], path: Path, what: str) -> Iterator[Any]:
        """Statements beside the one in use."""
        for index, other in enumerate(others[:32]):
            found = self.take(kind, other, (*path, "others", index), f"statement {index + 1} on {what}")
            if found is not None:
                yield found

    def fact(self, name: str, data: object) -> Fact | None:
        """A fact, whose values are of use."""
        path = ("facts", name)
        found = self.take(_Fact, data, path, f"fact '{name}'")
        if found is None:
            return None
        others = tuple(
            Statement(_values(it.value), it.source, it.status, it.note)
            for it in self.statements(_FactStatement, found.others, path, f"fact '{name}'")
        )
        values = _values(found.value)
        if (required := wrong_value(name, values)) is not None:
            self.problems.append(Problem((*path, "value"), f"fact '{name}' is out of range", required))
        return Fact(name, values, found.unit, found.source, found.status, found.note, others)

    def cost(self, name: str, data: object) -> Cost | None:
        """A cost in its unit and within its range."""
        path = ("costs", name)
        found = self.take(_Cost, data, path, f"cost '{name}'")
        if found is None:
            return None
        others = tuple(
            Statement(it.value, it.source, it.status, it.note)
            for it in self.statements(_CostStatement, found.others, path, f"cost '{name}'")
        )
        low = found.value if found.low is None else found.low
        high = found.value if found.high is None else found.high
        cost = Cost(
            name, found.value, low, high, found.unit, found.source, found.status,
            found.assumption, found.note, others,
        )  # fmt: skip
        if (wrong := wrong_cost(cost)) is not None:
            key, message, required = wrong
            place = (*path, key) if isinstance(data, Mapping) and key in data else path
            self.problems.append(Problem(place, message, required))
        return cost


def _required(kind: type[Struct], name: str) -> str:
    if name == "value":
        whole = issubclass(kind, _FactStatement)
        return f"a whole number from 0 to 2^{LARGEST.bit_length() - 1}, or several" if whole else "a number"
    return _REQUIRED[name]


def _values(value: int | list[int]) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def read_chip(name: str, data: object, *, own: bool = False) -> tuple[Chip | None, tuple[Problem, ...]]:
    """(the chip of a file, all that is wrong with it): the chip is None where anything is."""
    reading = _Reading()
    file = reading.take(_File, data, (), "the chip file")
    if file is None:
        return None, tuple(reading.problems)
    base = chip(file.like) if file.like in CHIPS else None
    if file.like and base is None:
        hint = nearest(file.like, CHIPS)
        reading.problems.append(Problem(("like",), "no chip to be like", " or ".join(CHIPS), hint=hint))
    if not file.title:
        reading.problems.append(Problem((), "the chip file needs 'title'", "'title': a text"))
    facts = dict(base.facts) if base else {}
    costs = dict(base.costs) if base else {}
    for section, given, known in (("facts", file.facts, FACTS), ("costs", file.costs, tuple(COSTS))):
        for key in given:
            if key not in known:
                message, hint = f"no chip has a {section[:-1]} '{key[:60]}'", nearest(key, known)
                required = f"one of {', '.join(known)}"
                reading.problems.append(Problem((section, key), message, required, key[:60], hint))
    for key in (it for it in FACTS if it in file.facts):
        if (fact := reading.fact(key, file.facts[key])) is not None:
            facts[key] = fact
    for key in (it for it in COSTS if it in file.costs):
        if (cost := reading.cost(key, file.costs[key])) is not None:
            costs[key] = cost
    for section, found, names, given in (
        ("facts", facts, FACTS, file.facts),
        ("costs", costs, tuple(COSTS), file.costs),
    ):
        missing = [it for it in names if it not in found and it not in given]
        if missing and not (file.like and base is None):
            reading.problems.append(
                Problem(
                    (section,) if given else (),
                    f"the chip file lacks {section}",
                    ", ".join(missing),
                    "nothing",
                    "`like: loihi2` takes what is not given from there",
                )
            )
    if not reading.problems:
        reading.problems += [
            Problem(("facts", key, "value") if key in file.facts else ("facts",), message, required)
            for key, message, required in wrong_facts(facts)
        ]
    if reading.problems:
        return None, tuple(reading.problems)
    sources = {**(base.sources if base else {}), **file.sources}
    whole = Chip(name, file.title, sources, {it: facts[it] for it in FACTS}, {it: costs[it] for it in COSTS})
    return replace(whole, own=own), ()


def chip_text(name: str) -> str:
    """The file of one of burstchip's own chips."""
    return files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


@cache
def chip(name: str) -> Chip:
    """The chip of this name: `loihi1` or `loihi2`."""
    found, problems = read_chip(name, yaml.safe_load(chip_text(name)))
    assert found is not None and not problems, f"{name}: {problems}"
    return found
