"""Physical quantities in the chip's units: decays, voltages, biases. Shared by the neuron models.

The distance from rest to threshold is `VOLTAGE_STEPS` = 128 * 2^6 units, so that a weight of 128 at
exponent 0, which enters shifted left by 6, takes a neuron from rest to its threshold in one event.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.elementary import exp, log

register_codes(
    {
        "BC192": "a threshold that is not above the resting potential",
    }
)

Reals = float | NDArray[np.float64]
Integers = int | NDArray[np.int64]

VTH_MANTISSA = 128
INPUT_SHIFT = 6
VOLTAGE_STEPS = VTH_MANTISSA << INPUT_SHIFT
BIAS_MANTISSA_MAX = 4095
BIAS_EXPONENT_MAX = 7
#: Far beyond every register, and still an int64.
_HUGE = float(1 << 62)


def integers(values: float | NDArray[Any]) -> Integers:
    """Round to the nearest integer, halves to even; one number stays an int. Huge values end at 2^62."""
    rounded = np.clip(np.rint(np.asarray(values, dtype=np.float64)), -_HUGE, _HUGE).astype(np.int64)
    return int(rounded) if rounded.ndim == 0 else rounded


def nearest_steps(time_ms: Reals, step_ms: float) -> Integers:
    """The whole number of steps nearest to each time; half a step is rounded up. Huge times end at 2^62."""
    steps = np.floor(np.asarray(time_ms, dtype=np.float64) / step_ms + (0.5 + 1e-9))
    whole = np.clip(steps, -_HUGE, _HUGE).astype(np.int64)
    return int(whole) if whole.ndim == 0 else whole


def reals(values: Reals | Integers) -> float | tuple[float, ...]:
    """A number, or a tuple of numbers, as reports hold them."""
    array = np.asarray(values, dtype=np.float64)
    return float(array) if array.ndim == 0 else tuple(float(value) for value in array)


def decay_units(tau_ms: Reals, step_ms: float, whole: int = 4096) -> NDArray[np.float64]:
    """whole (1 - exp(-step/tau)), what a decay loses in a step; tau 0 keeps nothing."""
    tau = np.asarray(tau_ms, dtype=np.float64)
    kept = np.where(tau > 0, exp(-step_ms / np.maximum(tau, 1e-300)), 0.0)
    return np.asarray(whole * (1 - kept))


def decay_rate(tau_ms: Reals, step_ms: float, greatest: int = 4095) -> Integers:
    """The nearest integer to `decay_units`, at most `greatest`."""
    return integers(np.minimum(decay_units(tau_ms, step_ms), greatest))


def decay_tau(rate: Reals | Integers, step_ms: float, whole: int = 4096) -> Reals:
    """The time constant in ms that a decay of `rate`/`whole` a step stands for; 0 where nothing is kept."""
    kept = 1 - np.asarray(rate, dtype=np.float64) / whole
    with np.errstate(divide="ignore"):
        tau = np.where(kept <= 1 / whole, 0.0, step_ms / np.abs(log(np.maximum(kept, 1e-300))))
    return float(tau) if tau.ndim == 0 else tau


def _fall(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - exp(-x) for x >= 0, exact for small ones too."""
    return np.asarray(np.where(x < 1e-5, x * (1 - x / 2 + x * x / 6), 1 - exp(-x)))


