"""Integer arithmetic that compiled loops share. Importing this imports numba."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(inline="always")
def decayed(value, factor):  # type: ignore[no-untyped-def]
    """sign(value) * (|value| * factor >> 12) of an int32 and a factor up to 4096, in 32 bits.

    |value| is split at bit 12, so that no product needs more than 32 bits; the result is exact.
    """
    magnitude = np.int32(abs(value))
    high = np.int32(np.int32(magnitude >> np.int32(12)) * factor)
    low = np.int32(np.int32(np.int32(magnitude & np.int32(4095)) * factor) >> np.int32(12))
    result = np.int32(high + low)
    return np.int32(-result) if value < 0 else result
