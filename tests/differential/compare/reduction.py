"""From a failing network to a small one that still fails.

Hypothesis would shrink, too, but knows nothing of what a part of a network costs or means, and each try may
compile a loop for seconds. These edits start with what takes most away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from time import monotonic
from typing import Any

from generate.networks import Document

from hw_models.diagnostics import BurstchipError
from hw_models.plasticity.grammar import learning_rule

#: Seconds after which the smallest network so far has to do.
PATIENCE_S = 300

Trouble = Callable[[Document], str | None]
Network = dict[str, Any]
Edit = Callable[[Network, dict[str, Any]], None]


def reduced(document: Document, trouble: Trouble) -> tuple[Document, str]:
    """A smaller document with trouble of the same kind, and that trouble in words."""
    end = monotonic() + PATIENCE_S
    words = trouble(document)
    if words is None:
        return document, "the failure does not repeat"
    progress = True
    while progress:
        progress = False
        position = 0
        while monotonic() < end:
            edit = next(_from(_edits(document.network), position), None)
            if edit is None:
                break
            smaller = _edited(document, edit)
            found = None if smaller is None else trouble(smaller)
            if smaller is not None and found is not None and _kind(found) == _kind(words):
                # What stood behind the edit now stands in its place.
                document, words, progress = smaller, found, True
            else:
                position += 1
    return document, words


def _kind(trouble: str) -> str:
    return trouble.partition(":")[0]


def _from(edits: Iterator[Edit], position: int) -> Iterator[Edit]:
    return (edit for number, edit in enumerate(edits) if number >= position)


def _edited(document: Document, edit: Edit) -> Document | None:
    network, files = deepcopy(dict(document.network)), deepcopy(dict(document.files))
    try:
        edit(network, files)
    except (BurstchipError, KeyError):
        return None
    if network == document.network and files == document.files:
        return None
    return Document(network, files)


def _edits(network: Any) -> Iterator[Edit]:
    """Every edit that may apply, those that take most away first."""
    if "task" in network:
        yield lambda net, files: _without_task(net)
    for name in network.get("signals", {}):
        yield lambda net, files, name=name: _without_signals(net, lambda key, _: key == name)
    for name in network["populations"]:
        yield lambda net, files, name=name: _without_population(net, name)
    for i in range(len(network["projections"])):
        yield lambda net, files, i=i: net["projections"].pop(i)
    for i in range(len(network["projections"])):
        yield lambda net, files, i=i: net["projections"][i].pop("learn")
    used = {projection.get("learn") for projection in network["projections"]}
    for name in network.get("plasticity", {}):
        if name not in used:
            yield lambda net, files, name=name: net["plasticity"].pop(name)
    yield lambda net, files: [_resized(net, files, name, 1) for name in net["populations"]]
    for name, population in network["populations"].items():
        for size in (1, population["size"] // 2, population["size"] - 1):
            if 0 < size < population["size"]:
                yield lambda net, files, name=name, size=size: _resized(net, files, name, size)
    for name, plasticity in network.get("plasticity", {}).items():
        yield from _plasticity_edits(name, plasticity)
    for i, projection in enumerate(network["projections"]):
        yield from _projection_edits(i, projection)
    for name, population in network["populations"].items():
        yield from _population_edits(name, population)
    yield lambda net, files: net.update(seed=0)
    yield lambda net, files: net.update(step="1 ms")


def _without_signals(network: dict[str, Any], gone: Callable[[str, str], bool]) -> None:
    """Without those signals of which `gone(name, population)` holds."""
    listed = network.get("signals", {})
    kept = {name: it for name, it in listed.items() if not gone(name, it["to"].split(".")[0])}
    network.pop("signals", None)
    if kept:
        network["signals"] = kept


def _without_task(network: dict[str, Any]) -> None:
    """Its source then has a rate of its own."""
    source = network["populations"][network.pop("task")["input"]]
    source["rate"] = source.pop("max_rate")


def _parts(values: list[Any]) -> tuple[list[Any], ...]:
    return values[: len(values) // 2], values[len(values) // 2 :], values[1:]


def _population_edits(name: str, population: Any) -> Iterator[Edit]:
    for key, value in population.items():
        if key in ("model", "size"):
            continue
        if key == "events":
            for part in _parts(value):
                yield lambda net, files, part=part: net["populations"][name].update(events=part)
            continue
        yield lambda net, files, key=key: net["populations"][name].pop(key)
        if isinstance(value, list):
            yield lambda net, files, key=key, one=value[0]: net["populations"][name].update({key: one})


def _projection_edits(i: int, projection: Any) -> Iterator[Edit]:
    for key in ("delay", "weight_bits"):
        if key in projection:
            yield lambda net, files, key=key: net["projections"][i].pop(key)
    if isinstance(projection.get("delay"), dict):
        for time in projection["delay"]["uniform"]:
            yield lambda net, files, time=time: net["projections"][i].update(delay=time)
    limit = projection.get("limit")
    if projection["connectivity"] != "dense":
        yield lambda net, files: _dense(net, files, i)
    if isinstance(projection["connectivity"], dict) and "pairs" in projection["connectivity"]:
        pairs = projection["connectivity"]["pairs"]
        for part in _parts(pairs):
            yield lambda net, files, part=part: net["projections"][i]["connectivity"].update(pairs=part)
    if isinstance(projection.get("weight"), dict) and limit is not None:
        yield lambda net, files: net["projections"][i].update(weight=limit)
        yield lambda net, files: net["projections"][i].update(weight=f"-{limit}")
        yield lambda net, files: net["projections"][i].update(weight={"uniform": [f"-{limit}", limit]})


def _plasticity_edits(name: str, plasticity: Any) -> Iterator[Edit]:
    rules = {key: plasticity[key] for key in ("dw", "dt", "dd") if key in plasticity}
    for key in rules if len(rules) > 1 else ():
        yield lambda net, files, key=key: _with_rules(net, name, {k: v for k, v in rules.items() if k != key})
    if rules:
        for change in learning_rule(**rules).sums:
            products = change.products
            for k in range(len(products) if len(products) > 1 else 0):
                fewer = str(type(change)(change.target, products[:k] + products[k + 1 :]))
                text = {change.target: fewer}
                yield lambda net, files, text=text: _with_rules(net, name, {**rules, **text})
    if plasticity.get("rounding") == "lava":
        yield lambda net, files: net["plasticity"][name].update(rounding="per_synapse")
    yield lambda net, files: net["plasticity"][name].update(every=net["step"])


def _with_rules(network: Network, name: str, rules: dict[str, str]) -> None:
    """Other rules, and of the traces only those that they read."""
    plasticity = {k: v for k, v in network["plasticity"][name].items() if k not in ("dw", "dt", "dd")}
    listed = plasticity.pop("traces", None) or [plasticity.pop("trace")]
    read = " ".join(rules.values())
    traces = [trace for trace in listed if trace["name"] in read]
    network["plasticity"][name] = {**plasticity, "traces": traces, **rules}


def _without_population(network: Network, name: str) -> None:
    del network["populations"][name]
    _without_signals(network, lambda _, population: population == name)
    network["projections"] = [
        projection
        for projection in network["projections"]
        if name not in (projection["from"].split(".")[0], projection["to"].split(".")[0])
    ]
    if network.get("task") and name in (network["task"]["input"], network["task"]["readout"]):
        del network["task"]


def _dense(network: Network, files: dict[str, Any], i: int) -> None:
    """All neurons connected, with a weight and a delay where the connectivity brought them."""
    projection = network["projections"][i]
    connectivity = projection["connectivity"]
    if isinstance(connectivity, dict) and "file" in connectivity:
        matrix = files.pop(connectivity["file"])
        greatest = max((abs(weight) for row in matrix for weight in row), default=0)
        unit = "" if projection["to"].endswith(".dendrite") else " mV"
        projection.setdefault("weight", projection.get("limit", f"{greatest:.6g}{unit}"))
    elif isinstance(connectivity, dict) and len(connectivity.get("pairs", [[]])[0]) > 2:
        _, _, weight, *delay = connectivity["pairs"][0]
        projection.setdefault("weight", projection.get("limit", weight))
        if delay:
            projection.setdefault("delay", delay[0])
    projection["connectivity"] = "dense"


def _resized(network: Network, files: dict[str, Any], name: str, size: int) -> None:
    """A population with its first `size` neurons alone."""
    population = network["populations"][name]
    population["size"] = size
    for key, value in population.items():
        if key == "events":
            population[key] = [event for event in value if event[0] < size]
        elif isinstance(value, list):
            population[key] = value[:size]
        elif key == "initial":
            population[key] = {
                state: start[:size] if isinstance(start, list) else start for state, start in value.items()
            }
    for projection in network["projections"]:
        ends = projection["from"].split(".")[0], projection["to"].split(".")[0]
        connectivity = projection["connectivity"]
        if name not in ends or not isinstance(connectivity, dict):
            continue
        if "pairs" in connectivity:
            kept = [
                pair
                for pair in connectivity["pairs"]
                if all(pair[k] < size for k in (0, 1) if ends[k] == name)
            ]
            connectivity["pairs"] = kept
        if "in_degree" in connectivity and ends[0] == name:
            connectivity["in_degree"] = min(connectivity["in_degree"], size)
        if "file" in connectivity:
            matrix = files[connectivity["file"]]
            matrix = matrix[:size] if ends[1] == name else matrix
            files[connectivity["file"]] = [row[:size] for row in matrix] if ends[0] == name else matrix