def peak_response(tau_current_ms: Reals, tau_membrane_ms: Reals, step_ms: float) -> Reals:
    """The greatest depolarisation by a current that begins with 1 and enters the membrane in every step.

    With what a step leaves of the slower of the two, a = exp(-step/slow), and of the faster, b, the potential
    after m steps is v(m) = (a^m - b^m) / (a - b). Its maximum is beside m = ln(slow/fast) / ln(a/b). It is 1
    where either time constant is 0: then the potential jumps. A time constant may be infinite: the potential
    rises to 1 / (1 - b), and without end, counted as its first step alone, where neither decays.
    """
    first, second = np.broadcast_arrays(
        np.asarray(tau_current_ms, dtype=np.float64), np.asarray(tau_membrane_ms, dtype=np.float64)
    )
    endless = np.isinf(first) | np.isinf(second)
    both = (first > 0) & (second > 0) & ~endless
    slow = np.where(both, np.maximum(first, second), 1.0)
    fast = np.where(both, np.minimum(first, second), 1.0)
    distance = step_ms * (1 / fast - 1 / slow)
    alike = slow / fast - 1 < 1e-6
    apart = np.where(alike, 1.0, distance)
    middle = np.where(alike, slow / step_ms, log(slow / fast) / apart)

    def after(steps: NDArray[np.float64]) -> NDArray[np.float64]:
        summed = np.where(alike, steps, _fall(steps * distance) / _fall(apart))
        return np.asarray(exp(-(steps - 1) * step_ms / slow) * summed)

    early = np.maximum(np.floor(middle), 1.0)
    peak = np.where(both, np.maximum(after(early), after(early + 1)), 1.0)
    falls = np.minimum(first, second)
    rises = endless & (falls > 0) & np.isfinite(falls)
    peak = np.where(rises, 1 / _fall(step_ms / np.where(rises, falls, 1.0)), peak)
    return float(peak) if peak.ndim == 0 else peak


def voltage_units(unit_mv: float, *variables: str) -> dict[str, tuple[float, str]]:
    """What 1 stands for in voltage variables."""
    return dict.fromkeys(variables, (unit_mv, "mV"))


def mv_per_unit(threshold_mv: Reals, rest_mv: Reals, steps: float = VOLTAGE_STEPS) -> float:
    """What one unit of voltage stands for, if `steps` are the least distance from rest to threshold.

    Raises `BurstchipError` BC192 where a threshold is not above its resting potential.
    """
    threshold, rest = np.broadcast_arrays(np.atleast_1d(threshold_mv), np.atleast_1d(rest_mv))
    least = int(np.argmin(threshold - rest))
    if threshold[least] <= rest[least]:
        raise BurstchipError(
            Diagnostic(
                "BC192",
                "the threshold is not above the resting potential",
                required="threshold above rest",
                given=f"threshold {threshold[least]:g} mV, rest {rest[least]:g} mV",
            )
        )
    return float(threshold[least] - rest[least]) / steps


def threshold_units(threshold_mv: Reals, rest_mv: Reals, unit_mv: float) -> NDArray[np.float64]:
    """The distances from rest to threshold in 2^6 units of voltage."""
    distance = np.asarray(threshold_mv, dtype=np.float64) - np.asarray(rest_mv)
    return np.asarray(distance / (unit_mv * (1 << INPUT_SHIFT)))


def bias_units(bias_pa: Reals, capacitance_pf: Reals, unit_mv: float, step_ms: float) -> NDArray[np.float64]:
    """I dt / C in voltage units a step; pA ms / pF is mV."""
    depolarisation = np.asarray(bias_pa, dtype=np.float64) * step_ms / np.asarray(capacitance_pf)
    return np.asarray(depolarisation / unit_mv)


def octaves(values: Reals) -> NDArray[np.float64]:
    """log2 of positive numbers, exact for powers of two."""
    mantissa, exponent = np.frexp(np.asarray(values, dtype=np.float64))
    return np.asarray(exponent + log(mantissa) / math.log(2.0))


def mantissa_exponent(
    values: Integers, greatest: int = BIAS_MANTISSA_MAX, most: int = BIAS_EXPONENT_MAX
) -> tuple[Integers, int]:
    """`values` as mantissa * 2^exponent with the smallest exponent at which every mantissa fits."""
    array = np.clip(np.asarray(values, dtype=np.int64), -(greatest << most), greatest << most)
    exponent = 0
    while np.any(np.abs(integers(array / 2.0**exponent)) > greatest):
        exponent += 1
    return integers(array / 2.0**exponent), exponent
