"""This file is the thinning: conditioned traces at a rate that a network can read, in one table.

Means of five conditioned outputs, 4 kHz: a spike of half a millisecond is still two samples wide.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from estimators.conditioning import RATE, condition, tables
from estimators.context import CONTEXT
from estimators.measuring import LIMIT
from simulators.compiled import ENTRY

__all__ = ["THIN_RATE", "thinned"]

_TOGETHER = 5

THIN_RATE = RATE / _TOGETHER
"""Rate of the traces that a network reads [kHz]."""


def thinned(
    samples: npt.NDArray[np.float32], counts: npt.NDArray[np.int64], context: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Condition sweeps and thin them.

    Args:
        samples: Shape (s, n) [mV].
        counts: Samples of each, shape (s,).
        context: Shape (s, c).

    Returns:
        Shape (s, m) [mV] at `THIN_RATE`, NaN behind a sweep's end, and throughout for one that leaves +-150 mV.
    """
    column = {name: np.ascontiguousarray(context[:, k], dtype=np.float64) for k, name in enumerate(CONTEXT)}
    whole = column["baseline"] + column["duration"] + column["tail"]
    # Of an odd end less than a mean of five is left over; steps are whole samples but for the last digit.
    length = np.floor(whole * THIN_RATE + 1e-3).astype(np.int64)
    padded, which = tables(column["rate"])
    out = np.full((len(samples), int(length.max())), np.nan, dtype=np.float32)
    with ENTRY:
        _thin_all(samples, counts, column["rate"], padded, which, length, out)
    return out


@njit(cache=True, nogil=True, parallel=True)
def _thin_all(samples, counts, rates, table, which, length, out):
    """Condition each sweep and average its outputs, five and five."""
    for k in prange(len(samples)):
        sound = True
        for i in range(counts[k]):
            if not abs(samples[k, i]) <= LIMIT:
                sound = False
        if sound:
            y = np.empty(length[k] * _TOGETHER)
            n = condition(samples[k], counts[k], True, rates[k], table[which[k]], y, 0)
            for i in range(n // _TOGETHER):
                total = 0.0
                for j in range(_TOGETHER):
                    total += y[_TOGETHER * i + j]
                out[k, i] = total / _TOGETHER
