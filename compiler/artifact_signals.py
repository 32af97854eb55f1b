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

_KINDS: Mapping[str, type[Signal]] = {
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
    entry: dict[str, Any] = {"kind": next(kind for kind, made in _KINDS.items() if type(signal) is made)}
    for field in fields(signal):
        value = getattr(signal, field.name)
        if isinstance(value, np.ndarray):
            tensors[f"{name}.{field.name}"] = np.ascontiguousarray(value)
            value = {"tensor": f"{name}.{field.name}"}
        entry[field.name] = list(value) if isinstance(value, tuple) else value
    return entry


def decode_signal(entry: Mapping[str, Any], tensors: Tensors) -> Signal:
    """The signal of a manifest's entry. Raises one of the usual exceptions where there is none."""
    values: dict[str, Any] = {}
    for name, value in entry.items():
        if isinstance(value, dict):
            value = tensors[value["tensor"]]
        values[name] = tuple(value) if isinstance(value, list) else value
    return _KINDS[values.pop("kind")](**values)


def encode_host(given: HostInput, name: str, tensors: Tensors) -> dict[str, Any]:
    """The same of what the host gives."""
    entry: dict[str, Any] = {field.name: getattr(given, field.name) for field in fields(given)}
    if isinstance(given.unit, np.ndarray):
        tensors[name] = given.unit
        entry["unit"] = {"tensor": name}
    return entry


def decode_host(entry: Mapping[str, Any], tensors: Tensors) -> HostInput:
    """What the host gives, of a manifest's entry."""
    unit = entry["unit"]
    return HostInput(**{**entry, "unit": tensors[unit["tensor"]] if isinstance(unit, dict) else unit})
