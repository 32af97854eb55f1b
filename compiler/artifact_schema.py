"""What the manifest of an artifact holds, as types: a file is read through these, and nothing else is used.

Most entries are dataclasses of the compiler, field by field, whose arrays are stored as the names of tensors.
"""

from __future__ import annotations

from dataclasses import fields
from functools import reduce
from operator import or_
from types import GenericAlias
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct

from compiler.artifact_signals import SIGNAL_KINDS
from compiler.ir.chip_program import (
    ChipProgram,
    Learned,
    LearningCode,
    LoweredFunction,
    PopulationCode,
    ProjectionCode,
    QuantisationLine,
    TaskCode,
    TraceCode,
)
from compiler.ir.convolution import Convolution
from compiler.ir.network import DataFile
from compiler.ir.protocol import Example, Part, Phase, Protocol, ProtocolInput, Teacher
from compiler.ir.signals import HostInput
from compiler.ir.values import Constant, Normal, Uniform
from hw_models.diagnostics import Diagnostic
from hw_models.neurons.roles import Roles

Index = Annotated[int, Meta(ge=0)]
Delay = Annotated[int, Meta(ge=0, le=(1 << 15) - 1)]


class Head(Struct):
    """What every version of the format has."""

    format: Literal["burstchip artifact"]
    version: Annotated[int, Meta(ge=1)]


class Metadata(Struct):
    """The metadata of a safetensors header: one entry, the manifest's text."""

    burstchip: str


class Header(Struct, rename={"metadata": "__metadata__"}):
    """The header of a safetensors file; the tensors are read by that library."""

    metadata: Metadata


class Named(Struct, forbid_unknown_fields=True):
    """A parameter with a value for each neuron: the name of a tensor."""

    tensor: str


#: Fields of signals that may be arrays.
_ARRAYS: dict[str, dict[str, Any]] = {
    "Waveform": {"rows": Named, "exact": Named},
    "Written": {"start": int | Named},
}


def _each(entry: Any) -> Any:
    return GenericAlias(tuple, (entry, ...))


def _entry(kind: type, without: tuple[str, ...] = (), optional: tuple[str, ...] = (), **stored: Any) -> Any:
    """The fields of a dataclass, those in `stored` with another type; all but the `optional` are required."""
    types = get_type_hints(kind) | stored
    kept = [field.name for field in fields(kind) if field.name not in without]
    described = [(name, types[name]) for name in kept if name not in optional]
    described += [(name, types[name], None) for name in optional]  # type: ignore[misc]
    return msgspec.defstruct(kind.__name__, described, forbid_unknown_fields=True, frozen=True)


def _tagged(kind: str, made: type, **stored: Any) -> Any:
    """A signal, told from others by its `kind`; arrays are tensors."""
    types = get_type_hints(made) | stored
    described = [(field.name, types[field.name]) for field in fields(made)]
    options: dict[str, Any] = {"forbid_unknown_fields": True, "frozen": True}
    return msgspec.defstruct(made.__name__, described, tag_field="kind", tag=kind, **options)


_Signal: Any = reduce(
    or_, (_tagged(kind, made, **_ARRAYS.get(made.__name__, {})) for kind, made in SIGNAL_KINDS.items())
)

Draws = msgspec.defstruct(
    "WeightDraws",
    [
        ("seed", int),
        ("streams", tuple[int, int]),
        *((kind.__name__.lower(), _entry(kind) | None, None) for kind in (Constant, Uniform, Normal)),
    ],
    forbid_unknown_fields=True,
)

_Learning = _entry(
    LearningCode,
    traces=_each(_entry(TraceCode)),
    whole=bool | None,
    gate=_Signal,
    restart=_Signal,
    halvings=_Signal,
    optional=("whole",),
)

_Sizes = _each(Annotated[int, Meta(ge=0, lt=1 << 31)])
_SIZED: dict[str, Any] = dict.fromkeys(("source", "kernel", "stride", "padding", "dilation"), _Sizes)
_KERNEL_FIELDS = [
    (field.name, _SIZED.get(field.name, get_type_hints(Convolution)[field.name]))
    for field in fields(Convolution)
]

#: Shared weights: the geometry, and the name of the tensor.
_Kernel = msgspec.defstruct(
    "KernelCode", [*_KERNEL_FIELDS, ("weights", str)], forbid_unknown_fields=True, frozen=True
)

_Projection = _entry(
    ProjectionCode,
    pre=str | None,
    post=str | None,
    weights=str | None,
    delays=Delay | str,
    requested=str | Draws,
    learning=_Learning | None,
    limit=float | None,
    kernel=_Kernel | None,
    optional=("pre", "post", "weights", "limit", "kernel"),
)

_Population = _entry(
    PopulationCode,
    size=Annotated[int, Meta(ge=1)],
    program=Index,
    stream=Index,
    gather_every=Index,
    roles=_entry(Roles),
    parameters=dict[str, int | Named],
    real=dict[str, float | Named],
    origins=dict[str, float | Named],
    spikes=str | None,
    signals=GenericAlias(dict, (str, _Signal)),
    exact=Index | None,
    functions=_each(_entry(LoweredFunction)) | None,
    initial=dict[str, int | Named] | None,
    real_initial=dict[str, float | Named] | None,
    optional=("spikes", "exact", "functions", "initial", "real_initial"),
)

_COUNTS: dict[str, Any] = dict.fromkeys(("epoch", "epochs", "samples", "rounded", "tags"), Index)
_DataFile = _entry(
    DataFile,
    # The folder is one of the machine that compiled.
    without=("folder",),
    sha256=Annotated[str, Meta(pattern="^[0-9a-f]{64}$")],
    values=Annotated[int, Meta(ge=1)],
    classes=Annotated[int, Meta(ge=1)],
    test_share=Annotated[float, Meta(gt=0, lt=1)] | None,
)

_Protocol = _entry(
    Protocol,
    # Places name files of the machine that compiled.
    without=("places",),
    inputs=_each(_entry(ProtocolInput)),
    teachers=_each(_entry(Teacher)),
    examples=_each(_entry(Example)),
    phases=_each(_entry(Phase)),
    parts=_each(_entry(Part)),
)

_Program = _entry(
    ChipProgram,
    populations=_each(_Population),
    projections=_each(_Projection),
    task=_entry(TaskCode, file=_DataFile | None) | None,
    quantisation=_each(_entry(QuantisationLine)),
    # Places are left out: they name files of the machine that compiled.
    diagnostics=_each(_entry(Diagnostic, without=("place", "about"))),
    host=GenericAlias(dict, (str, _entry(HostInput, unit=float | Named, start=float | Named))),
    learned=_entry(
        Learned,
        artifact_sha256=Annotated[str, Meta(pattern="^[0-9a-f]{64}$")],
        backend=Literal["sim", "plain", "reference", "reference32", "loihi2"],
        **_COUNTS,
    )
    | None,
    protocol=_Protocol | None,
    optional=("learned", "protocol"),
)

#: The manifest: a program's fields, the integer programs by number, the format and the hash.
Manifest = msgspec.defstruct(
    "Manifest",
    [("format", str), ("version", int), ("sha256", str), ("programs", tuple[dict[str, Any], ...])],
    bases=(_Program,),
    forbid_unknown_fields=True,
    frozen=True,
    kw_only=True,
)
