"""The values that a file leaves to their defaults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from burstchip.frontend.fields import Entries, Fields, Items
from burstchip.frontend.populations import replaced
from burstchip.frontend.projections import is_present
from burstchip.frontend.task import unread_rate
from compiler.ir.network import Network


@dataclass(frozen=True)
class Default:
    """A value that was not given: what of, which key, the default as one would write it, and its meaning."""

    owner: str
    key: str
    value: str
    doc: str


def read_defaults(root: Fields, network: Network, seed: int | None) -> tuple[Default, ...]:
    """Every default that the network takes, in the order of the file.

    What is not read takes no default: the seed where one came with the call, the rate of a source that
    takes its rates from samples.
    """
    task = root.get("task", Fields)
    presented = task.get("input", str) if task is not None else None
    found: list[Default] = []
    for owner, fields, unread in _owners(root, network, presented, seed):
        found += [
            Default(owner, key.name, key.default, key.doc)
            for key in fields.defaults
            if key.default is not None and key.name not in unread
        ]
    return tuple(found)


def _owners(
    root: Fields, network: Network, presented: str | None, seed: int | None
) -> Iterator[tuple[str, Fields, tuple[str, ...]]]:
    """Whatever has keys: what it is called, its fields, and the keys that it does not read."""
    yield "the network", root, () if seed is None else ("seed",)
    for key, fields in (root.get("populations", Entries) or Entries(())).of(Fields):
        unread = replaced(network.models[fields.variant or ""], fields)
        yield f"population {key.text}", fields, (*unread, unread_rate(key.text == presented))
    for key, fields in (root.get("plasticity", Entries) or Entries(())).of(Fields):
        yield f"plasticity {key.text}", fields, ()
    for key, fields in (root.get("signals", Entries) or Entries(())).of(Fields):
        yield f"signal {key.text}", fields, ()
    listed = (fields for _, fields, _ in (root.get("projections", Items) or Items((), ())).of(Fields))
    for projection, fields in zip(network.projections, filter(is_present, listed), strict=True):
        yield f"projection {projection.name}", fields, ()
    task = root.get("task", Fields)
    if task is not None:
        own = network.task is not None and network.task.file is not None and network.task.file.test_share
        yield "the task", task, ("split",) if own is None else ()
