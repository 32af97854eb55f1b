"""Branches of `choices` that are not taken are checked like the one that is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from burstchip.frontend import load
from burstchip.frontend.compose import compose
from burstchip.frontend.report import Report
from burstchip.frontend.tree import Listing, Mapping, Node, Scalar, Span
from burstchip.templates import all_templates

#: What no value of the templates' branches may be.
WRONG = ("7 kg", "banana", ".nan")


def scalars(node: Node | None) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Listing):
        for item in node.items:
            yield from scalars(item)
    elif isinstance(node, Mapping):
        for entry in node.entries:
            yield from scalars(entry.value)


def branches(text: str) -> list[tuple[str, str, Scalar]]:
    """Parameter, branch and place of every scalar in the branches of a file."""
    root = compose(text, Report("net.yaml", text.splitlines()))
    assert isinstance(root, Mapping)
    choices = root.get("choices")
    assert isinstance(choices, Mapping)
    return [
        (choice.key.text, branch.key.text, scalar)
        for choice in choices.entries
        if isinstance(choice.value, Mapping)
        for branch in choice.value.entries
        for scalar in scalars(branch.value)
    ]


def with_value(text: str, span: Span, value: str) -> str:
    lines = text.splitlines()
    line = lines[span.line - 1]
    lines[span.line - 1] = line[: span.column - 1] + value + line[span.column - 1 + span.length :]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "parameter", "branch", "scalar"),
    [
        pytest.param(template.text, *found, id=f"{template.name}-{found[2].span.line}-{found[2].span.column}")
        for template in all_templates()
        for found in branches(template.text)
    ],
)
def test_every_broken_scalar_of_every_branch_is_reported(
    text: str, parameter: str, branch: str, scalar: Scalar, tmp_path: Path
) -> None:
    path = tmp_path / "network.yaml"
    others = {name for of, name, _ in branches(text) if of == parameter}
    place = (scalar.span.line, scalar.span.column)
    for wrong in WRONG:
        path.write_text(with_value(text, scalar.span, wrong))
        for taken in others:
            result = load(path, {parameter: taken})
            assert result.network is None
            errors = [message for message in result.diagnostics if message.severity == "error"]
            assert len(errors) == 1, errors
            (error,) = errors
            assert error.place is not None
            if taken == branch:
                # At its use, with the place where it was written.
                assert f":{place[0]}:{place[1]}" in str(error)
            else:
                assert (error.place.line, error.place.column) == place, str(error)
                assert error.message.startswith(f"with {parameter}: {branch}, ")


TWO_CHOICES = """\
burstchip: 1
name: two
step: 1 ms
parameters: {end: soma, size: small}
choices:
  end:
    soma: {port: cells.soma, most: 2 mV}
    dendrite: {port: cells.dendrite, most: 0.5}
  size:
    small: {cells: {model: burst_unit, size: 10, bias: 100 pA}, strength: 1 mV}
    large: {cells: {model: burst_unit, size: 100, bias: 100 pA}, strength: 2 mV}
populations:
  input: {model: poisson_source, size: 10, rate: 20 Hz}
  cells: "${cells}"
projections:
  - {from: input, to: "${port}", weight: "${strength}", limit: "${most}"}
