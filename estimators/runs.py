"""This file is the runs: how long a sweep stays beyond a voltage without a break."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

__all__ = ["longest"]


@njit(cache=True, nogil=True, parallel=True)
def longest(samples, counts, above, below, beyond):
    """Measure the longest runs of each sweep.

    Args:
        samples: Shape (s, n) [mV].
        counts: How many of its row each sweep has, shape (s,).
        above: Voltage above which the first run is [mV].
        below: Voltage below which the second run is [mV].
        beyond: Magnitude beyond which nothing is a membrane's [mV].

    Returns:
        Samples of the longest run above, of that below, and how many are beyond or not finite, shape (s, 3).
    """
    found = np.zeros((len(samples), 3), dtype=np.int64)
    for k in prange(len(samples)):
        high = 0
        low = 0
        for i in range(counts[k]):
            v = samples[k, i]
            high = high + 1 if v > above else 0
            low = low + 1 if v < below else 0
            if high > found[k, 0]:
                found[k, 0] = high
            if low > found[k, 1]:
                found[k, 1] = low
            if not abs(v) <= beyond:
                found[k, 2] += 1
    return found
