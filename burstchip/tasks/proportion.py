"""How sure a share of counted cases is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_Z = 1.959963984540054


def wilson_interval(cases: ArrayLike, of: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end of the 95 % interval for the probability behind `cases` out of `of`.

    Wilson's score interval (E. B. Wilson, 1927). Cases are taken as independent. NaN where `of` is zero.
    """
    k = np.asarray(cases, dtype=np.float64)
    n = np.asarray(of, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / n
        centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def pooled_interval(
    cases: NDArray[np.int64], of: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end of the 95 % interval for a share of cases that come in groups, [group, place].

    The share is that of all groups together, its variance that of a ratio estimator: groups are taken as
    independent, cases within a group are not. It is never narrower than Wilson's for independent cases, which
    it is for a single group. NaN where `of` is zero.
    """
    groups, total = len(of), of.sum(axis=0)
    low, high = wilson_interval(cases.sum(axis=0), total)
    if groups == 1:
        return low, high
    with np.errstate(divide="ignore", invalid="ignore"):
        share = cases.sum(axis=0) / total
        residues = ((cases - share * of) ** 2).sum(axis=0)
        half = _Z * np.sqrt(residues * groups / (groups - 1)) / total
    return np.maximum(np.minimum(share - half, low), 0.0), np.minimum(np.maximum(share + half, high), 1.0)
