"""What reading a value gives: amounts, addresses, and the fields of a mapping, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from burstchip.frontend.kinds import Key
from burstchip.frontend.tree import Node, Scalar
from burstchip.frontend.units import Quantity

T = TypeVar("T")


def label_of(key: str, owner: str) -> str:
    """How messages name the value under `key` of `owner`."""
    if owner == "the network":
        return f"'{key}'"
    top_level = re.fullmatch("'([a-z]+)'", owner)
    return f"'{key}' of {f'the {top_level.group(1)}' if top_level else owner}"


@dataclass(frozen=True)
class Amount:
    """A quantity and its place."""

    quantity: Quantity
    node: Scalar

    @property
    def value(self) -> float:
        """The number in the base unit of its dimension."""
        return self.quantity.value


@dataclass(frozen=True)
class AddressText:
    """An address as written: `population` or `population.port`."""

    population: str
    port: str | None
    node: Scalar


@dataclass(frozen=True)
class Items:
    """The items of a list; None in place of one that could not be read."""

    values: tuple[object, ...]
    nodes: tuple[Node, ...]

    def of(self, kind: type[T]) -> Iterator[tuple[int, T, Node]]:
        """Number (from 0), value and place of every item that could be read."""
        for index, (value, node) in enumerate(zip(self.values, self.nodes, strict=True)):
            if value is not None:
                assert isinstance(value, kind)
                yield index, value, node

    @property
    def complete(self) -> bool:
        """Whether every item could be read."""
        return all(value is not None for value in self.values)


@dataclass(frozen=True)
class Entries:
    """The entries of a mapping from names; None in place of a value that could not be read."""

    values: tuple[tuple[Scalar, object], ...]

    def of(self, kind: type[T]) -> Iterator[tuple[Scalar, T]]:
        """Name and value of every entry that could be read."""
        for key, value in self.values:
            if value is not None:
                assert isinstance(value, kind)
                yield key, value

    @property
    def names(self) -> tuple[str, ...]:
        """All names, also of values that could not be read."""
        return tuple(key.text for key, _ in self.values)


@dataclass(frozen=True)
class Fields:
    """The keys of a record that were given, and the values of those that could be read.

    `variant` is the word that chose the record, or None where that word was missing or wrong.
    """

    label: str
    at: Node
    nodes: Mapping[str, Node]
    values: Mapping[str, object]
    variant: str | None = None
    #: Keys that were left out and have a default.
    defaults: tuple[Key, ...] = ()

    def get(self, key: str, kind: type[T]) -> T | None:
        """The value under `key`; None where it is absent or could not be read."""
        value = self.values.get(key)
        assert value is None or isinstance(value, kind), f"'{key}' is a {type(value).__name__}"
        return value

    def number(self, key: str) -> float | None:
        """The value of a quantity in base units."""
        amount = self.get(key, Amount)
        return None if amount is None else amount.value

    def name_of(self, key: str) -> str:
        """How messages name the value under a key."""
        return label_of(key, self.label)

    def given(self, key: str) -> bool:
        """Whether the key was written, readable or not."""
        return key in self.nodes

    def lost(self, *keys: str) -> bool:
        """Whether any of these was written but could not be read."""
        return any(key in self.nodes and key not in self.values for key in keys)
