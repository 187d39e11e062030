"""This file is the digitizer: the samples that an analogue-to-digital converter makes of the amplifier's output."""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit

__all__ = ["digitize", "read_out"]


@njit(error_model="numpy")
def digitize(samples, span, step):
    """Clip samples to the converter's range and round them to its steps, in place.

    With both, the largest value is the last step inside the range, on either side; NaN stays NaN.

    Args:
        samples: Shape (n,), float32 [mV or pA].
        span: Largest magnitude [mV or pA]; 0 clips nothing.
        step: From one code to the next [mV or pA]; 0 rounds nothing.
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


@njit(error_model="numpy")
def read_out(tile, lane, begin, steps, start, period, done, out):
    """Sample one lane as far as its output is there; between steps it is interpolated linearly.

    Args:
        tile: Amplifier output, shape (1 + steps, LANES), float32 [mV or pA]; row r is the output r steps after `begin`.
        lane: Column to read.
        begin: Step that the tile begins with.
        steps: How many steps it has.
        start: Time of the first sample, in steps.
        period: Sampling period in steps.
        done: Samples that are there already.
        out: Samples, shape (n,), written from `done` on [mV or pA].

    Returns:
        How many samples are there now.
    """
    if begin + steps < start:
        # A quotient between -1 and 0 would be rounded up to a sample that is not there yet.
        return done
    upto = min(int((begin + steps - start) / period) + 1, out.shape[0])
    for k in range(done, upto):
        position = start + k * period - begin
        before = int(position)
        after = min(before + 1, steps)
        value = tile[before, lane]
        out[k] = value + float32(position - before) * (tile[after, lane] - value)
    return max(done, upto)