"""


def errors_of(text: str, tmp_path: Path) -> list[str]:
    path = tmp_path / "net.yaml"
    path.write_text(text)
    return [
        f"{d.place.line}:{d.place.column} {d.id} {d.message}" if d.place else d.message
        for d in load(path).diagnostics
        if d.severity == "error"
    ]


def test_what_is_right_beside_one_branch_of_another_choice_is_right(tmp_path: Path) -> None:
    """`strength` in mV does not fit the dendrite, which a second parameter would choose."""
    assert errors_of(TWO_CHOICES, tmp_path) == []


def test_what_is_wrong_beside_every_branch_of_another_choice_is_wrong(tmp_path: Path) -> None:
    assert errors_of(TWO_CHOICES.replace("strength: 2 mV", "strength: 2 ms"), tmp_path) == [
        "11:76 BC107 with size: large, 'weight' of projection 1 needs a voltage"
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("size: 100", "sise: 100", "11:40 BC012 with size: large, population 'cells' has no key 'sise'"),
        ("size: 100, ", "", "11:13 BC020 with size: large, population 'cells' needs 'size' or 'shape'"),
        (
            "cells.dendrite",
            "cells.dendrit",
            "8:28 BC121 with end: dendrite, 'to' of projection 1: 'cells' has no port 'dendrit'",
        ),
        ("most: 0.5", 'most: "${nothing}"', "8:45 BC022 with end: dendrite, unknown parameter 'nothing'"),
    ],
)
def test_keys_names_and_references_are_checked(right: str, wrong: str, message: str, tmp_path: Path) -> None:
    assert message in errors_of(TWO_CHOICES.replace(right, wrong), tmp_path)


def test_a_part_of_a_text_is_reported_in_its_branch(tmp_path: Path) -> None:
    text = TWO_CHOICES.replace("rate: 20 Hz", 'rate: "${drive} Hz"').replace(
        "2 mV}\n    dend", "2 mV, drive: 20}\n    dend"
    )
    text = text.replace("most: 0.5}", "most: 0.5, drive: much}")
    assert errors_of(text, tmp_path) == [
        "8:56 BC101 with end: dendrite, 'rate' of population 'input' is not a number"
    ]


def test_a_name_that_only_another_branch_reads_is_checked(tmp_path: Path) -> None:
    text = TWO_CHOICES.replace("port: cells.dendrite, most: 0.5", 'port: cells.soma, most: "${other}"')
    text = text.replace("strength: 1 mV", "strength: 1 mV, other: 3 mV").replace(
        "strength: 2 mV", "strength: 2 mV, other: 3 mS"
    )
    assert errors_of(text, tmp_path) == [
        "11:89 BC107 with size: large, 'limit' of projection 1 needs a voltage"
    ]


def test_what_hangs_on_the_rest_is_left_until_the_branch_is_taken(tmp_path: Path) -> None:
    """Another `--set` may make the time a whole number of steps."""
    text = TWO_CHOICES.replace(
        'cells: "${cells}"', 'cells: "${cells}"\n  clock: {model: spike_list, size: 2, events: "${times}"}'
    )
    text = text.replace("strength: 1 mV", "strength: 1 mV, times: [[0, 1 ms]]")
    text = text.replace("strength: 2 mV", "strength: 2 mV, times: [[5, 1 ms]]")
    assert errors_of(text, tmp_path) == []


def test_a_parameter_that_is_wrong_in_every_branch_is_one_mistake(tmp_path: Path) -> None:
    text = TWO_CHOICES.replace("size: small}", "size: small, most: many}")
    text = text.replace("size: 100,", 'size: "${most}",').replace("size: 10, bias", 'size: "${most}", bias')
    text = text.replace(", most: 2 mV", "").replace(", most: 0.5", "").replace(', limit: "${most}"', "")
    assert errors_of(text, tmp_path) == ["14:11 BC101 'size' of population 'cells' is not a number"]


def test_more_combinations_than_are_tried_are_checked_one_by_one(tmp_path: Path) -> None:
    choices = "".join(
        f"  c{n}:\n    a: {{rate{n}: 20 Hz}}\n    b: {{rate{n}: {'20 mV' if n == 6 else '30 Hz'}}}\n"
        for n in range(7)
    )
    text = (
        "burstchip: 1\nname: many\nstep: 1 ms\nparameters: {"
        + ", ".join(f"c{n}: a" for n in range(7))
        + "}\nchoices:\n"
        + choices
        + "populations:\n"
        + "".join(f'  s{n}: {{model: poisson_source, size: 2, rate: "${{rate{n}}}"}}\n' for n in range(7))
    )
    assert errors_of(text, tmp_path) == ["26:16 BC107 with c6: b, 'rate' of population 's6' needs a rate"]
