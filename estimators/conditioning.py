"""This file is the conditioning: every recording is brought to one rate and one bandwidth before it is measured.

A Gaussian of 3 kHz (-3 dB) read out at 20 kHz. Each output is one weighted sum over the samples around it,
always taken in the same order, so that it is the same number however the stream was cut into blocks.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt
from numba import njit

import simulators.compiled  # noqa: F401 - chooses the cache folder before anything is compiled

__all__ = ["BANDWIDTH", "RATE", "REACH", "REACH_SLOW", "condition", "tables", "weights"]

RATE = 20.0
"""Rate at which features are taken [kHz]."""

BANDWIDTH = 3.0
"""Corner (-3 dB) of the Gaussian low-pass [kHz]."""

REACH = 0.15
"""How far to either side the low-pass looks [ms]."""

REACH_SLOW = 0.25
"""How far it looks where samples are farther apart than outputs [ms]."""

_PHASES = 64
_GROUP = 64
_LONGEST = 9


@functools.cache
def weights(rate: float) -> npt.NDArray[np.float64]:
    """Tabulate the low-pass for a sampling rate.

    The weights are those whose response comes nearest to the Gaussian's below 0.35 of the rate, by least squares with
    the gain of a constant held at one. The samples of a Gaussian would do at 20 kHz and above; at 10 kHz their gain
    at 3 kHz would swing between 0.58 and 0.83 with the output's place between two samples (here 0.70 to 0.71).

    Args:
        rate: Sampling rate of the recording [kHz].

    Returns:
        Weight of each neighbouring sample for each of 65 phases of the output between two samples, shape (65, taps);
        a phase is rounded to 1/64 of a sample, which is exact at 10, 20, 25, 40, 50 and 100 kHz.
    """
    deviation = math.sqrt(math.log(2.0)) / (2.0 * math.pi * BANDWIDTH)
    reach = REACH if rate >= RATE else REACH_SLOW
    half = max(1, math.floor(reach * rate))
    frequencies = np.linspace(0.0, 0.35 * rate, 200)[:, None]
    goal = np.exp(-2.0 * (math.pi * frequencies[:, 0] * deviation) ** 2)
    table = np.zeros((_PHASES + 1, 2 * half + 2))
    for phase in range(_PHASES + 1):
        time = (np.arange(-half, half + 2) - phase / _PHASES) / rate
        near = np.abs(time) <= max(reach, 1.0 / rate) + 1e-9
        angle = 2.0 * math.pi * frequencies * time[near]
        # The last weight is what the others leave of one: so a constant passes unchanged.
        columns = np.concatenate([np.cos(angle), np.sin(angle)])
        wanted = np.concatenate([goal, np.zeros(len(goal))]) - columns[:, -1]
        solution = np.linalg.lstsq(columns[:, :-1] - columns[:, -1:], wanted, rcond=None)[0]
        table[phase, near] = np.append(solution, 1.0 - solution.sum())
    return table


@njit(cache=True, nogil=True)
def condition(samples, available, complete, rate, table, out, done):
    """Condition as far as the samples reach.

    Args:
        samples: The sweep so far, shape (>= available,) [mV].
        available: How many samples there are.
        complete: Whether there will be no more; else outputs whose neighbours are still to come wait.
        rate: Their sampling rate [kHz].
        table: From `weights(rate)`.
        out: Conditioned trace at `RATE`, shape (m,), written from `done` on [mV].
        done: How many outputs are there already.

    Returns:
        How many outputs are there now.
    """
    half = table.shape[1] // 2 - 1
    taps = table.shape[1]
    ratio = rate / RATE
    cycle = 1
    while cycle < _LONGEST and cycle * ratio != int(cycle * ratio):
        cycle += 1
    stride = int(cycle * ratio)
    together = _GROUP * cycle
    lanes = np.empty((stride, _GROUP + (stride + taps) // max(stride, 1)))
    while done < out.shape[0]:
        before = int(done * ratio)
        reached = int((done + together) * ratio) - half + taps
        if cycle < _LONGEST and before >= half and reached <= available and done + together <= out.shape[0]:
            _deal(samples[before - half : reached], stride, lanes)
            for shift in range(cycle):
                position = (done + shift) * ratio
                ahead = int(position) - before
                phase = int((position - int(position)) * _PHASES + 0.5)
                _sums(lanes, ahead, table[phase], out[done + shift :], cycle)
            done += together
            continue
        if before >= available or (before - half + taps > available and not complete):
            break
        phase = int((done * ratio - before) * _PHASES + 0.5)
        out[done] = _edge(samples, available, before - half, table[phase])
        done += 1
    return done


@njit(cache=True, nogil=True)
def _deal(samples, stride, lanes):
    """Deal samples out to as many lanes as lie between two outputs of one phase, so that each tap reads in a row."""
    for lane in range(stride):
        column = samples[lane::stride]
        for i in range(min(len(column), lanes.shape[1])):
            lanes[lane, i] = column[i]


@njit(cache=True, nogil=True)
def _sums(lanes, ahead, weights_of, out, cycle):
    """Take outputs of one phase side by side, for speed; each sum is taken in the same order as at an edge."""
    total = np.zeros(_GROUP)
    stride = lanes.shape[0]
    for tap in range(weights_of.shape[0]):
        weight = weights_of[tap]
        first = (ahead + tap) // stride
        column = lanes[(ahead + tap) % stride, first : first + _GROUP]
        for i in range(_GROUP):
            total[i] += weight * column[i]
    for i in range(_GROUP):
        out[i * cycle] = total[i]


@njit(cache=True, nogil=True)
def _edge(samples, available, first, weights_of):
    """Take one output, where it may be that not all its neighbours are there."""
    total = 0.0
    weight = 0.0
    cut = False
    for tap in range(weights_of.shape[0]):
        if 0 <= first + tap < available:
            total += weights_of[tap] * samples[first + tap]
            weight += weights_of[tap]
        elif weights_of[tap] != 0.0:
            cut = True
    return total / weight if cut else total


def tables(rate: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Tabulate the low-pass for a batch of sweeps.

    Args:
        rate: Sampling rate of each, shape (s,) [kHz].

    Returns:
        One table for each rate, padded to one width, shape (rates, 65, taps); and which is each sweep's, shape (s,).
    """
    rates, which = np.unique(rate, return_inverse=True)
    each = [weights(float(one)) for one in rates]
    widest = max(table.shape[1] for table in each)
    return np.stack([np.pad(t, ((0, 0), ((widest - t.shape[1]) // 2,) * 2)) for t in each]), which
