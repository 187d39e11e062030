"""This file is the spikes: where they are in a conditioned trace, and the shape of each."""

from __future__ import annotations

import numpy as np
from numba import njit

from estimators.conditioning import RATE

__all__ = ["COLUMNS", "find"]

COLUMNS = ("time", "threshold", "peak", "upstroke", "downstroke", "half_width", "trough", "trough_delay", "peak_time")
"""Columns of the spike table: times [ms] from the trace's start, voltages [mV], slopes [mV/ms]."""

_LEVEL = -20.0
_RISE = 10.0
_HEIGHT = 15.0
_FALL = 10.0
_WAIT = int(10 * RATE)
_BEFORE = int(3 * RATE)
_MOST = 1024


@njit(cache=True, nogil=True)
def _slope(y, k):
    """Take the central difference [mV/ms]."""
    return (y[k + 1] - y[k - 1]) * (0.5 * RATE)


@njit(cache=True, nogil=True)
def find(y, n, end):
    """Find every spike.

    A spike peaks at -20 mV or above, rises at 10 mV/ms or more within 3 ms before its peak, is at least 15 mV high
    above the voltage at which its slope last rose through 10 mV/ms (its threshold), and falls by 10 mV within 10 ms
    after it. The noise of a plateau is none, and neither is the jump of an unbalanced bridge. The half-width is taken
    half-way between threshold and peak.

    Args:
        y: Conditioned trace, shape (>= n,) [mV].
        n: Samples that are there.
        end: Sample at which the step ends; the trough of a spike in the step is sought before it.

    Returns:
        Table of shape (spikes, 9), see `COLUMNS`; a shape that the trace's end cuts off is NaN.
    """
    table = np.empty((_MOST, 9))
    count = 0
    k = 1
    last_peak = 0
    while k < n - 1 and count < _MOST:
        # Asked this way round, a missing sample is passed by and not waited at for ever.
        if not _slope(y, k) >= _RISE:
            k += 1
            continue
        peak = k
        j = k
        while j < n and j < peak + _WAIT and y[j] > y[peak] - _FALL:
            if y[j] > y[peak]:
                peak = j
            j += 1
        fell = j < n and y[j] <= y[peak] - _FALL
        steepest = max(k, peak - _BEFORE)
        for i in range(steepest, min(peak + 1, n - 1)):
            if _slope(y, i) > _slope(y, steepest):
                steepest = i
        upstroke = _slope(y, steepest)
        start = steepest
        while start > max(1, last_peak + 1) and _slope(y, start - 1) >= _RISE:
            start -= 1
        threshold = y[start]
        time = float(start)
        if start > 1:
            below = _slope(y, start - 1)
            if below < _RISE and upstroke >= _RISE:
                share = (_RISE - below) / (_slope(y, start) - below)
                time = start - 1 + share
                threshold = y[start - 1] + share * (y[start] - y[start - 1])
        if fell and upstroke >= _RISE and y[peak] >= _LEVEL and y[peak] - threshold >= _HEIGHT:
            table[count, 0] = time / RATE
            table[count, 1] = threshold
            table[count, 2] = y[peak]
            table[count, 3] = upstroke
            table[count, 8] = peak / RATE
            _width(y, n, start, peak, threshold, table[count])
            count += 1
            last_peak = peak
            k = j
            continue
        while k < n - 1 and _slope(y, k) >= _RISE:
            k += 1
    for spike in range(count):
        first = int(table[spike, 8] * RATE)
        last = first + int(60 * RATE)
        if spike + 1 < count:
            last = min(last, int(table[spike + 1, 0] * RATE))
        if first < end:
            last = min(last, end)
        _trough(y, n, first, last, table[spike])
    return table[:count].copy()


@njit(cache=True, nogil=True)
def _width(y, n, start, peak, threshold, row):
    """Measure downstroke and half-width."""
    half = 0.5 * (threshold + y[peak])
    steepest = np.nan
    row[5] = np.nan
    rise = peak
    while rise > start and y[rise - 1] >= half:
        rise -= 1
    fall = peak
    while fall < n - 1 and fall < peak + 20 * RATE and y[fall + 1] >= half:
        fall += 1
    if fall < n - 1 and fall < peak + 20 * RATE and rise > 0:
        up = rise - (y[rise] - half) / (y[rise] - y[rise - 1])
        down = fall + (y[fall] - half) / (y[fall] - y[fall + 1])
        row[5] = (down - up) / RATE
        last = min(n - 1, fall + int(RATE))
        steepest = 0.0
        for i in range(peak, last):
            steepest = min(steepest, _slope(y, i))
    row[4] = steepest


@njit(cache=True, nogil=True)
def _trough(y, n, first, last, row):
    """Measure the deepest point behind a peak, where the trace reaches as far as it is sought and that is 2 ms."""
    row[6] = np.nan
    row[7] = np.nan
    if last > n or last - first < 2 * RATE:
        return
    lowest = first
    for i in range(first, last):
        if y[i] < y[lowest]:
            lowest = i
    row[6] = y[lowest]
    row[7] = (lowest - first) / RATE
