"""YAML: the tree of a text with a node changed."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from fuzzing.yaml_texts import alter_text

#: Scalars that are put in the place of others.
SCALARS = tuple((Path(__file__).parent / "scalars.txt").read_text(encoding="utf-8").split("\n"))
_NUMBER = re.compile(r"^(-?\d+(?:\.\d+)?)(.*)$", re.S)
NUMBERS = (
    "0", "-1", "1e9", "1e-9", "1e300", "nan", "inf", "0.3", "7", "255", "256", "257", "32768", "65536",
    "1000000", "1e-320", "-0", "3.5", "1e19", "+5",
)  # fmt: skip
TREE_WAYS = (
    "scalar", "scalar", "number", "number", "number", "nudge", "nudge", "nudge", "nudge", "again", "again",
    "drop", "drop", "kind", "kind", "double key", "rename", "move", "move", "repeat", "graft", "graft",
    "graft", "swap", "nest", "empty", "tag", "alias", "merge",
)  # fmt: skip
NAMED = "tag:yaml.org,2002:"


def nodes_of(node: Node) -> Iterator[Node]:
    """All nodes of a tree, each once."""
    seen: set[int] = set()
    left = [node]
    while left:
        it = left.pop()
        if id(it) in seen:
            continue
        seen.add(id(it))
        yield it
        if isinstance(it, SequenceNode):
            left += it.value
        elif isinstance(it, MappingNode):
            left += [part for pair in it.value for part in pair]


def scalar(text: str) -> ScalarNode:
    """A scalar, plain where YAML allows it."""
    return ScalarNode(f"{NAMED}str", text)


def alter_yaml(path: Path, draw: Random, others: Sequence[Path] = ()) -> str:
    """Change a YAML file; parts of `others` may be put in."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader) if draw.random() < 0.8 else None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        text, root = data.decode("utf-8", "replace"), None
    if root is None or not isinstance(root, MappingNode | SequenceNode):
        changed, said = alter_text(text, draw)
        path.write_bytes(changed)
        return said
    said = _alter_tree(root, draw, others)
    try:
        path.write_text(
            yaml.serialize(root, allow_unicode=True, width=10**6), encoding="utf-8", errors="replace"
        )
    except (yaml.YAMLError, RecursionError):
        path.write_bytes(alter_text(text, draw)[0])
    return said


def _collection(root: Node, draw: Random) -> MappingNode | SequenceNode:
    found = [it for it in nodes_of(root) if isinstance(it, MappingNode | SequenceNode) and it.value]
    return draw.choice(found) if found else root  # type: ignore[return-value]


def _alter_tree(root: Node, draw: Random, others: Sequence[Path]) -> str:
    how, within = draw.choice(TREE_WAYS), _collection(root, draw)
    if not within.value:
        within.value = []
        return "nothing inside"
    at = draw.randrange(len(within.value))
    entry = within.value[at]
    mapping = isinstance(within, MappingNode)
    key, value = entry if mapping else (None, entry)
    where = getattr(key, "value", at)

    def put(new: Node) -> None:
        within.value[at] = (key, new) if mapping else new

    if how == "nudge":
        numbers = [it for it in nodes_of(root) if isinstance(it, ScalarNode) and _NUMBER.match(str(it.value))]
        if numbers:
            it = draw.choice(numbers)
            found = _NUMBER.match(it.value)
            assert found is not None
            value = float(found.group(1))
            ways = (value + 1, value * 2, value / 2, value * 10, value / 10, -value, 0, 1)
            it.value = f"{draw.choice(ways):.12g}{found.group(2)}"
    elif how == "again":
        # One name in the place of another: an address, a model, a rule.
        texts = [it for it in nodes_of(root) if isinstance(it, ScalarNode)]
        draw.choice(texts).value = draw.choice(texts).value
    elif how == "number" and isinstance(value, ScalarNode) and (found := _NUMBER.match(str(value.value))):
        put(ScalarNode(value.tag, draw.choice(NUMBERS) + found.group(2), style=value.style))
    elif how == "drop":
        del within.value[at]
    elif how == "kind":
        put(
            draw.choice(
                (
                    SequenceNode(f"{NAMED}seq", [value]),
                    MappingNode(f"{NAMED}map", [(scalar("a"), value)]),
                    scalar("x"),
                    SequenceNode(f"{NAMED}seq", []),
                    MappingNode(f"{NAMED}map", []),
                )
            )
        )
    elif how == "double key":
        within.value.insert(draw.randrange(len(within.value) + 1), copy.deepcopy(entry))
    elif how == "rename" and mapping:
        name = draw.choice(
            (f"{key.value}x", str(key.value)[:-1], draw.choice(SCALARS), str(key.value).upper())
        )
        within.value[at] = (
            draw.choice((scalar(name), scalar(name), SequenceNode(f"{NAMED}seq", [key]))),
            value,
        )
    elif how in ("move", "swap"):
        other = _collection(root, draw)
        place = draw.randrange(len(other.value))
        theirs = other.value[place]
        taken = copy.deepcopy(theirs[1] if isinstance(other, MappingNode) else theirs)
        if how == "swap":
            given = copy.deepcopy(value)
            other.value[place] = (theirs[0], given) if isinstance(other, MappingNode) else given
        if at < len(within.value):
            put(taken)
    elif how == "repeat":
        within.value += [copy.deepcopy(entry) for _ in range(draw.choice((1, 2, 50, 500)))]
    elif how == "graft" and others:
        _graft(within, at, draw, others)
    elif how == "nest":
        for _ in range(draw.choice((1, 3, 30, 40))):
            value = SequenceNode(f"{NAMED}seq", [value])
        put(value)
    elif how == "empty":
        within.value = []
    elif how == "tag" and isinstance(value, Node):
        value.tag = draw.choice(
            (
                "!x",
                f"{NAMED}python/object/apply:os.system",
                f"{NAMED}binary",
                f"{NAMED}int",
                f"{NAMED}set",
                "!",
            )
        )
    elif how == "alias":
        put(draw.choice(list(nodes_of(root))))
    elif how == "merge" and mapping:
        within.value.append(
            (
                scalar("<<"),
                copy.deepcopy(draw.choice([it for it in nodes_of(root) if isinstance(it, MappingNode)])),
            )
        )
    else:
        how = "scalar"
        put(ScalarNode(f"{NAMED}str", draw.choice(SCALARS), style=draw.choice((None, None, '"', "'"))))
    return f"{where} {how}"[:80]


def _graft(within: MappingNode | SequenceNode, at: int, draw: Random, others: Sequence[Path]) -> None:
    """A part of another file, under the same key where there is one."""
    text = draw.choice(others).read_text(encoding="utf-8")
    donor = yaml.compose(text, Loader=yaml.SafeLoader)
    if donor is None:
        return
    if isinstance(within, SequenceNode):
        lists = [it for it in nodes_of(donor) if isinstance(it, SequenceNode) and it.value]
        if lists:
            within.value.append(draw.choice(draw.choice(lists).value))
        return
    key = within.value[at][0]
    pairs = [pair for it in nodes_of(donor) if isinstance(it, MappingNode) for pair in it.value]
    same = [pair for pair in pairs if pair[0].value == key.value]
    if same and draw.random() < 0.7:
        within.value[at] = (key, draw.choice(same)[1])
    elif pairs:
        within.value.append(draw.choice(pairs))
