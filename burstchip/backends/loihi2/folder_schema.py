"""What the JSON files of a deployment hold, as types: they are read through these, and nothing else is used.

Each type checks what one file says of itself; `folder_checks.py` checks what they say of each other and
of the tensors. `docs/deployment.md` describes every entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from hw_models.chips.chip import CHIPS
from hw_models.plasticity.rule import (
    EXPONENTS,
    MANTISSAS,
    Condition,
    FactorKind,
    Target,
    constant_range,
)
from hw_models.synapses.memory import FORMAT_BITS, Sign

FORMAT = "burstchip deployment"
VERSION = 2

Name = Annotated[str, Meta(min_length=1)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Index = Annotated[int, Meta(ge=0)]
#: As `verify_chip_program` bounds them.
Stream = Annotated[int, Meta(ge=0, lt=1 << 32)]
Integer = Annotated[int, Meta(ge=-(1 << 31), lt=1 << 32)]
Seed = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Size = Annotated[int, Meta(ge=1, lt=1 << 32)]
#: Weights and delays have 16 bits in an artifact. The fields of a synapse together fit a word.
FieldBits = Annotated[int, Meta(ge=0, lt=16)]


#: In place of the number of a neurocore.
HOST = -1


def file_name(core: int) -> str:
    """The name, without its ending, of the files of a neurocore or of the host."""
    return "host" if core == HOST else f"core-{core:04}"


def _each_once(where: str, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        raise ValueError(f"names repeat in `$.{where}`")


class Head(Struct, frozen=True):
    """What the manifest of every version has."""

    format: Literal["burstchip deployment"]
    version: Annotated[int, Meta(ge=1)]


class Manifest(Head, frozen=True, forbid_unknown_fields=True):
    """`manifest.json`: what was deployed, and the SHA-256 of every other file.

    `target` is what the artifact was compiled for, where that is another chip. Of a chip of the user's own it
    says how many compartments a neurocore has.
    """

    cores: Annotated[int, Meta(ge=0, lt=1 << 31)]
    name: str
    chip: Name
    seed: Seed
    artifact_sha256: Sha256
    populations: tuple[Name, ...]
    projections: tuple[Name, ...]
    assumed: tuple[str, ...]
    files: dict[str, Sha256]
    target: Name | None = None
    compartments: Size | None = None

    def __post_init__(self) -> None:
        _each_once("populations", self.populations)
        _each_once("projections", self.projections)
        if self.compartments is None and self.chip not in CHIPS:
            raise ValueError(f"`$.chip` is '{self.chip}', without `$.compartments`")
        # Counted first: the number may be any.
        if len(self.files) != 2 * (self.cores + 1):
            raise ValueError(f"`$.files` names {len(self.files)} files of {self.cores} neurocores and a host")
        for name in map(file_name, range(HOST, self.cores)):
            if not {f"{name}.json", f"{name}.safetensors"} <= self.files.keys():
                raise ValueError(f"`$.files` does not name both files of {name}")


class Sender(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What neurons of one population share, on the host or on a neurocore."""

    population: Name
    model: str
    program_sha256: Sha256
    outputs: tuple[Name, ...]
    stream: Stream
    gather_every: Stream
    neurons: Size


class HostTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`host.json`: the sources in the order in which the host numbers them."""

    sources: tuple[Sender, ...]

    def __post_init__(self) -> None:
        _each_once("sources[...].population", [source.population for source in self.sources])


class Format(Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of `SynapseFormat`."""

    sign: Sign
    weight_bits: Annotated[int, Meta(ge=1, lt=16)]
    weight_shift: FieldBits
    weight_exp: Annotated[int, Meta(ge=-32, le=32)]
    delay_bits: FieldBits
    tag_bits: FieldBits
    index_bits: FieldBits
    dense: bool

    def __post_init__(self) -> None:
        if self.dense and self.index_bits:
            raise ValueError("a dense list with `index_bits`")


