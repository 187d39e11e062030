"""This file is the amplifier: bridge error, offset, a four-pole Bessel low-pass, white noise, mains hum and slow drift.

All of it acts on a block of lanes at the integration rate, on a voltage or on a clamp's current. What comes before and
after it in `simulators.chain` has files of its own.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt
from numba import float32, njit
from scipy import optimize

from simulators.lanes import FAST, LANES, enter, gaussian, scramble

__all__ = ["CORNERS", "MEMORY", "corner_index", "filters", "low_pass", "remember"]

CORNERS = np.geomspace(1.0, 16.0, 49)
"""Corners that the low-pass is designed for [kHz]; a drawn one takes the nearest, at most 3 % away."""

_BESSEL = (1.0, 10.0, 45.0, 105.0, 105.0)
_CORNER = 2.113917674904216
"""Where the gain of the fourth reverse Bessel polynomial is -3 dB [rad/s]."""
_OVER = 1e-15
"""What a filter remembers of a single one when no digit of its sum changes any more."""
_POLES = np.asarray(np.roots(_BESSEL) / _CORNER, dtype=np.complex128)


@functools.cache
def filters(rate: float) -> npt.NDArray[np.float32]:
    """Design the low-pass for every corner.

    The poles are those of the analogue filter, mapped by z = exp(sT), for they make its shape: a step overshoots by
    no more than the analogue's 0.8 %, where the bilinear map reaches 9 % at 10 kHz. One zero a section puts the -3 dB
    point on the corner. Four taps behind the sections interpolate between steps, so that row t holds what leaves the
    amplifier at the end of step t.

    Args:
        rate: Integration rate [kHz].

    Returns:
        Shape (corners + 1, 13): two second-order sections of four coefficients (b0, b1, a1, a2), the four taps, latest
        first, and the factor that gives white noise in front of the filter a standard deviation of one behind it. The
        last row passes everything, bit by bit.
    """
    table = np.zeros((len(CORNERS) + 1, 13))
    table[-1, [0, 4, 8, 12]] = 1.0
    for k, corner in enumerate(CORNERS):
        slow, fast = _sections(corner, rate)
        zero = optimize.brentq(_loss, -0.9, 0.9, args=(np.concatenate([slow, fast]), corner / rate))
        for section, poles in enumerate((slow, fast)):
            below = np.poly(poles).real
            # Each section passes a constant unchanged, so that the filter can start in its steady state.
            above = np.array([1.0, zero]) * below.sum() / (1.0 + zero)
            table[k, 4 * section : 4 * section + 4] = *above, *below[1:]
        table[k, 8:12] = _taps(_lead(np.concatenate([slow, fast]), zero))
    table[:-1, 12] = 1.0 / np.sqrt(np.sum(_impulse(table[:-1]) ** 2, axis=0))
    return table.astype(np.float32)


def _sections(corner: float, rate: float) -> list[npt.NDArray[np.complex128]]:
    """Give the two pairs of digital poles, the slower first."""
    poles = _POLES * 2.0 * math.pi * corner
    pairs = np.exp(poles[np.argsort(np.abs(poles.imag), kind="stable")] / rate)
    return [pairs[:2], pairs[2:]]


def _impulse(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Tell what each filter makes of a single one, shape (4000, filters); it is as good as over by then."""
    memory = np.zeros((4, len(table)))
    answer = np.zeros((4000, len(table)))
    for t in range(len(answer)):
        leaving = np.full(len(table), 1.0 if t == 0 else 0.0)
        for section in (0, 1):
            b0, b1, a1, a2 = table[:, 4 * section : 4 * section + 4].T
            first, second = memory[2 * section], memory[2 * section + 1]
            entering, leaving = leaving, b0 * leaving + first
            memory[2 * section], memory[2 * section + 1] = b1 * entering + second - a1 * leaving, -a2 * leaving
        answer[t] = leaving
        if np.abs(memory).max() < _OVER:
            break
    padded = np.concatenate([answer, np.zeros((3, len(table)))])
    # The taps are the last of a filter's numbers, latest first.
    return np.asarray(sum(table[:, 8 + k] * np.roll(padded, k, axis=0) for k in range(4)))


def _lead(poles: npt.NDArray[np.complex128], zero: float) -> float:
    """Tell how many steps the digital sections are ahead of the analogue filter, at low frequencies."""
    analogue = -np.sum(1.0 / np.log(poles)).real
    digital = np.sum(poles / (1.0 - poles)).real + 2.0 * zero / (1.0 + zero)
    return float(analogue - digital)


def _taps(lead: float) -> npt.NDArray[np.float64]:
    """Interpolate by a cubic between the last four steps, `lead` steps back."""
    nodes = np.arange(4.0)
    return np.array([np.prod([(lead - m) / (n - m) for m in nodes if m != n]) for n in nodes])


def _loss(zero: float, poles: npt.NDArray[np.complex128], frequency: float) -> float:
    """Tell by how much the gain at a frequency [1/step] exceeds -3 dB."""
    back = np.exp(-2j * math.pi * frequency)
    gain = ((1.0 + zero * back) / (1.0 + zero)) ** 2 * np.prod((1.0 - poles) / (1.0 - poles * back))
    return float(abs(gain * np.sum(_taps(_lead(poles, zero)) * back ** np.arange(4))) - math.sqrt(0.5))


