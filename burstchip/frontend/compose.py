"""YAML text -> a tree of values with their places.

Built from PyYAML's parser events rather than its nodes: an event knows its place just as well, and no
recursion, alias or size of the input can get out of hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from burstchip.frontend.report import Report
from burstchip.frontend.tree import Broken, Entry, Listing, Mapping, Node, Scalar, Span, shortened, total
from hw_models.diagnostics import nearest

#: The language needs seven levels.
MOST_LEVELS = 32

#: How many nodes aliases and parameters may add to those written.
MOST_EXPANDED = 100_000

_TAG = re.compile(r"![^\s,\[\]{}]*")
_ANCHOR = re.compile(r"(?:[&!][^\s,\[\]{}]*\s*)+")


@dataclass
class _Open:
    """A list or mapping whose end has not come yet."""

    event: yaml.CollectionStartEvent
    children: list[Node] = field(default_factory=list)


class _Stop(Exception):
    """The rest of the text cannot be read; the reason was reported."""


def compose(text: str, report: Report, what: str = "network") -> Node | None:
    """The only document of `text`, which holds a `what`, or None where the text cannot be read.

    Reports what is wrong with the text, and every duplicate key, tag and unknown anchor.
    """
    try:
        return _Composer(text, report, what).document()
    except _Stop:
        return None
    except yaml.MarkedYAMLError as problem:
        _report_syntax(problem, text, report)
        return None


class _Composer:
    """The state of one reading: what is open, which anchors are known."""

    def __init__(self, text: str, report: Report, what: str) -> None:
        self.text = text
        self.what = what
        self.report = report
        self.open: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}
        self.expanded = 0
        self.root: Node | None = None

    def document(self) -> Node | None:
        """Read all events."""
        documents = 0
        for event in yaml.parse(self.text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.report.add(
                        "BC007",
                        self._point(_start(event)),
                        "a second document begins here",
                        required=f"one {self.what} a file",
                        hint=f"remove the line '---', or put the second {self.what} into a file of its own",
                    )
                    raise _Stop
            elif isinstance(event, yaml.AliasEvent):
                self._put(self._alias(event))
            elif isinstance(event, yaml.ScalarEvent):
                self._check_tag(event, event.tag if not any(event.implicit) else None)
                self._put(self._scalar(event), event.anchor)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._check_tag(event, None if event.implicit else event.tag)
                if len(self.open) >= MOST_LEVELS:
                    self.report.add(
                        "BC009",
                        self._point(_start(event)),
                        "values are nested too deeply",
                        required=f"at most {MOST_LEVELS} levels",
                    )
                    raise _Stop
                if event.anchor is not None:
                    self.anchors[event.anchor] = None
                self.open.append(_Open(event))
            elif isinstance(event, yaml.CollectionEndEvent):
                closed = self.open.pop()
                self._put(self._collection(closed, event), closed.event.anchor)
        return self.root

    def _put(self, node: Node, anchor: str | None = None) -> None:
        if anchor is not None:
            self.anchors[anchor] = node
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        assert event.anchor is not None
        span = Span(_start(event).line + 1, _start(event).column + 1, len(event.anchor) + 1)
        if event.anchor not in self.anchors:
            self.report.add(
                "BC017",
                span,
                f"unknown anchor '&{event.anchor}': none is defined before this alias",
                given=f"'*{event.anchor}'",
                hint=nearest(event.anchor, tuple(self.anchors)),
            )
            return Broken(span)
        node = self.anchors[event.anchor]
        if node is None:
            self.report.add(
                "BC010",
                span,
                f"the value of '&{event.anchor}' contains itself",
                required="a value that does not contain itself",
                given=f"'*{event.anchor}'",
            )
            raise _Stop
        self.expanded += total(node)
        height = len(self.open) + (node.height if isinstance(node, (Listing, Mapping)) else 0)
        if self.expanded > MOST_EXPANDED or height > MOST_LEVELS:
            self.report.add(
                "BC010",
                span,
                "the aliases of this file expand to too many values",
                required=f"at most {MOST_EXPANDED} values and {MOST_LEVELS} levels",
                given=f"'*{event.anchor}' and those before it",
            )
            raise _Stop
        return node

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        start, end = _start(event), _end(event)
        column, length = start.column + 1, end.column - start.column
        if event.anchor is not None or event.tag is not None:
            prefix = _ANCHOR.match(self.text, start.index)
            if prefix is not None and "\n" not in prefix.group():
                column, length = column + len(prefix.group()), length - len(prefix.group())
        if end.line > start.line:
            length = 1 if event.style in ("|", ">") else self._rest_of_line(start.line, column)
        elif event.style in ('"', "'") and length == len(event.value) + 2:
            # The text itself, so that a position within it is a position in the file.
            column, length = column + 1, len(event.value)
        return Scalar(event.value, Span(start.line + 1, column, max(1, length)), event.style in (None, ""))

    def _collection(self, closed: _Open, end: yaml.CollectionEndEvent) -> Node:
        start = _start(closed.event)
        column = start.column + 1
        if closed.event.anchor is not None:
            prefix = _ANCHOR.match(self.text, start.index)
            column += len(prefix.group()) if prefix is not None and "\n" not in prefix.group() else 0
        span = Span(start.line + 1, column, 1)
        if closed.event.flow_style:
            one_line = _end(end).line == start.line
            length = _end(end).column - column + 1 if one_line else self._rest_of_line(start.line, column)
            span = Span(start.line + 1, column, max(1, length))
        elif closed.children:
            span = closed.children[0].span
        if isinstance(closed.event, yaml.SequenceStartEvent):
            return Listing(tuple(closed.children), span)
        return Mapping(tuple(self._entries(closed.children)), span)

    def _entries(self, children: list[Node]) -> Iterator[Entry]:
        seen: dict[str, Span] = {}
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, Scalar) or key.is_null:
                if not isinstance(key, Broken):
                    self.report.add("BC015", key, "a key that cannot be a name", required="a name before ':'")
            elif key.plain and key.text == "<<":
                self.report.add(
                    "BC016",
                    key,
                    "merge keys are not part of the language",
                    hint="define the value under 'choices' or write it out",
                )
            elif key.text in seen:
                self.report.add(
                    "BC011",
                    key,
                    f"'{key.text}' is given twice in one mapping",
                    required="each key once",
                    given=f"the first is in line {seen[key.text].line}",
                )
            else:
                seen[key.text] = key.span
                yield Entry(key, value)

    def _check_tag(self, event: yaml.Event, tag: str | None) -> None:
        if tag is None:
            return
        start = _start(event)
        written = _TAG.search(self.text, start.index)
        assert written is not None, "a tag begins with '!'"
        column = start.column + 1 + written.start() - start.index
        self.report.add(
            "BC016",
            Span(start.line + 1, column, len(written.group())),
            "tags are not part of the language",
            required="a value without '!'",
            given=f"'{shortened(written.group())}'",
        )

    def _rest_of_line(self, line: int, column: int) -> int:
        return max(1, len(self.report.lines[line].rstrip()) - column + 1)

    def _point(self, mark: yaml.Mark) -> Span:
        return Span(mark.line + 1, mark.column + 1, 1)


def _start(event: yaml.Event) -> yaml.Mark:
    mark = event.start_mark
    assert isinstance(mark, yaml.Mark), "the parser in Python marks every event"
    return mark


def _end(event: yaml.Event) -> yaml.Mark:
    mark = event.end_mark
    assert isinstance(mark, yaml.Mark), "the parser in Python marks every event"
    return mark


def _report_syntax(problem: yaml.MarkedYAMLError, text: str, report: Report) -> None:
    mark = problem.problem_mark or problem.context_mark
    if mark is None:
        report.add("BC005", None, f"{report.file} is not YAML: {_in_words(problem.problem)}")
        return
    span = Span(mark.line + 1, mark.column + 1, 1)
    if text[mark.index : mark.index + 1] == "\t":
        report.add(
            "BC006",
            span,
            "a tab where YAML allows only spaces",
            required="spaces",
            hint="set your editor to write spaces for YAML",
        )
        return
    context = ""
    if problem.context:
        context = f" ({problem.context}"
        if problem.context_mark and problem.context_mark.line != mark.line:
            context += f" that begins in line {problem.context_mark.line + 1}"
        context += ")"
    hint = None
    if text[max(0, mark.index - 1) : mark.index + 1] == "${":
        hint = 'inside [...] and {...} write "${name}" in quotes'
    report.add("BC005", span, f"not YAML: {_in_words(problem.problem)}{context}", hint=hint)


def _in_words(problem: str | None) -> str:
    """PyYAML's reason, with its names for what is not text."""
    words = {"'<stream end>'": "the end of the file", "found '\\x00'": "found the end of the file"}
    text = problem or "unknown reason"
    for name, meaning in words.items():
        text = text.replace(name, meaning)
    return shortened(text, 200)
