"""This file is the electrode: what stands between a membrane and the numbers on disk.

Bridge error, amplifier offset, a four-pole Bessel low-pass, white noise, mains hum and slow drift, for a block of
lanes at the integration rate, then read out at the sampling rate.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt
from numba import float32, njit
from scipy import signal

from simulators.lanes import FAST, LANES, enter, gaussian, scramble

__all__ = ["CORNERS", "KNOBS", "corner_index", "filters", "low_pass", "read_out"]

KNOBS = ("bridge", "offset", "corner", "white", "hum", "hum_frequency", "hum_phase", "drift")
"""Columns of an electrode: bridge error [MOhm], offset [mV], corner of the low-pass [kHz], white noise behind it
[mV rms], amplitude of the hum [mV], its frequency [Hz] and phase [rad], drift [mV/s]."""

CORNERS = np.geomspace(1.0, 16.0, 49)
"""Corners that the low-pass is designed for [kHz]; a drawn one takes the nearest, at most 3 % away."""


@functools.cache
def filters(rate: float) -> npt.NDArray[np.float32]:
    """Design the low-pass for every corner.

    Args:
        rate: Integration rate [kHz].

    Returns:
        Shape (corners, 11): two second-order sections of five coefficients (b0, b1, b2, a1, a2), and the factor
        that gives white noise in front of the filter a standard deviation of one behind it.
    """
    table = np.empty((len(CORNERS), 11), dtype=np.float32)
    impulse = np.zeros(4000)
    impulse[0] = 1.0
    for k, corner in enumerate(CORNERS):
        sections = signal.bessel(4, corner, norm="mag", fs=rate, output="sos")
        # Each section passes a constant unchanged, so that the filter can start in its steady state.
        sections[:, :3] *= (sections[:, 3:].sum(axis=1) / sections[:, :3].sum(axis=1))[:, None]
        table[k, :5] = np.delete(sections[0], 3)
        table[k, 5:10] = np.delete(sections[1], 3)
        table[k, 10] = 1.0 / math.sqrt(np.sum(signal.sosfilt(sections, impulse) ** 2))
    return table


def corner_index(corner: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Find the nearest designed corner.

    Args:
        corner: Any shape [kHz].

    Returns:
        Indices into `CORNERS`, the same shape.
    """
    spacing = math.log(CORNERS[1] / CORNERS[0])
    index = np.rint(np.log(np.asarray(corner) / CORNERS[0]) / spacing).astype(np.int64)
    return np.asarray(np.clip(index, 0, len(CORNERS) - 1))


@njit(fastmath=FAST, error_model="numpy")
def low_pass(trace, steps, coefficients, white, bridge, ends, levels, random):
    """Turn membrane voltage into amplifier output, in place.

    Args:
        trace: Voltage, shape (>= steps, LANES), float32 [mV].
        steps: How many rows are used.
        coefficients: Shape (11, LANES), of each lane's filter.
        white: Noise behind the filter, shape (LANES,), float32 [mV rms].
        bridge: Series resistance left uncompensated, shape (LANES,), float32 [GOhm].
        ends: Step at which each epoch ends, shape (e, LANES), int32.
        levels: Current of each epoch, shape (e, LANES) [pA].
        random: Random states, shape (LANES,), uint32; read and written.
    """
    work = np.zeros((17, LANES), dtype=np.float32)
    seeds = np.empty(LANES, dtype=np.uint32)
    epoch = np.zeros(LANES, dtype=np.int32)
    for i in range(LANES):
        seeds[i] = random[i]
        for k in range(10):
            work[k, i] = coefficients[k, i]
        work[10, i] = white[i] * coefficients[10, i]
        work[11, i] = bridge[i] * levels[0, i]
        # The filter starts as if the first sample had been there for ever.
        first = trace[0, i] + work[11, i]
        work[12, i] = first * (float32(1.0) - work[0, i])
        work[13, i] = first * (work[2, i] - work[4, i])
        work[14, i] = first * (float32(1.0) - work[5, i])
        work[15, i] = first * (work[7, i] - work[9, i])
    change = ends[0].min()
    for t in range(steps):
        if t >= change:
            change = enter(epoch, ends, t)
            for i in range(LANES):
                work[11, i] = bridge[i] * levels[epoch[i], i]
        for i in range(LANES):
            seeds[i] = scramble(seeds[i])
            work[16, i] = work[10, i] * gaussian(seeds[i]) + work[11, i]
        row = trace[t]
        for i in range(LANES):
            x = row[i] + work[16, i]
            y = work[0, i] * x + work[12, i]
            work[12, i] = work[1, i] * x - work[3, i] * y + work[13, i]
            work[13, i] = work[2, i] * x - work[4, i] * y
            z = work[5, i] * y + work[14, i]
            work[14, i] = work[6, i] * y - work[8, i] * z + work[15, i]
            work[15, i] = work[7, i] * y - work[9, i] * z
            row[i] = z
    for i in range(LANES):
        random[i] = seeds[i]


@njit(error_model="numpy")
def read_out(trace, knobs, period, dt, out):
    """Sample one lane, with offset, hum and drift.

    Args:
        trace: Amplifier output of the lane, shape (steps,) [mV].
        knobs: The electrode, in the order of `KNOBS`.
        period: Sampling period in integration steps; samples between steps are interpolated linearly.
        dt: Integration step [ms].
        out: Samples, shape (n,), written to [mV].
    """
    # The hum turns a phasor by one sample at a time: no sine in the loop.
    angle = 2.0 * math.pi * knobs[5] * 1e-3 * period * dt
    turn_cos, turn_sin = math.cos(angle), math.sin(angle)
    hum_cos, hum_sin = knobs[4] * math.cos(knobs[6]), knobs[4] * math.sin(knobs[6])
    slope = knobs[7] * 1e-3 * period * dt
    last = trace.shape[0] - 1
    for k in range(out.shape[0]):
        position = k * period
        before = min(int(position), last)
        after = min(before + 1, last)
        share = position - before
        value = trace[before] + share * (trace[after] - trace[before])
        out[k] = value + knobs[1] + slope * k + hum_sin
        hum_cos, hum_sin = hum_cos * turn_cos - hum_sin * turn_sin, hum_sin * turn_cos + hum_cos * turn_sin