def corner_index(corner: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Find the nearest designed corner.

    Args:
        corner: Any shape [kHz]; 0 is none.

    Returns:
        Rows of what `filters` designs, the same shape: indices into `CORNERS`, or the one behind them without a corner.
    """
    spacing = math.log(CORNERS[1] / CORNERS[0])
    none = np.asarray(corner) <= 0.0
    index = np.rint(np.log(np.where(none, 1.0, corner) / CORNERS[0]) / spacing).astype(np.int64)
    return np.asarray(np.where(none, len(CORNERS), np.clip(index, 0, len(CORNERS) - 1)))


MEMORY = 7
"""Rows of what a filter remembers: two of each section, and the three steps before."""


@njit(error_model="numpy")
def remember(first, coefficients, memory):
    """Let the filters start as if the first sample had been there for ever.

    Args:
        first: What enters the filter, shape (LANES,), float32 [mV or pA].
        coefficients: Shape (13, LANES), of each lane's filter.
        memory: Shape (MEMORY, LANES), float32, written to.
    """
    for i in range(LANES):
        memory[0, i] = first[i] * (float32(1.0) - coefficients[0, i])
        memory[1, i] = -first[i] * coefficients[3, i]
        memory[2, i] = first[i] * (float32(1.0) - coefficients[4, i])
        memory[3, i] = -first[i] * coefficients[7, i]
        memory[4, i] = memory[5, i] = memory[6, i] = first[i]


@njit(fastmath=FAST, error_model="numpy")
def low_pass(trace, begin, steps, coefficients, knobs, dt, ends, levels, memory, random):
    """Turn what the pipette passes on into amplifier output, in place.

    Args:
        trace: Shape (>= steps, LANES), float32 [mV or pA]; row t is step begin + t.
        begin: First of the steps.
        steps: How many rows are used.
        coefficients: Shape (13, LANES), of each lane's filter.
        knobs: The electrodes, shape (>= 8, LANES), in the order of `simulators.electrode.KNOBS`; the first eight are
            used.
        dt: Integration step [ms].
        ends: Step at which each epoch ends, shape (e, LANES), int32.
        levels: Current of each epoch, shape (e, LANES) [pA]; nothing but the bridge asks for it.
        memory: Shape (MEMORY, LANES), float32; read and written.
        random: Random states, shape (LANES,), uint32; read and written.
    """
    work = np.empty((27, LANES), dtype=np.float32)
    seeds = np.empty(LANES, dtype=np.uint32)
    epoch = np.zeros(LANES, dtype=np.int32)
    change = enter(epoch, ends, begin)
    for i in range(LANES):
        seeds[i] = random[i]
        for k in range(12):
            work[k, i] = coefficients[k, i]
        work[12, i] = knobs[3, i] * coefficients[12, i]
        work[13, i] = knobs[0, i] * 1e-3 * levels[epoch[i], i]
        for k in range(7):
            work[14 + k, i] = memory[k, i]
        # The hum turns a phasor by one step at a time: no sine in the loop. Cosine less one keeps its digits.
        turn = 2.0 * math.pi * knobs[5, i] * 1e-3 * dt
        angle = turn * (begin + 1) + knobs[6, i]
        work[21, i], work[22, i] = knobs[4, i] * math.cos(angle), knobs[4, i] * math.sin(angle)
        work[23, i], work[24, i] = -2.0 * math.sin(0.5 * turn) ** 2, math.sin(turn)
        work[25, i] = knobs[1, i] + knobs[7, i] * 1e-3 * dt * (begin + 1)
        work[26, i] = knobs[7, i] * 1e-3 * dt
    for t in range(steps):
        if begin + t >= change:
            change = enter(epoch, ends, begin + t)
            for i in range(LANES):
                work[13, i] = knobs[0, i] * 1e-3 * levels[epoch[i], i]
        _filter(trace[t], float32(t), work, seeds)
    for i in range(LANES):
        for k in range(7):
            memory[k, i] = work[14 + k, i]
        random[i] = seeds[i]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _filter(row, t, work, seeds):
    """Pass one step of all lanes through: bridge and noise, two sections, four taps; then offset, drift and hum."""
    for i in range(LANES):
        seeds[i] = scramble(seeds[i])
        x = row[i] + work[12, i] * gaussian(seeds[i]) + work[13, i]
        y = work[0, i] * x + work[14, i]
        work[14, i] = work[1, i] * x - work[2, i] * y + work[15, i]
        work[15, i] = -work[3, i] * y
        z = work[4, i] * y + work[16, i]
        work[16, i] = work[5, i] * y - work[6, i] * z + work[17, i]
        work[17, i] = -work[7, i] * z
        smooth = work[8, i] * z + work[9, i] * work[18, i] + work[10, i] * work[19, i] + work[11, i] * work[20, i]
        work[20, i] = work[19, i]
        work[19, i] = work[18, i]
        work[18, i] = z
        cosine, sine = work[21, i], work[22, i]
        row[i] = smooth + work[25, i] + work[26, i] * t + sine
        work[21, i] = cosine + (work[23, i] * cosine - work[24, i] * sine)
        work[22, i] = sine + (work[23, i] * sine + work[24, i] * cosine)
