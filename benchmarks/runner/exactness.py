"""How exactly targets compute the same: compares the part of each run that all did, and the end."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benchmarks.runner.result import Entry
from benchmarks.runner.trajectory import first_difference

#: Against which the others are compared where it was measured.
FIRST = "sim"


def exactness(entries: Sequence[Entry]) -> list[Entry]:
    """The entries; each of integers says whether it did the same as `sim`, or as the first of them."""
    found = []
    for entry in entries:
        found.append(msgspec.structs.replace(entry, exactness=_of(entry, _first(entry, entries))))
    return found


def _first(entry: Entry, entries: Sequence[Entry]) -> Entry | None:
    alike = [
        it
        for it in entries
        if (it.workload, it.seed) == (entry.workload, entry.seed) and it.same and it.arithmetic == "integers"
    ]
    return next((it for it in alike if it.target == FIRST), alike[0] if alike else None)


def _of(entry: Entry, first: Entry | None) -> str:
    if entry.status != "done" or entry.same is None:
        return ""
    if entry.arithmetic != "integers":
        return "real numbers"
    if first is None or first.same is None or first.target == entry.target:
        return "the others are compared with it"
    if entry.artifact_sha256 != first.artifact_sha256:
        return f"another artifact than {first.target}"
    if entry.same.variables != first.same.variables:
        return f"tells fewer variables than {first.target}: {', '.join(entry.same.variables)}"
    step = first_difference(entry.same, first.same)
    if step is not None:
        return f"parts from {first.target} in step {step}"
    same = f"bit-exact with {first.target}: {entry.same.values:,} values in {entry.same.steps:,} steps"
    if entry.answers_sha256 and first.answers_sha256 and entry.answers_sha256 != first.answers_sha256:
        return f"{same}; other answers later"
    return same
