"""What a value of the language may be, as data.

`language.py` builds the whole language from these; `reading.py` checks a file against it and `schema.py`
writes it as JSON Schema, so that neither can know a key that the other does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hw_models.neurons.model import Dimension


@dataclass(frozen=True)
class QuantityOf:
    """A number of this dimension, within bounds in its base unit; any dimension where `dimension` is None.

    `above` is a bound that is itself not allowed.
    """

    dimension: Dimension | None
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    whole: bool = False


@dataclass(frozen=True)
class Whole:
    """A whole number from `minimum` to `maximum`."""

    minimum: int
    maximum: int


@dataclass(frozen=True)
class Word:
    """One of these words."""

    options: tuple[str, ...]
    #: What the words are, for messages: "target".
    what: str
    #: The id of the message about another word.
    id: str = "BC108"
    #: What else is allowed in place of the word.
    otherwise: str = ""


@dataclass(frozen=True)
class Name:
    """A name, perhaps of something that is defined elsewhere in the file."""

    what: str


@dataclass(frozen=True)
class Text:
    """A text that another part of the program understands."""

    what: str
    #: Characters that it may have, as the inside of a regular expression's brackets, and in words.
    characters: str | None = None
    in_words: str = ""


@dataclass(frozen=True)
class Address:
    """`population` or `population.port`."""

    what: str


@dataclass(frozen=True)
class Anything:
    """A value that is looked at elsewhere; a single one where `single` is set."""

    what: str
    single: bool = False


@dataclass(frozen=True)
class ListOf:
    """Any number of items of one kind, at least `fewest`."""

    item: Kind
    what: str
    fewest: int = 0
    #: How messages call an item: "projection" for "projection 3".
    called: str = "item"


@dataclass(frozen=True)
class Row:
    """A list with these items in this order, of which the last `optional` may be left out."""

    items: tuple[Kind, ...]
    what: str
    #: How messages call the items.
    names: tuple[str, ...]
    optional: int = 0


@dataclass(frozen=True)
class Named:
    """A mapping from names to values of one kind."""

    item: Kind
    #: What the names name: "population".
    what: str
    fewest: int = 0
    plural: str | None = None


@dataclass(frozen=True)
class Key:
    """A key of a record. `default` is the text that stands for its absence where it has a default."""

    name: str
    kind: Kind
    doc: str
    required: bool = False
    default: str | None = None


@dataclass(frozen=True)
class Record:
    """A mapping with these keys.

    `one_of` lists groups of alternatives: of each group exactly one alternative is present, and an
    alternative is present where one of its keys is. `together` lists keys that come together or not at all.
    Of each pair in `apart` at most one key is present.
    """

    keys: tuple[Key, ...]
    what: str
    one_of: tuple[tuple[tuple[str, ...], ...], ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    apart: tuple[tuple[str, str], ...] = ()

    def key(self, name: str) -> Key | None:
        """The key of this name, or None."""
        return next((key for key in self.keys if key.name == name), None)


@dataclass(frozen=True)
class Variants:
    """A record whose keys depend on the word under `selector`, or on `default` where that is not given."""

    selector: Key
    records: Mapping[str, Record]
    what: str


@dataclass(frozen=True)
class Forms:
    """A value that may be written in several ways: a single value, a list, or one of several mappings.

    A mapping is of that record whose first key it has.
    """

    what: str
    single: Kind | None = None
    listing: Kind | None = None
    records: tuple[Record, ...] = ()


Kind = (
    QuantityOf
    | Whole
    | Word
    | Name
    | Text
    | Address
    | Anything
    | ListOf
    | Row
    | Named
    | Record
    | Variants
    | Forms
)
