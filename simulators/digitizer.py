"""This file is the digitizer: what an analogue-to-digital converter makes of the amplifier's output."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["digitize"]


@njit(error_model="numpy")
def digitize(samples, span, step):
    """Clip samples to the converter's range and round them to its steps, in place.

    With both, the largest value is the last step inside the range, on either side; NaN stays NaN.

    Args:
        samples: Shape (n,), float32 [mV].
        span: Largest magnitude [mV]; 0 clips nothing.
        step: From one code to the next [mV]; 0 rounds nothing.
    """
    if span <= 0.0 and step <= 0.0:
        return
    highest = span if span > 0.0 else math.inf
    if step > 0.0:
        # A range of whole steps must not lose its last one to rounding.
        highest = np.floor(highest / step * (1.0 + 1e-12)) * step
    for k in range(samples.shape[0]):
        value = float(samples[k])
        if step > 0.0:
            value = np.rint(value / step) * step
        if value > highest:
            value = highest
        if value < -highest:
            value = -highest
        samples[k] = value
