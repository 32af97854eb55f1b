"""Signals as they lie in an artifact: a kind and its fields, arrays among the tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.ir.signals import (
    Clock,
    Constant,
    HostInput,
    Listed,
    Periodic,
    Signal,
    Streamed,
    Waveform,
    Written,
)

Tensors = dict[str, NDArray[Any]]

#: The signals by what an artifact calls them.
SIGNAL_KINDS: Mapping[str, type[Signal]] = {
    "constant": Constant,
    "clock": Clock,
    "periodic": Periodic,
    "listed": Listed,
    "waveform": Waveform,
    "streamed": Streamed,
    "written": Written,
}


def encode_signal(signal: Signal, name: str, tensors: Tensors) -> dict[str, Any]:
    """The manifest's entry of a signal; its arrays are added to `tensors`, named `name` and what they are."""
    entry: dict[str, Any] = {
        "kind": next(kind for kind, made in SIGNAL_KINDS.items() if type(signal) is made)
    }
    return entry | _with_tensors_named(signal, name, tensors)


def encode_host(given: HostInput, name: str, tensors: Tensors) -> dict[str, Any]:
    """The same of what the host gives."""
    return _with_tensors_named(given, name, tensors)


def _with_tensors_named(it: Signal | HostInput, name: str, tensors: Tensors) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for field in fields(it):
        value = getattr(it, field.name)
        if isinstance(value, np.ndarray):
            tensors[f"{name}.{field.name}"] = np.ascontiguousarray(value)
            value = {"tensor": f"{name}.{field.name}"}
        entry[field.name] = list(value) if isinstance(value, tuple) else value
    return entry


def as_values(entry: Any) -> dict[str, Any]:
    """The fields of an entry that was read through the schema."""
    return {name: getattr(entry, name) for name in entry.__struct_fields__}


def _with_tensors(entry: Any, tensors: Tensors) -> dict[str, Any]:
    values = as_values(entry)
    return {name: tensors[it.tensor] if hasattr(it, "tensor") else it for name, it in values.items()}


def decode_signal(entry: Any, tensors: Tensors) -> Signal:
    """The signal of a manifest's entry."""
    return SIGNAL_KINDS[entry.__struct_config__.tag](**_with_tensors(entry, tensors))


def decode_host(entry: Any, tensors: Tensors) -> HostInput:
    """What the host gives, of a manifest's entry."""
    return HostInput(**_with_tensors(entry, tensors))
