"""From a time constant of a differential equation to what a step loses, and back.

A step of the potential is v <- v - g (v - drive). Forward Euler, which the platforms that write NIR use, has
g = step / tau; the exact solution for a drive that holds through the step has g = 1 - exp(-step / tau). The
models of `lif` decay by exp(-step / tau), so Euler's g belongs to tau' = -step / ln(1 - step / tau), 0 where
g is 1.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hw_models.elementary import exp, log

Integration = Literal["euler", "exponential"]
Reals = NDArray[np.float64]


def share_lost(tau_ms: Reals, step_ms: float, how: Integration) -> Reals:
    """g of each time constant above 0; Euler's may be above 1, where the step is too long for it."""
    ratio = step_ms / tau_ms
    return np.asarray(ratio if how == "euler" else 1 - exp(-ratio))


def decay_ms(tau_ms: Reals, step_ms: float, how: Integration) -> Reals:
    """The time constant of an exponential decay that loses the same share."""
    if how == "exponential":
        return tau_ms
    ratio = np.asarray(step_ms / tau_ms)
    left = ratio < 1
    return np.asarray(np.where(left, step_ms / _minus_log_of_rest(np.where(left, ratio, 0.5)), 0.0))


def tau_ms(share: Reals, step_ms: float, how: Integration) -> Reals:
    """The time constant whose step loses this share, above 0; the inverse of `share_lost`."""
    if how == "euler":
        return np.asarray(step_ms / share)
    return np.asarray(step_ms / _minus_log_of_rest(np.minimum(share, 1 - 2.0**-40)))


def _minus_log_of_rest(share: Reals) -> Reals:
    """-ln(1 - x) for 0 < x < 1, exact for small ones too."""
    rest = 1 - share
    # What is lost of a small x in 1 - x is made good by the quotient.
    exact = np.asarray(rest < 1)
    kept = np.where(exact, rest, 0.5)
    return np.asarray(np.where(exact, -log(kept) * (share / (1 - kept)), share))
