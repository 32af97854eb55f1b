"""Text becomes values whose places are those of the text, whatever the line ends, quotes and anchors."""

from __future__ import annotations

from pathlib import Path

import pytest

from burstchip.frontend.compose import compose
from burstchip.frontend.report import Report
from burstchip.frontend.text import read_text
from burstchip.frontend.tree import Listing, Mapping, Node, Scalar, Span


def composed(tmp_path: Path, text: str | bytes) -> Mapping:
    path = tmp_path / "net.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    report = Report("net.yaml")
    read = read_text(path, report)
    assert read is not None
    root = compose(read, report)
    assert isinstance(root, Mapping)
    assert report.messages() == ()
    return root


def value(root: Mapping, key: str) -> Node:
    found = root.get(key)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("a: 12 ms   # comment", Span(1, 4, 5)),
        ("a: '12 ms'", Span(1, 5, 5)),
        ('a: "12 ms"', Span(1, 5, 5)),
        ("é: {b: 1}\na: 3", Span(2, 4, 1)),
        ("a: &anchor 12 ms", Span(1, 12, 5)),
        ("\ufeffa: 1", Span(1, 4, 1)),
        ("b: 1\r\na: 2\r\n", Span(2, 4, 1)),
        ("b: 1\ra: 2\r", Span(2, 4, 1)),
        ("a: {b: 1, c: 2}", Span(1, 4, 12)),
        ("a: [1,\n    2]", Span(1, 4, 3)),
        ("a:\n  b: 1", Span(2, 3, 1)),
        ("a: one\n  two", Span(1, 4, 3)),
        ("a: |\n  text", Span(1, 4, 1)),
        # With an escape the text is not what stands in the file: the whole token is marked.
        ('a: "1\\x20ms"', Span(1, 4, 9)),
    ],
)
def test_place(tmp_path: Path, text: str, span: Span) -> None:
    assert value(composed(tmp_path, text), "a").span == span


def test_column_counts_characters(tmp_path: Path) -> None:
    root = composed(tmp_path, "x: {größe: 1, µ: 20}")
    inner = value(root, "x")
    assert isinstance(inner, Mapping)
    assert value(inner, "µ").span == Span(1, 18, 2)


def test_alias_is_the_same_value_in_its_first_place(tmp_path: Path) -> None:
    root = composed(tmp_path, "a: &x [1, 2]\nb: *x")
    assert value(root, "b") is value(root, "a")


def test_numbers_stay_text(tmp_path: Path) -> None:
    root = composed(tmp_path, "a: 010\nb: yes\nc: 1:30\nd: 2001-01-01\ne: ~")
    assert [v.text for v in (value(root, k) for k in "abcde") if isinstance(v, Scalar)] == [
        "010",
        "yes",
        "1:30",
        "2001-01-01",
        "~",
    ]
    empty = value(root, "e")
    assert isinstance(empty, Scalar) and empty.is_null


def test_aliases_may_be_used_within_reason(tmp_path: Path) -> None:
    root = composed(tmp_path, "a: &x [1, 2, 3]\nb: [*x, *x, *x]")
    several = value(root, "b")
    assert isinstance(several, Listing)
    assert several.total == 13
