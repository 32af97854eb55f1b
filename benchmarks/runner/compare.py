"""Two sessions beside each other, a gate that fails where one is worse, and several sessions as one."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from benchmarks.runner.exactness import exactness
from benchmarks.runner.result import Entry, Number, Results
from benchmarks.runner.summary import rows
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC854": "a condition of --fail-if that cannot be read",
        "BC855": "sessions that cannot be put together",
    }
)

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_GATE = re.compile(
    r"\s*(?:(?P<workload>[^:\s]+)\s*:)?\s*(?P<name>\w+)\s*(?P<sign><=|>=|<|>)\s*"
    r"(?P<number>\d{1,12}(?:\.\d{1,12})?)\s*(?P<times>x?)\s*\Z"
)


@dataclass(frozen=True)
class Pair:
    """A number of a workload on a target in two sessions; None where one does not have it."""

    workload: str
    target: str
    name: str
    before: Number | None
    after: Number | None

    @property
    def ratio(self) -> float | None:
        """After over before."""
        if self.before is None or self.after is None or self.before.value == 0:
            return None
        return self.after.value / self.before.value


@dataclass(frozen=True)
class Gate:
    """A condition on the second session under which a comparison fails.

    `samples_per_second < 0.8x` looks at the ratio to the first session, `test_error > 12` at the value; with
    `digits_learned: ` before it, at one workload alone.
    """

    text: str
    workload: str | None
    name: str
    sign: str
    number: float
    times: bool

    def broken(self, pairs: Sequence[Pair]) -> list[Pair]:
        """The numbers that meet the condition."""
        found = []
        for pair in pairs:
            value = pair.ratio if self.times else None if pair.after is None else pair.after.value
            about = pair.name == self.name and self.workload in (None, pair.workload)
            if about and value is not None and _OPERATORS[self.sign](value, self.number):
                found.append(pair)
        return found


def gate(text: str, pairs: Sequence[Pair]) -> Gate:
    """The condition of a text. Raises `BurstchipError` BC854 where it is none, or about a number not there.

    A gate that looks at nothing would never fail.
    """
    found = _GATE.match(text)
    if found is None:
        raise _unreadable(text, "NAME < NUMBER, or NAME < NUMBERx for the ratio; <, <=, > or >=", text)
    it = Gate(
        text,
        found["workload"],
        found["name"],
        found["sign"],
        float(found["number"]),
        bool(found["times"]),
    )
    about = [pair for pair in pairs if pair.name == it.name and it.workload in (None, pair.workload)]
    there = [pair for pair in about if pair.after is not None and (not it.times or pair.before is not None)]
    if not there:
        names = ", ".join(dict.fromkeys(pair.name for pair in pairs)) or "none"
        raise _unreadable(text, f"a number that both sessions have: {names}", it.name)
    return it


def _unreadable(text: str, required: str, given: str) -> BurstchipError:
    message = f"the condition '{text}' cannot be used"
    return BurstchipError(Diagnostic("BC854", message, required=required, given=given))


def pairs(before: Results, after: Results) -> list[Pair]:
    """Every number that either session has, workloads and targets in the order of the first."""
    one, other = ({(it.workload, it.target): it.numbers for it in rows(r.entries)} for r in (before, after))
    found = []
    for workload, target in dict.fromkeys((*one, *other)):
        first, second = (it.get((workload, target), {}) for it in (one, other))
        for name in dict.fromkeys((*first, *second)):
            found.append(Pair(workload, target, name, first.get(name), second.get(name)))
    return found


def changes(before: Results, after: Results) -> list[str]:
    """What else differs: artifacts, answers and states that are to be the same under the same burstchip."""
    one, other = ({it.key: it for it in r.entries} for r in (before, after))
    found = []
    for key in one.keys() & other.keys():
        a, b, where = one[key], other[key], f"{key[0]} on {key[1]}, seed {key[2]}"
        if a.status != b.status:
            found.append(f"{where}: {a.status}, then {b.status}")
        elif a.artifact_sha256 != b.artifact_sha256:
            found.append(f"{where}: another artifact")
        elif a.same and b.same and a.same.sha256 != b.same.sha256:
            found.append(f"{where}: other values in the part that all targets do")
        elif a.state_sha256 != b.state_sha256:
            found.append(f"{where}: another state at the end")
    return sorted(found)


def merge(sessions: Sequence[Results]) -> Results:
    """Several sessions as one, such as of several machines: targets may not be of the same name.

    An entry that was measured wins over one that failed or was skipped. Raises `BurstchipError` BC855 where
    two sessions measured the same.
    """
    entries: dict[tuple[str, str, int], Entry] = {}
    for session in sessions:
        for entry in session.entries:
            known = entries.get(entry.key)
            if known is None or (known.status != "done" and entry.status == "done"):
                entries[entry.key] = entry
            elif known.status == entry.status == "done" and known != entry:
                raise BurstchipError(
                    Diagnostic(
                        "BC855",
                        "two sessions measured the same",
                        required="each workload, target and seed measured once",
                        given=f"{entry.workload} on {entry.target}, seed {entry.seed}, twice",
                        hint="`burstchip bench compare` shows two measurements of the same",
                    )
                )
    first = sessions[0]
    return msgspec.structs.replace(
        first,
        command=" ; ".join(dict.fromkeys(it.command for it in sessions)),
        targets={name: about for it in sessions for name, about in it.targets.items()},
        entries=exactness(list(entries.values())),
    )
