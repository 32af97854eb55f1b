"""Values of a network: one for all, one for each, or what each is drawn from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Constant:
    """One value for all."""

    value: float


@dataclass(frozen=True)
class Uniform:
    """Uniform on [low, high]."""

    low: float
    high: float


@dataclass(frozen=True)
class Normal:
    """Normal with this mean and standard deviation."""

    mean: float
    sd: float


Distribution = Constant | Uniform | Normal

#: Values in base units: one number for all neurons, one number each, or what each is drawn from.
Value = float | tuple[float, ...] | Uniform | Normal
