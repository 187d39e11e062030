"""This file is the measuring: from a conditioned trace to the values of the catalogue `estimators.features`.

One definition, two speeds: pretraining reads whole batches through `measure_all`, a live stream asks `measure` at any
moment of what is there so far; a window that is not complete yet is missing. No fast-math: sums keep their order.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from estimators.conditioning import RATE, condition
from estimators.features import NAMES
from estimators.spikes import find

__all__ = ["LIMIT", "measure", "measure_all"]

LIMIT = 150.0
"""No membrane is beyond this [mV]: such a sweep is not measured."""

_N = len(NAMES)
_REST = NAMES.index("rest")
_ONSET = NAMES.index("onset_jump")
_CHARGING = NAMES.index("charging_time")
_TRAIN = NAMES.index("spike_count")
_SHAPE = NAMES.index("threshold")
_LATER = NAMES.index("later_threshold")
_MOMENTS = NAMES.index("mean_voltage")
_END = NAMES.index("end_jump")


@njit(cache=True, nogil=True)
def _mean(y, n, first, last):
    """Average a window, NaN unless it is all there."""
    if first < 0 or last > n or last <= first:
        return np.nan
    total = 0.0
    for i in range(first, last):
        total += y[i]
    return total / (last - first)


@njit(cache=True, nogil=True)
def _line(y, n, first, last):
    """Fit a straight line; give slope [mV/ms] and the standard deviation about it, NaN unless all is there."""
    count = last - first
    if first < 0 or last > n or count < 3:
        return np.nan, np.nan
    middle = 0.5 * (count - 1)
    mean = _mean(y, n, first, last)
    product = 0.0
    square = 0.0
    for i in range(count):
        product += (i - middle) * (y[first + i] - mean)
        square += (y[first + i] - mean) ** 2
    spread = count * (count * count - 1.0) / 12.0
    slope = product / spread
    return slope * RATE, math.sqrt(max(square - slope * slope * spread, 0.0) / count)


@njit(cache=True, nogil=True)
def _extreme(y, n, first, last, sign):
    """Find the highest (or, with sign -1, lowest) mean over 5 ms in a window."""
    width = int(5 * RATE)
    if last > n or last - first < width:
        return np.nan
    total = 0.0
    for i in range(first, first + width):
        total += y[i]
    best = total
    for i in range(first + width, last):
        total += y[i] - y[i - width]
        if sign * total > sign * best:
            best = total
    return best / width


@njit(cache=True, nogil=True)
def measure(y, n, onset, duration, tail, amplitude):
    """Measure every feature of what is there of a sweep.

    Args:
        y: Conditioned trace, shape (>= n,) [mV].
        n: Samples that are there.
        onset: Start of the step [ms].
        duration: Length of the step [ms].
        tail: Length of constant current after it [ms].
        amplitude: Height of the step above the holding [pA].

    Returns:
        Values in the order of the catalogue, shape (f,), NaN where missing; and the spike table.
    """
    values = np.full(_N, np.nan)
    start = round(onset * RATE)
    end = round((onset + duration) * RATE)
    last = round((onset + duration + tail) * RATE)
    spikes = find(y, min(n, last), end)
    before = 0
    while before < len(spikes) and spikes[before, 0] < onset:
        before += 1
    after = before
    # A spike belongs to the step in which it peaks, as others count it, though it may start just before the end.
    while after < len(spikes) and spikes[after, 8] < onset + duration:
        after += 1
    first_spike = spikes[before, 0] - onset if before < len(spikes) else np.inf
    if n >= start:
        _before(y, n, start, spikes[:before], values)
    _onset(y, n, start, end, first_spike, values)
    silent = after == before
    if n >= end:
        if silent:
            _silent(y, n, start, end, amplitude, values)
        elif spikes[after - 1, 0] < onset + 0.8 * duration - 20.0:
            values[_CHARGING + 1] = _mean(y, n, end - int(0.2 * (end - start)), end) - values[_REST]
        _train(spikes[before:after], onset, duration, values)
        _shape(spikes[before:after], values)
        _moments(y, start, end, values)
    _after(y, n, end, last, tail, spikes, after, amplitude, values)
    return values, spikes


@njit(cache=True, nogil=True)
def _before(y, n, start, spikes, values):
    """Measure the constant current before the step."""
    first = max(0, start - int(50 * RATE))
    total = 0.0
    count = 0
    for i in range(first, start):
        time = i / RATE
        clear = True
        for spike in range(len(spikes)):
            if spikes[spike, 0] - 2.0 <= time <= spikes[spike, 8] + 20.0:
                clear = False
        if clear:
            total += y[i]
            count += 1
    if count >= 10 * RATE:
        values[_REST] = total / count
    values[_REST + 4] = len(spikes)
    if len(spikes) == 0:
        values[_REST + 1] = _line(y, n, first, start)[1]
        lag = int(0.2 * RATE)
        square = 0.0
        for i in range(first + lag, start):
            square += (y[i] - y[i - lag]) ** 2
        values[_REST + 2] = math.sqrt(0.5 * square / max(1, start - first - lag))
        values[_REST + 3] = _line(y, n, 0, start)[0] * 1e3


@njit(cache=True, nogil=True)
def _onset(y, n, start, end, first_spike, values):
    """Measure how the membrane starts to charge, as long as it has not fired."""
    if first_spike > 0.6:
        reference = _mean(y, n, start - int(RATE), start)
        values[_ONSET] = _mean(y, n, start + 5, start + 10) - reference
    if first_spike > 5.2:
        values[_ONSET + 1] = _line(y, n, start + int(0.5 * RATE), start + int(5 * RATE))[0]
    times = (1.0, 3.0, 10.0, 30.0, 100.0)
    for k in range(5):
        a = start + round(0.8 * times[k] * RATE)
        b = start + round(1.2 * times[k] * RATE)
        if first_spike > 1.2 * times[k] + 0.2 and b <= end:
            values[_ONSET + 2 + k] = _mean(y, n, a, b) - values[_REST]


@njit(cache=True, nogil=True)
def _silent(y, n, start, end, amplitude, values):
    """Measure the passive answer of a step without spikes."""
    steady = _mean(y, n, end - int(0.2 * (end - start)), end) - values[_REST]
    values[_CHARGING + 1] = steady
    if abs(amplitude) >= 5.0:
        values[_CHARGING + 2] = 1e3 * steady / amplitude
    sign = 1.0 if amplitude >= 0 else -1.0
    values[_CHARGING + 3] = sign * (_extreme(y, n, start, end, sign) - values[_REST] - steady)
    if steady * sign > 1.0:
        goal = values[_REST] + (1.0 - math.exp(-1.0)) * steady
        for i in range(start, end):
            if sign * (y[i] - goal) >= 0:
                values[_CHARGING] = (i - start) / RATE
                break


@njit(cache=True, nogil=True)
def _train(spikes, onset, duration, values):
    """Measure when the spikes of the step come."""
    count = len(spikes)
    values[_TRAIN] = count
    late = 0
    for spike in range(count):
        if spikes[spike, 0] >= onset + 0.5 * duration:
            late += 1
    values[_TRAIN + 1] = late
    if count >= 1:
        values[_TRAIN + 2] = spikes[0, 0] - onset
    if count >= 2:
        values[_TRAIN + 3] = spikes[1, 0] - spikes[0, 0]
        values[_TRAIN + 5] = spikes[count - 1, 0] - spikes[count - 2, 0]
    if count >= 3:
        values[_TRAIN + 4] = spikes[2, 0] - spikes[1, 0]
        mean = (spikes[count - 1, 0] - spikes[0, 0]) / (count - 1)
        square = 0.0
        change = 0.0
        for spike in range(1, count):
            interval = spikes[spike, 0] - spikes[spike - 1, 0]
            square += (interval - mean) ** 2
            if spike >= 2:
                earlier = spikes[spike - 1, 0] - spikes[spike - 2, 0]
                change += (interval - earlier) / (interval + earlier)
        values[_TRAIN + 6] = math.sqrt(square / (count - 1)) / mean
        values[_TRAIN + 7] = change / (count - 2)


@njit(cache=True, nogil=True)
def _shape(spikes, values):
    """Measure the shape of the first spike, of the later ones, and how it changes."""
    count = len(spikes)
    if count >= 1:
        for k in range(7):
            values[_SHAPE + k] = spikes[0, 1 + k]
    if count < 2:
        return
    for k, column in enumerate((1, 2, 3, 5, 6)):
        total = 0.0
        there = 0
        for spike in range(1, count):
            if not math.isnan(spikes[spike, column]):
                total += spikes[spike, column]
                there += 1
        if there:
            values[_LATER + k] = total / there
    for k, column in enumerate((1, 2, 5, 6)):
        final = spikes[count - 1, column]
        if math.isnan(final) and count >= 3:
            final = spikes[count - 2, column]
        values[_LATER + 5 + k] = final - spikes[0, column]


@njit(cache=True, nogil=True)
def _moments(y, start, end, values):
    """Measure the moments of the voltage during the step."""
    mean = _mean(y, end, start, end)
    second = 0.0
    third = 0.0
    fourth = 0.0
    for i in range(start, end):
        d = y[i] - mean
        second += d * d
        third += d * d * d
        fourth += d * d * d * d
    count = end - start
    sd = math.sqrt(second / count)
    values[_MOMENTS] = mean
    values[_MOMENTS + 1] = sd
    if sd > 0:
        values[_MOMENTS + 2] = third / count / sd**3
        values[_MOMENTS + 3] = fourth / count / sd**4


@njit(cache=True, nogil=True)
def _after(y, n, end, last, tail, spikes, after, amplitude, values):
    """Measure what follows the step."""
    there = min(n, last)
    offset = end / RATE
    next_spike = spikes[after, 0] - offset if after < len(spikes) else np.inf
    last_peak = offset - spikes[after - 1, 8] if after > 0 else np.inf
    if next_spike > 5.2 and last_peak > 5.0:
        values[_END] = _mean(y, there, end + 5, end + 10) - _mean(y, there, end - int(RATE), end)
        values[_END + 1] = _line(y, there, end + int(0.5 * RATE), end + int(5 * RATE))[0]
    windows = ((20.0, 40.0), (80.0, 120.0), (220.0, 280.0))
    for k in range(3):
        if next_spike > windows[k][1]:
            a = end + int(windows[k][0] * RATE)
            b = end + int(windows[k][1] * RATE)
            values[_END + 2 + k] = _mean(y, there, a, b) - values[_REST]
    if tail >= 150.0 and next_spike > 150.0 and n >= end:
        sign = -1.0 if amplitude >= 0 else 1.0
        extreme = _extreme(y, there, end, end + int(150 * RATE), sign)
        values[_CHARGING + 4] = sign * (extreme - values[_REST])
    if n >= last:
        values[_CHARGING + 5] = len(spikes) - after


@njit(cache=True, nogil=True, parallel=True)
def measure_all(samples, counts, rates, tables, which, onset, duration, tail, amplitude):
    """Measure a batch of complete sweeps, exactly as `measure` does one.

    Args:
        samples: Sweeps, shape (b, n) [mV].
        counts: Samples of each, shape (b,).
        rates: Sampling rates, shape (b,) [kHz].
        tables: From `estimators.conditioning.weights`, padded to one width, shape (rates, 65, taps).
        which: Table of each sweep, shape (b,).
        onset: Shape (b,) [ms].
        duration: Shape (b,) [ms].
        tail: Shape (b,) [ms].
        amplitude: Shape (b,) [pA].

    Returns:
        Values, shape (b, f); NaN throughout for a sweep that leaves +-150 mV or is not finite.
    """
    values = np.full((len(samples), _N), np.nan)
    for k in prange(len(samples)):
        finite = True
        for i in range(counts[k]):
            if not abs(samples[k, i]) <= LIMIT:
                finite = False
        if finite:
            length = round((onset[k] + duration[k] + tail[k]) * RATE)
            y = np.empty(length)
            n = condition(samples[k], counts[k], True, rates[k], tables[which[k]], y, 0)
            values[k] = measure(y, n, onset[k], duration[k], tail[k], amplitude[k])[0]
    return values
