"""Repeated measurements -> numbers with intervals, each with its unit and how it was come by."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.runner.result import Number
from burstchip.tasks.proportion import wilson_interval
from hw_models.program.random import at, key

#: Trials within this share of their mean count as steady.
STEADY = 0.05


def counted(value: float, unit: str, method: str) -> Number:
    """A number that was counted, so that it has no spread."""
    return Number(value=float(value), unit=unit, source="measured", method=method)


def reached(after: int | None, within: int, what: str) -> Number:
    """How many samples something took, or that it took more than there were."""
    method = what if after is not None else f"not reached: {what}"
    value = float(within if after is None else after)
    return Number(value=value, unit="samples", source="measured", method=method, beyond=after is None)


def share_wrong(wrong: int, total: int) -> Number:
    """A test error in percent with its Wilson interval of 95 %."""
    low, high = (100 * float(end) for end in wilson_interval(wrong, total))
    return Number(
        value=100 * wrong / total,
        unit="%",
        source="measured",
        method=f"{wrong} of {total} test samples; Wilson interval of 95 %",
        low=low,
        high=high,
    )


def mean_over(values: Sequence[float], unit: str, of: str) -> Number:
    """The mean with its interval of 95 % by Student's t; without one for a single value."""
    found = np.asarray(values, dtype=np.float64)
    mean, low, high = float(found.mean()), None, None
    if len(found) > 1:
        margin = float(stats.t.ppf(0.975, len(found) - 1) * stats.sem(found))
        low, high = mean - margin, mean + margin
    method = f"mean of {len(found)} {of}" + ("; Student interval of 95 %" if len(found) > 1 else "")
    return Number(value=mean, unit=unit, source="measured", method=method, low=low, high=high)


def trials(rates: Sequence[float], unit: str, what: str) -> Number:
    """The mean of several trials, the least and the greatest; the method says whether they were steady."""
    found = np.asarray(rates, dtype=np.float64)
    mean = float(found.mean())
    error = float(stats.sem(found)) if len(found) > 1 else math.nan
    steady = bool(np.all(np.abs(found - mean) <= STEADY * mean))
    spread = f"standard error {error:.3g}, " if len(found) > 1 else ""
    within = f"{'all' if steady else 'not all'} within {100 * STEADY:.0f} % of the mean"
    return Number(
        value=mean,
        unit=unit,
        source="measured",
        method=f"{what}; {len(found)} trials, {spread}{within}; range of the trials",
        low=float(found.min()),
        high=float(found.max()),
    )


def latencies(seconds: Sequence[float], what: str) -> dict[str, Number]:
    """The 50th, 90th and 99th percentile of single calls, in ms."""
    found = 1000 * np.asarray(seconds, dtype=np.float64)
    method = f"{what}, {len(found)} calls one after the other"
    return {
        f"latency_p{percent}": counted(float(np.percentile(found, percent)), "ms", method)
        for percent in (50, 90, 99)
    }


def served(seconds: Sequence[float], load: float = 0.5, requests: int = 20_000) -> Number:
    """The 99th percentile of the time that a request takes where requests come at random.

    A queue with one server: arrivals are a Poisson process that keeps the target busy for a share `load` of
    the time, service times are drawn from those measured. Lindley's recursion, w' = max(0, w + s - a).
    """
    service = np.asarray(seconds, dtype=np.float64)
    taken = service[at(key(0, 0, 0), np.arange(requests)) % len(service)]
    uniform = (at(key(0, 1, 0), np.arange(requests)) + 0.5) / 2.0**32
    gaps = -np.log(uniform) * float(service.mean()) / load
    times: NDArray[np.float64] = np.empty(requests)
    waited = 0.0
    for k in range(requests):
        times[k] = waited + taken[k]
        waited = max(0.0, times[k] - gaps[k])
    return Number(
        value=1000 * float(np.percentile(times, 99)),
        unit="ms",
        source="estimated",
        method=f"server: requests at random, {100 * load:.0f} % busy, queued; from the single calls",
    )
