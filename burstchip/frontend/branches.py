"""The branches of `choices` that are not taken: each is read on trial, so that no mistake waits in it.

A branch is right or wrong within the whole file. A mistake counts where it is one with every
branch of the other choices, and is left alone where it is about a value that a parameter can change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from burstchip.frontend.definitions import Choice
from burstchip.frontend.report import Report
from burstchip.frontend.tree import Entry, Listing, Node, Span
from burstchip.frontend.tree import Mapping as Tree
from hw_models.diagnostics import Diagnostic, Place

#: What is wrong only beside a size, a step or a limit of the rest of the file, which `--set` may change.
RELATIVE = frozenset(
    (
        "BC111", "BC112", "BC113", "BC115", "BC130", "BC131",
        "BC135", "BC138", "BC160", "BC161",
    )
)  # fmt: skip

#: With more combinations of branches than these, each branch is read beside those that are taken.
MOST_TRIALS = 64


@dataclass(frozen=True)
class Trial:
    """The messages about the file with other branches taken, and the names whose values it needed."""

    messages: tuple[Diagnostic, ...]
    asked: frozenset[str]


def check_other_branches(
    choices: Sequence[Choice],
    chosen: Mapping[str, str],
    taken: frozenset[str],
    on_trial: Callable[[Mapping[str, str]], Trial],
    report: Report,
) -> None:
    """Report the mistakes in branches that the file as it stands does not read.

    `chosen` are the values of the choices' parameters and `taken` the names that the file needed as it
    stands; `on_trial` reads it with other branches.
    """
    choices = tuple(choice for choice in choices if choice.branches)
    if all(len(choice.branches) == 1 and taken.issuperset(choice.names) for choice in choices):
        return
    trials = [(branches, on_trial(branches)) for branches in _combinations(choices, chosen)]
    known = {(message.id, message.given) for message in report.messages()}
    for choice in choices:
        for branch, value in choice.branches.items():
            beside = [trial for branches, trial in trials if branches[choice.parameter] == branch]
            for entry in value.entries:
                if branch == chosen.get(choice.parameter) and entry.key.text in taken:
                    continue
                reading = [trial for trial in beside if entry.key.text in trial.asked]
                for message in _in_all(entry, reading):
                    # A parameter's value that is wrong in several branches is one mistake.
                    if message.given is not None and "${" in message.given:
                        if (message.id, message.given) in known:
                            continue
                        known.add((message.id, message.given))
                    where = f"with {choice.parameter}: {branch}, {message.message}"
                    report.append(replace(message, message=where))


def _combinations(choices: tuple[Choice, ...], chosen: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    names = [choice.parameter for choice in choices]
    if prod(len(choice.branches) for choice in choices) <= MOST_TRIALS:
        for branches in product(*(choice.branches for choice in choices)):
            yield dict(zip(names, branches, strict=True))
        return
    usual: dict[str, str] = {}
    for choice in choices:
        first = next(iter(choice.branches))
        value = chosen.get(choice.parameter, first)
        usual[choice.parameter] = value if value in choice.branches else first
    for choice in choices:
        for branch in choice.branches:
            yield usual | {choice.parameter: branch}


def _in_all(entry: Entry, trials: list[Trial]) -> list[Diagnostic]:
    """The errors that stand in an entry of a branch in every one of the trials that read it."""
    spans = tuple(_spans(entry.key, entry.value))
    found = [
        {
            (message.id, message.place): message
            for message in trial.messages
            if message.severity == "error"
            and message.id not in RELATIVE
            and message.place is not None
            and _stands_in(message.place, spans)
        }
        for trial in trials
    ]
    return [
        message
        for key, message in (found[0].items() if found else ())
        if all(key in others for others in found[1:])
    ]


def _spans(*nodes: Node) -> Iterator[Span]:
    for node in nodes:
        yield node.span
        if isinstance(node, Listing):
            yield from _spans(*node.items)
        elif isinstance(node, Tree):
            for entry in node.entries:
                yield from _spans(entry.key, entry.value)


def _stands_in(place: Place, spans: tuple[Span, ...]) -> bool:
    return any(
        span.line == place.line and span.column <= place.column < span.column + span.length for span in spans
    )