class Group(Struct, frozen=True, forbid_unknown_fields=True):
    """The part of a projection that ends on one neurocore; numbers of its format and its learning rule.

    Where lists are `shared`, several axons name one list, and each adds its first compartment to the indices.
    """

    projection: Name
    format: Index
    learning: Index | None
    shared: bool = False


class Trace(Struct, frozen=True, forbid_unknown_fields=True):
    """A presynaptic trace; `tau` is the exact ratio of two integers."""

    kind: Literal["lava", "plain"]
    name: Literal["x1", "x2", "y1", "y2", "y3"]
    tau: tuple[int, int]
    decay: Integer
    impulse: Integer

    def __post_init__(self) -> None:
        numerator, denominator = self.tau
        try:
            sound = denominator > 0 and (numerator / denominator).as_integer_ratio() == self.tau
        except OverflowError:
            sound = False
        if not sound:
            raise ValueError("`tau` is not the ratio of a number")


class TermFactor(Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """A variable, or its sign, and the constant added to it."""

    kind: FactorKind
    constant: int

    def __post_init__(self) -> None:
        low, high = constant_range(self.kind)
        if not low <= self.constant <= high:
            raise ValueError(f"{self.constant} is added to {self.kind}, which takes {low} to {high}")


class Term(Struct, frozen=True, forbid_unknown_fields=True):
    """One product of a learning rule."""

    target: Target
    condition: Condition
    factors: tuple[TermFactor, ...]
    mantissa: Annotated[int, Meta(ge=MANTISSAS[0], le=MANTISSAS[1])]
    exponent: Annotated[int, Meta(ge=EXPONENTS[0], le=EXPONENTS[1])]
    shift: Index

    def __post_init__(self) -> None:
        if self.mantissa == MANTISSAS[0] and self.exponent != EXPONENTS[1]:
            raise ValueError(f"`mantissa` {self.mantissa} stands only beside `exponent` {EXPONENTS[1]}")


class Learning(Struct, frozen=True, forbid_unknown_fields=True):
    """All that a learning engine receives."""

    form: Literal["chip"]
    rounding: Literal["lava", "per_synapse"]
    every: Annotated[int, Meta(ge=1, lt=1 << 32)]
    shift: Integer
    consolidate_every: Integer
    stream: Integer
    trace_stream: Integer
    seed: Seed | None
    postsynaptic: Name
    traces: tuple[Trace, ...]
    terms: Annotated[tuple[Term, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if len({term.condition for term in self.terms if term.condition.startswith("u")}) > 1:
            raise ValueError("`terms` have conditions uK of several K")


class PieceTable(Sender, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Neurons of one population on a neurocore; `N.index` has their numbers in the population."""

    ports: tuple[Name, ...]

    @property
    def compartments(self) -> int:
        """How many compartments they take."""
        return self.neurons * max(1, len(self.ports))


class CoreTable(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`core-0000.json` and so on: pieces of populations, and what ends on them; `tile` is (column, row)."""

    core: Index
    tile: tuple[Index, Index]
    pieces: Annotated[tuple[PieceTable, ...], Meta(min_length=1)]
    formats: Annotated[tuple[Format, ...], Meta(max_length=1 << FORMAT_BITS)]
    groups: tuple[Group, ...]
    learning: tuple[Learning, ...]

    def __post_init__(self) -> None:
        _each_once("pieces[...].population", [piece.population for piece in self.pieces])
        _each_once("groups[...].projection", [group.projection for group in self.groups])
        for number, group in enumerate(self.groups):
            for field, known in (("format", self.formats), ("learning", self.learning)):
                index = getattr(group, field)
                if index is not None and index >= len(known):
                    raise ValueError(f"`$.groups[{number}].{field}` is {index}, and there are {len(known)}")

    @property
    def compartments(self) -> int:
        """How many compartments all pieces take."""
        return sum(piece.compartments for piece in self.pieces)
