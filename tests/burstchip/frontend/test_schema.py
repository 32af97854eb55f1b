"""The JSON Schema and the checker agree: on what is right, on what is wrongly built, on every key."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from burstchip.frontend import load, network_schema
from burstchip.frontend.compose import compose
from burstchip.frontend.kinds import Forms, Kind, ListOf, Named, Record, Row, Variants
from burstchip.frontend.language import language
from burstchip.frontend.report import Report
from burstchip.frontend.text import read_text
from burstchip.frontend.tree import Broken, Listing, Node, Scalar
from hw_models.neurons.registry import models

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
TEMPLATES = sorted(
    [*(ROOT / "burstchip" / "templates").rglob("*.yaml"), *(ROOT / "examples").rglob("*.yaml")]
)
BROKEN = sorted((HERE / "broken").glob("*.yaml"))

#: Mistakes of structure: those a schema can see, and must.
STRUCTURAL = {
    "BC012",
    "BC013",
    "BC014",
    "BC018",
    "BC019",
    "BC020",
    "BC031",
    "BC108",
    "BC109",
    "BC110",
    "BC123",
}

VALIDATOR = Draft202012Validator(network_schema())


def as_json(node: Node) -> Any:
    """The values as an editor reads them, by the core schema of YAML 1.2."""
    if isinstance(node, Listing):
        return [as_json(item) for item in node.items]
    if isinstance(node, Scalar):
        return _scalar(node)
    assert not isinstance(node, Broken)
    return {entry.key.text: as_json(entry.value) for entry in node.entries}


def _scalar(node: Scalar) -> Any:
    text = node.text
    if not node.plain:
        return text
    if node.is_null:
        return None
    if re.fullmatch("true|True|TRUE|false|False|FALSE", text):
        return text.lower() == "true"
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    special = {".inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}
    return special.get(text.lower(), text)


def read_json(path: Path) -> Any:
    """The file's values, or None where it is no YAML that has any."""
    report = Report(str(path))
    text = read_text(path, report)
    node = None if text is None else compose(text, report)
    return None if node is None or report.failed else as_json(node)


def schema_errors(value: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(value)]


def test_schema_is_one() -> None:
    Draft202012Validator.check_schema(network_schema())


def test_valid_networks_validate(valid_file: Path) -> None:
    assert load(valid_file).network is not None
    assert schema_errors(read_json(valid_file)) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_and_examples_validate(path: Path) -> None:
    assert load(path).network is not None
    assert schema_errors(read_json(path)) == []


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_mistakes_of_structure_fail_in_both(path: Path) -> None:
    ids = {message.id for message in load(path).diagnostics}
    value = read_json(path)
    if value is not None and ids & STRUCTURAL:
        assert schema_errors(value) != []


def test_enough_mistakes_of_structure_are_compared() -> None:
    compared = [
        p for p in BROKEN if {m.id for m in load(p).diagnostics} & STRUCTURAL and read_json(p) is not None
    ]
    assert len(compared) >= 25


def records(kind: Kind) -> Iterator[tuple[Record, ...]]:
    """All records of a kind; variants of one mapping come together."""
    if isinstance(kind, Record):
        yield (kind,)
        for key in kind.keys:
            yield from records(key.kind)
    elif isinstance(kind, Variants):
        yield tuple(kind.records.values())
        for record in kind.records.values():
            yield from records(record)
    elif isinstance(kind, Forms):
        for way in (kind.single, kind.listing, *kind.records):
            if way is not None:
                yield from records(way)
    elif isinstance(kind, Row):
        for item in kind.items:
            yield from records(item)
    elif isinstance(kind, (ListOf, Named)):
        yield from records(kind.item)


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """All subschemas that list the keys of a mapping and allow no other."""
    if isinstance(schema, dict):
        if schema.get("additionalProperties") is False:
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


def test_checker_and_schema_know_the_same_keys() -> None:
    table = {
        (tuple(key.name for key in record.keys), tuple(key.name for key in record.keys if key.required))
        for group in records(language(models()))
        for record in group
    }
    schema = {(tuple(o["properties"]), tuple(o["required"])) for o in objects(network_schema())}
    assert table == schema


def test_every_key_is_explained() -> None:
    for group in records(language(models())):
        for record in group:
            for key in record.keys:
                assert len(key.doc) > 5, key.name


VALUES = [read_json(path) for path in sorted((HERE / "valid").glob("*.yaml"))]

SCRAPS = st.sampled_from(
    [
        *(None, True, 0, 1, -3, 2.5, "x", "", "20 ms", "5 mV", "2^-3", "50 %", "hidden", "hidden.soma"),
        *("chip", "carry", "lif", "spike_list", "dense", "digits", "mnist"),
        *([], {}, [1], [[0, 1]], [[0, "1 ms"]], ["hidden.v"]),
        *({"uniform": ["1 mV", "2 mV"]}, {"uniform": [1]}, {"probability": 0.5}, {"pairs": [[0, 0]]}),
        *({"model": "lif"}, {"model": "lif", "size": 3}, {"form": "carry"}),
        {"name": "x1", "tau": "2 ms", "increment": 3},
        {"file": "own_data.npz"},
    ]
)
KEYS = st.sampled_from(
    [
        *("model", "size", "events", "rate", "max_rate", "tau_membrane", "seed", "task", "probes"),
        *("form", "trace", "traces", "every", "rounding", "dw", "learning_rate", "consolidation_rate"),
        *(
            "consolidate_every",
            "from",
            "to",
            "weight",
            "connectivity",
            "learn",
            "delay",
            "data",
            "split",
            "input",
        ),
    ]
)


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """A network that is right but for a few values replaced, removed, renamed or added."""

    def copy(value: Any, path: tuple[Any, ...], change: tuple[tuple[Any, ...], str, Any, str]) -> Any:
        where, what, scrap, key = change
        if path == where and what == "replace":
            return scrap
        if isinstance(value, dict):
            items = {k: copy(v, (*path, k), change) for k, v in value.items()}
            for name in list(items):
                if (*path, name) == where and what in ("remove", "rename"):
                    old = items.pop(name)
                    if what == "rename":
                        items[key] = old
            if path == where and what == "add":
                items[key] = scrap
            return items
        if isinstance(value, list):
            kept = [
                copy(v, (*path, i), change)
                for i, v in enumerate(value)
                if not ((*path, i) == where and what == "remove")
            ]
            return [*kept, scrap] if path == where and what == "add" else kept
        return value

    def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        yield path
        children = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for name, child in children:
            yield from paths(child, (*path, name))

    value = draw(st.sampled_from(VALUES))
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.sampled_from(sorted(paths(value), key=repr)))
        what = draw(st.sampled_from(["replace", "remove", "rename", "add"]))
        value = copy(value, (), (where, what, draw(SCRAPS), draw(KEYS)))
    return value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=changed())
def test_checker_and_schema_agree_on_changed_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("net.yaml")
    path.write_text(yaml.safe_dump(value, allow_unicode=True))
    result = load(path)
    errors = {message.id for message in result.diagnostics if message.severity == "error"}
    # What a reference stands for is beyond a schema, and so what a branch of `choices` is read as.
    visible = {
        message.id
        for message in result.diagnostics
        if " from net.yaml" not in (message.given or "") and not message.message.startswith("with ")
    }
    written = read_json(path)
    if written is None:
        return
    found = schema_errors(written)
    if found:
        assert errors, f"only the schema objects: {found[:3]}"
    if visible & STRUCTURAL:
        assert found, f"only the checker objects: {visible}"
