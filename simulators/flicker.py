"""This file is the flicker: noise whose power falls as 1/f, in lanes.

White noise through six first-order filters whose corners are spaced evenly on a logarithmic axis, summed: from 1 Hz to
1 kHz the spectrum is that of 1/f to 3 %; below it levels off, above it falls as 1/f^2.

References:
    Kasdin (1995), Proc. IEEE 83(5), 802-827. https://doi.org/10.1109/5.381848
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import optimize

from simulators.lanes import FAST, LANES, gaussian, scramble

__all__ = ["COLOURS", "begin_flicker", "colours", "flicker", "flicker_seeds"]

COLOURS = 6
"""How many filters there are."""

_CORNERS = np.geomspace(0.3, 4000.0, COLOURS)
_BAND = (1.0, 1000.0)


@functools.cache
def colours(rate: float) -> npt.NDArray[np.float32]:
    """Design the filters so that the sum has 1 mV rms between 1 Hz and 1 kHz.

    The weights are fitted to 1/f there, by least squares of the logarithm of the power.

    Args:
        rate: Integration rate [kHz].

    Returns:
        Shape (COLOURS, 2 + COLOURS): what a filter loses a step, its weight on the white noise, and its row of the
        lower triangle that makes independent numbers into filters at their steady state.
    """
    frequency = np.geomspace(*_BAND, 301)
    keep = np.exp(-2e-3 * math.pi * _CORNERS / rate)
    passed = 1.0 / (1.0 - keep[:, None] * np.exp(-2e-3j * math.pi * frequency / rate))
    # One-sided densities [1/Hz]: that of unit white noise is 2 over the rate, that of 1/f sums to 1 over the band.
    wanted = 1.0 / (frequency * math.log(_BAND[1] / _BAND[0]))

    def misfit(logarithms: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        power = np.abs(np.exp(logarithms) @ passed) ** 2 * 2e-3 / rate
        return np.asarray(np.log(power / wanted))

    weight = np.exp(optimize.least_squares(misfit, 0.5 * np.log(1e-6 * _CORNERS)).x)
    steady = np.outer(weight, weight) / (1.0 - np.outer(keep, keep))
    return np.column_stack([1.0 - keep, weight, np.linalg.cholesky(steady)]).astype(np.float32)


def flicker_seeds(seeds: npt.NDArray[np.uint32], noises: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Make one more random state of the two that a lane has: drawing a third would shift those of all lanes behind.

    Args:
        seeds: Random states of the membranes, shape (b,).
        noises: Random states of the amplifiers, shape (b,).

    Returns:
        Shape (b,), never 0.

    References:
        Steele, Lea and Flood (2014), OOPSLA, 453-472. https://doi.org/10.1145/2660193.2660195
    """
    z = (seeds.astype(np.uint64) << np.uint64(32) | noises.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(np.maximum((z ^ (z >> np.uint64(31))) >> np.uint64(32), np.uint64(1)).astype(np.uint32))


@njit(error_model="numpy")
def begin_flicker(first, table, amplitude, memory, random):
    """Draw the filters at their steady state, and add their noise to the first sample.

    Args:
        first: Shape (LANES,), float32 [mV]; added to.
        table: As `colours` designs it.
        amplitude: Noise between 1 Hz and 1 kHz, shape (LANES,) [mV rms].
        memory: Shape (COLOURS, LANES), float32, written to.
        random: Random states, shape (LANES,), uint32; read and written.
    """
    for i in range(LANES):
        for k in range(COLOURS):
            memory[k, i] = 0.0
        for j in range(COLOURS):
            random[i] = scramble(random[i])
            for k in range(j, COLOURS):
                memory[k, i] += table[k, 2 + j] * gaussian(random[i])
        total = np.float32(0.0)
        for k in range(COLOURS):
            total += memory[k, i]
        first[i] += np.float32(amplitude[i]) * total


@njit(fastmath=FAST, error_model="numpy")
def flicker(trace, steps, table, amplitude, memory, random):
    """Add 1/f noise to a trace, in place.

    Args:
        trace: Shape (>= steps, LANES), float32 [mV].
        steps: How many rows are used.
        table: As `colours` designs it.
        amplitude: Noise between 1 Hz and 1 kHz, shape (LANES,) [mV rms].
        memory: Shape (COLOURS, LANES), float32; read and written.
        random: Random states, shape (LANES,), uint32; read and written.
    """
    work = np.empty((COLOURS + 1, LANES), dtype=np.float32)
    seeds = np.empty(LANES, dtype=np.uint32)
    for i in range(LANES):
        seeds[i] = random[i]
        work[COLOURS, i] = amplitude[i]
        for k in range(COLOURS):
            work[k, i] = memory[k, i]
    for t in range(steps):
        _filter(trace[t], table, work, seeds)
    for i in range(LANES):
        random[i] = seeds[i]
        for k in range(COLOURS):
            memory[k, i] = work[k, i]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _filter(row, table, work, seeds):
    """Advance the filters of all lanes by one step; written out, for an inner loop over them would not vectorize."""
    for i in range(LANES):
        seeds[i] = scramble(seeds[i])
        white = gaussian(seeds[i])
        a = work[0, i] + (table[0, 1] * white - table[0, 0] * work[0, i])
        b = work[1, i] + (table[1, 1] * white - table[1, 0] * work[1, i])
        c = work[2, i] + (table[2, 1] * white - table[2, 0] * work[2, i])
        d = work[3, i] + (table[3, 1] * white - table[3, 0] * work[3, i])
        e = work[4, i] + (table[4, 1] * white - table[4, 0] * work[4, i])
        f = work[5, i] + (table[5, 1] * white - table[5, 0] * work[5, i])
        work[0, i], work[1, i], work[2, i], work[3, i], work[4, i], work[5, i] = a, b, c, d, e, f
        row[i] += work[6, i] * (a + b + c + d + e + f)
