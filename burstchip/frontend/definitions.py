"""The names that `${name}` may use: `parameters`, their overrides, and what `choices` make of them."""

from __future__ import annotations

import re
from collections.abc import Mapping as Mappings
from dataclasses import dataclass, replace
from difflib import get_close_matches

from burstchip.frontend.report import Report
from burstchip.frontend.substitute import NAME, Definition, Substitution, references
from burstchip.frontend.tree import Broken, Entry, Mapping, Node, Scalar, Span, describe, shortened
from hw_models.diagnostics import nearest

#: The keys of a file that define names rather than parts of the network.
DEFINING_KEYS = ("parameters", "choices")


@dataclass(frozen=True)
class Definitions:
    """All names with their values before substitution.

    `parameters` are those that the command line may set.
    """

    values: Mappings[str, Definition]
    parameters: tuple[str, ...]
    choices: tuple[Choice, ...]


def read_definitions(
    root: Mapping, overrides: Mappings[str, str], report: Report, *, trial: bool = False
) -> Definitions:
    """The names that the file defines, with the overrides in place.

    Reports overrides of what is not a parameter, choices that do not fit together, names that are
    defined twice and names that nothing reads. On `trial` what a branch defines keeps its place.
    """
    given = _parameters(root)
    choices = _choices(root, given, report)
    values = {name: _definition(node, report) for name, node in given.items()}
    chosen_names = {name: choice.parameter for choice in choices for name in choice.names}
    for name, text in overrides.items():
        if name in given:
            at = given[name].span
            values[name] = Definition(Scalar(text, at), f"--set {name}={shortened(text)}")
        else:
            _report_unknown_override(name, text, given, chosen_names, report)
    substitution = Substitution(values, report)
    for choice in choices:
        for key, node in _chosen(choice, values, substitution, report):
            definition = _definition(node, report)
            values[key.text] = replace(definition, key=key) if trial else definition
    _report_unread(root, choices, report)
    return Definitions(values, tuple(given), tuple(choices))


def _definition(node: Node, report: Report) -> Definition:
    return Definition(node, f"{report.file}:{node.span.line}:{node.span.column}")


def _parameters(root: Mapping) -> dict[str, Node]:
    return {
        entry.key.text: entry.value
        if isinstance(entry.value, Scalar) and not entry.value.is_null
        else Broken(entry.value.span)
        for entry in _named_entries(root.get("parameters"))
    }


def _named_entries(node: Node | None) -> tuple[Entry, ...]:
    """The entries whose keys are names. Whatever has another form is reported where the file is read."""
    entries = node.entries if isinstance(node, Mapping) else ()
    return tuple(entry for entry in entries if re.fullmatch(NAME, entry.key.text))


@dataclass(frozen=True)
class Choice:
    """What each value of `parameter` means: the names that its branches define."""

    parameter: str
    branches: Mappings[str, Mapping]
    names: Mappings[str, Span]


def _choices(root: Mapping, parameters: Mappings[str, Node], report: Report) -> list[Choice]:
    found: list[Choice] = []
    defined: dict[str, str] = {}
    for entry in _named_entries(root.get("choices")):
        parameter = entry.key.text
        if parameter not in parameters:
            report.add(
                "BC026",
                entry.key,
                f"'{parameter}' under 'choices' is not a parameter",
                required="the name of a parameter",
                hint=nearest(parameter, tuple(parameters)),
            )
        branches = {
            branch.key.text: branch.value
            for branch in (entry.value.entries if isinstance(entry.value, Mapping) else ())
            if isinstance(branch.value, Mapping)
        }
        names = _same_names(parameter, branches, report)
        for name, span in names.items():
            if name in parameters or name in defined:
                other = (
                    "a parameter" if name in parameters else f"a name that choice '{defined[name]}' defines"
                )
                report.add(
                    "BC030",
                    span,
                    f"'{name}' is already {other}",
                    required="each name once",
                    given=f"'{name}'",
                )
            defined[name] = parameter
        found.append(Choice(parameter, branches, names))
    return found


def _same_names(parameter: str, branches: Mappings[str, Mapping], report: Report) -> dict[str, Span]:
    """The names that the first branch defines; reports branches that differ."""
    names: dict[str, Span] = {}
    for index, (branch, value) in enumerate(branches.items()):
        own = {entry.key.text: entry.key for entry in value.entries}
        if index == 0:
            names = {name: key.span for name, key in own.items()}
            first = branch
            continue
        missing = [name for name in names if name not in own]
        surplus = [name for name in own if name not in names]
        if missing:
            report.add(
                "BC026",
                value,
                f"choice '{branch}' of '{parameter}' does not define {' and '.join(map(repr, missing))}",
                required=f"the names that choice '{first}' defines: {', '.join(names)}",
            )
        elif surplus:
            report.add(
                "BC026",
                own[surplus[0]],
                f"'{surplus[0]}' is not defined by choice '{first}' of '{parameter}'",
                required="the same names in every choice",
            )
    return names


def _chosen(
    choice: Choice, values: Mappings[str, Definition], substitution: Substitution, report: Report
) -> list[tuple[Scalar, Node]]:
    """The names and values of the branch that the parameter's value names."""
    lost: list[tuple[Scalar, Node]] = [
        (Scalar(name, span), Broken(span)) for name, span in choice.names.items()
    ]
    value = substitution.value(choice.parameter) if choice.parameter in values else None
    if not isinstance(value, Scalar) or not choice.branches:
        return lost
    if value.text in choice.branches:
        return [(entry.key, entry.value) for entry in choice.branches[value.text].entries]
    where = values[choice.parameter].where
    report.add(
        "BC028",
        value,
        f"'{shortened(value.text)}' is not a choice of parameter '{choice.parameter}'",
        required=", ".join(choice.branches),
        given=f"{describe(value)} ({where})" if where.startswith("--set") else None,
        hint=nearest(value.text, tuple(choice.branches)),
    )
    return lost


def _report_unknown_override(
    name: str, text: str, parameters: Mappings[str, Node], chosen: Mappings[str, str], report: Report
) -> None:
    hint = nearest(name, tuple(parameters))
    if name in chosen:
        hint = f"it follows from parameter '{chosen[name]}': set that"
    elif hint is None:
        hint = f"parameters are: {', '.join(parameters)}" if parameters else "the file has no parameters"
    report.add(
        "BC025",
        None,
        f"--set {shortened(name)}={shortened(text)}: {report.file} has no parameter '{shortened(name)}'",
        required="a name under 'parameters'",
        given=f"'{shortened(name)}'",
        hint=hint,
    )


def _report_unread(root: Mapping, choices: list[Choice], report: Report) -> None:
    """A name is read where anything refers to it: also in a branch that was not chosen."""
    spans = {entry.key.text: entry.key.span for entry in _named_entries(root.get("parameters"))}
    for choice in choices:
        spans |= choice.names
    asked = {*references([root]), *(choice.parameter for choice in choices)}
    # A name that is referred to under a wrong spelling is reported there, not here.
    meant = {close for name in asked - set(spans) for close in get_close_matches(name, tuple(spans), n=1)}
    for name, span in spans.items():
        if name not in asked | meant:
            required = f"${{{name}}} in at least one value"
            report.add(
                "BC024",
                span,
                f"parameter '{name}' is not used",
                required=required,
                hint="use it or remove it",
            )
