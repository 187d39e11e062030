"""This file is the unbending: the spline's inverse as a compiled kernel, for draws that nobody differentiates.

It is the same function as `estimators.spline.Spline._inverse`. Draws lie along the last axis and go through every bin
together, so that exponentials, sums and choices are vector instructions; only the knots of the bin that is hit are
finished, where tensors have to finish all of them.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, exponential

__all__ = ["unbend"]

_BOUND = 5.0
_SLOPE = -math.log(1e-3)
_BLOCK = 128


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def unbend(raw, bent, rows):
    """Invert one spline for each number in some rows.

    Args:
        raw: Unconstrained widths and heights of k bins and k - 1 slopes at the inner knots, one such table a row to
            invert, below each other: shape (m (3 k - 1), n), float32.
        bent: Which rows, shape (m,).
        rows: Values, shape (p, n), float32, and what the splines map to them; read and written.
    """
    each = raw.shape[0] // bent.shape[0]
    bins = (each + 1) // 3
    # The first knot lies at zero on either axis.
    along = np.zeros((bins + 1, _BLOCK), dtype=np.float64)
    up = np.zeros((bins + 1, _BLOCK), dtype=np.float64)
    share = np.empty(_BLOCK, dtype=np.float64)
    hit = np.empty(_BLOCK, dtype=np.int64)
    # Rows of constant length behind each other: so the compiler knows that they are apart.
    found = np.empty(6 * _BLOCK, dtype=np.float64)
    for j in range(bent.shape[0]):
        for begin in range(0, raw.shape[1], _BLOCK):
            y = rows[bent[j], begin : begin + _BLOCK]
            first = j * each
            for k in range(bins):
                _stack(raw[first + k, begin : begin + _BLOCK], along[k], along[k + 1])
                _stack(raw[first + bins + k, begin : begin + _BLOCK], up[k], up[k + 1])
            _find(up, y, share, hit)
            _gather(raw[first + 2 * bins : first + each], begin, along, up, share, hit, found, y.shape[0])
            _solve(found, y)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _stack(raw, begin, end):
    """Put a bin behind those before it; where the last one ends is not yet the end of the axis."""
    soft = float32(2.0 / _SLOPE)
    for i in range(raw.shape[0]):
        end[i] = begin[i] + exponential(raw[i] / (float32(1.0) + soft * abs(raw[i])))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _find(up, y, share, hit):
    """Find how far up each value lies, and in which bin."""
    bins = up.shape[0] - 1
    total = up[bins]
    for i in range(y.shape[0]):
        share[i] = (y[i] / _BOUND + 1.0) * 0.5 * total[i]
        hit[i] = 0
    for k in range(1, bins):
        knot = up[k]
        for i in range(y.shape[0]):
            hit[i] += 1 if knot[i] < share[i] else 0


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _gather(slopes, begin, along, up, share, hit, found, count):
    """Take what belongs to each value's bin: where it begins, its width and height, the value above it, its slopes.

    The outermost knots have slope one, whose raw number is zero.
    """
    bins = up.shape[0] - 1
    for i in range(count):
        k = hit[i]
        wide = 2.0 * _BOUND / along[bins, i]
        high = 2.0 * _BOUND / up[bins, i]
        found[i] = wide * along[k, i] - _BOUND
        found[_BLOCK + i] = wide * (along[k + 1, i] - along[k, i])
        found[2 * _BLOCK + i] = high * (up[k + 1, i] - up[k, i])
        found[3 * _BLOCK + i] = high * (share[i] - up[k, i])
        left = slopes[max(k - 1, 0), begin + i]
        right = slopes[min(k, bins - 2), begin + i]
        found[4 * _BLOCK + i] = left if k > 0 else float32(0.0)
        found[5 * _BLOCK + i] = right if k < bins - 1 else float32(0.0)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _solve(found, y):
    """Solve each value's bin for what is mapped to it; outside the bounds nothing is bent."""
    soft = float32(1.0 / _SLOPE)
    for i in range(y.shape[0]):
        width, height, up = found[_BLOCK + i], found[2 * _BLOCK + i], found[3 * _BLOCK + i]
        left, right = float32(found[4 * _BLOCK + i]), float32(found[5 * _BLOCK + i])
        d0 = exponential(left / (float32(1.0) + soft * abs(left)))
        d1 = exponential(right / (float32(1.0) + soft * abs(right)))
        s = height / width
        bend = up * (d0 + d1 - 2.0 * s)
        a = height * (s - d0) + bend
        b = height * d0 - bend
        c = -s * up
        square = b * b - 4.0 * a * c
        root = math.sqrt(square if square > 0.0 else 0.0)
        x = found[i] + 2.0 * c / (-b - root) * width
        y[i] = x if abs(y[i]) < _BOUND else y[i]
