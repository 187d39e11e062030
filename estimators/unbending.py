"""This file is the unbending: the spline's inverse as a compiled kernel, for draws that nobody differentiates.

It is the same function as `estimators.spline.Spline._inverse`, element by element: only the knots of the one bin that
is hit are finished, where tensors have to finish all of them.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, exponential

__all__ = ["unbend"]

_BOUND = 5.0
_SLOPE = -math.log(1e-3)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def unbend(widths, heights, derivatives, y, x):
    """Invert one spline for each value.

    Args:
        widths: Unconstrained widths of the bins, shape (n, k).
        heights: Unconstrained heights, shape (n, k).
        derivatives: Unconstrained slopes at the inner knots, shape (n, k - 1).
        y: Values, shape (n,).
        x: What the spline maps to them, shape (n,), written to.
    """
    bins = widths.shape[1]
    size = np.empty(bins, dtype=np.float32)
    soft = float32(2.0 / _SLOPE)
    for i in range(y.shape[0]):
        if not abs(y[i]) < _BOUND:
            x[i] = y[i]
            continue
        for k in range(bins):
            size[k] = exponential(heights[i, k] / (float32(1.0) + soft * abs(heights[i, k])))
        total = 0.0
        for k in range(bins):
            total += size[k]
        share = (y[i] / _BOUND + 1.0) * 0.5 * total
        before = 0.0
        hit = 0
        while hit < bins - 1 and before + size[hit] < share:
            before += size[hit]
            hit += 1
        y0 = _BOUND * (2.0 * before / total - 1.0)
        height = 2.0 * _BOUND * size[hit] / total
        for k in range(bins):
            size[k] = exponential(widths[i, k] / (float32(1.0) + soft * abs(widths[i, k])))
        total = 0.0
        for k in range(bins):
            total += size[k]
        before = 0.0
        for k in range(hit):
            before += size[k]
        x0 = _BOUND * (2.0 * before / total - 1.0)
        width = 2.0 * _BOUND * size[hit] / total
        d0 = 1.0
        if hit > 0:
            d0 = math.exp(derivatives[i, hit - 1] / (1.0 + abs(derivatives[i, hit - 1]) / _SLOPE))
        d1 = 1.0
        if hit < bins - 1:
            d1 = math.exp(derivatives[i, hit] / (1.0 + abs(derivatives[i, hit]) / _SLOPE))
        s = height / width
        up = y[i] - y0
        bend = up * (d0 + d1 - 2.0 * s)
        a = height * (s - d0) + bend
        b = height * d0 - bend
        c = -s * up
        x[i] = x0 + 2.0 * c / (-b - math.sqrt(max(b * b - 4.0 * a * c, 0.0))) * width
